#!/usr/bin/env bash
# The rules of the CRDs and of config/ on a real kube-apiserver: each refuses what it must, with a
# message that names the field, and takes what is right. Attempts are dry runs, which the apiserver
# judges as the real thing, so that no row depends on another.
# usage: crds_rules_test.sh [DIR of a running cluster]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

[[ ${VDCU_GUARDED_BY:-} == "$PPID" ]] || exec tests/cluster/guarded "tests/integration/${0##*/}" "$@"
readonly WORK=$VDCU_TEST_FOLDER
CLUSTER=${1:-$WORK/cluster}
readonly CLUSTER
# shellcheck source=tests/integration/request_table.sh
source tests/integration/request_table.sh
# shellcheck source=tests/integration/fence_table.sh
source tests/integration/fence_table.sh

# ---- what is there ----

make_users() {
  local node
  for node in node-1 node-2; do
    "$CLUSTER/kubectl" create -f - <<<"{apiVersion: v1, kind: Node, metadata: {name: $node}}"
  done
  user_by_certificate admin
  user_by_token controller vdcu-system vdcu-controller
  user_by_token daemon-1 vdcu-system vdcu-node node-1
  user_by_token daemon-2 vdcu-system vdcu-node node-2
  user_by_token daemon-of-no-node vdcu-system vdcu-node
  user_by_token jane team-a jane
  user_by_token viewer team-a viewer
  user_by_impersonation collector system:serviceaccount:kube-system:generic-garbage-collector
  # RBAC lets jane do everything, so that what is refused to her the policies refuse.
  "$CLUSTER/kubectl" create clusterrole everything-of-vdcu --verb='*' --resource='*.vdcu.io'
  "$CLUSTER/kubectl" create clusterrolebinding jane --clusterrole=everything-of-vdcu \
    --serviceaccount=team-a:jane
  "$CLUSTER/kubectl" create clusterrolebinding viewer --clusterrole=vdcu-view \
    --serviceaccount=team-a:viewer
}

install() {
  "$CLUSTER/kubectl" apply -k tests/world/config/advertising
  "$CLUSTER/kubectl" wait --for=condition=Established --timeout=120s crd/vdcupartitions.vdcu.io \
    crd/dcunodes.vdcu.io
}

# Policies and roles work a moment after they are created.
wait_for_policies() {
  local deadline=$((SECONDS + 120)) answer=
  until [[ $answer == *"only vdcu-controller sets or removes it"* ]]; do
    ((SECONDS < deadline)) || { echo "the policies do not work after 120 s: $answer" >&2; exit 1; }
    sleep 0.1
    answer=$(request jane POST "$PARTITIONS?dryRun=All" "$(partition x "{assignment: $SLICE_A}")")
  done
}

# ---- the schema of VDCUPartition ----

# asks SENTENCE SPEC, asks_wrong SENTENCE MESSAGE-PART SPEC: a user creates a partition
asks() { takes "$1" jane POST "$PARTITIONS" "$(partition x "$2")"; }
asks_wrong() { refuses "$1" "$2" jane POST "$PARTITIONS" "$(partition x "$3")"; }

what_is_asked() {
  local unit='spec.memory: Invalid value: ' mib='must be whole MiB from 1Mi to 1Ti, as a whole number with a unit'
  asks "nothing: a whole card" '{}'
  asks "percent and memory" '{cores: 15, memory: 2000Mi}'
  asks "all units" '{computeUnits: 128}'
  asks "every field" '{cores: 100, memory: 1Ti, policy: BinPack, share: cluster, nodeSelector: {a.b/c: d},
    devices: {models: [a], excludeModels: [b], uuids: [c], excludeUUIDs: [d]}}'
  asks "memory in GiB" '{memory: 2Gi}'
  asks_wrong "no spec" 'spec: Required value' null
  asks_wrong "cores and computeUnits" 'spec.cores: Forbidden: set cores (percent) or computeUnits, not both' \
    '{cores: 5, computeUnits: 5}'
  asks_wrong "no cores" 'spec.cores in body should be greater than or equal to 1' '{cores: 0}'
  asks_wrong "cores above 100" 'spec.cores in body should be less than or equal to 100' '{cores: 101}'
  asks_wrong "no units" 'spec.computeUnits in body should be greater than or equal to 1' '{computeUnits: 0}'
  asks_wrong "too many units" 'spec.computeUnits in body should be less than or equal to 128' \
    '{computeUnits: 129}'
  asks_wrong "memory as a number" "${unit}2000: write a unit, for example 2000Mi" '{memory: 2000}'
  asks_wrong "memory as digits" 'write a unit, for example 2000Mi' '{memory: "2000"}'
  asks_wrong "memory as a fraction" 'write a unit, for example 2000Mi' '{memory: "2.5"}'
  asks_wrong "empty memory" 'write a unit, for example 2000Mi' '{memory: ""}'
  asks_wrong "no memory" "$mib" '{memory: 0Mi}'
  asks_wrong "negative memory" "$mib" '{memory: -5Mi}'
  asks_wrong "a fraction" "$mib" '{memory: 1.5Gi}'
  asks_wrong "half a MiB" "$mib" '{memory: 512Ki}'
  asks_wrong "decimal megabytes" "$mib" '{memory: 2000M}'
  asks_wrong "memory that is no quantity" "$mib" '{memory: muchMi}'
  asks_wrong "more than 1Ti" "$mib" '{memory: 1025Gi}'
  asks_wrong "a long memory" 'spec.memory: Too long: may not be more than 20' \
    '{memory: 1000000000000000000000Mi}'
  asks_wrong "an unknown policy" 'spec.policy: Unsupported value' '{policy: Random}'
  asks_wrong "an unknown sharing" 'spec.share: Unsupported value' '{share: pod}'
  asks_wrong "a model without a name" 'spec.devices.models[0]' '{devices: {models: [""]}}'
  asks_wrong "a model twice" 'spec.devices.models[1]: Duplicate value' '{devices: {models: [a, a]}}'
  asks_wrong "too many models" 'spec.devices.models: Too many: 17: must have at most 16 items' \
    "{devices: {models: [$(printf 'm%s,' {1..17})]}}"
  asks_wrong "a label without a name" 'spec.nodeSelector: Invalid value' '{nodeSelector: {"": x}}'
}

# ---- what may change, by the controller, whom no policy stops ----

# patch SENTENCE NAME SPEC, patch_wrong SENTENCE MESSAGE-PART NAME SPEC
patch() { takes "$1" controller PATCH "$PARTITIONS/$2" "{\"spec\": $3}"; }
patch_wrong() { refuses "$1" "$2" controller PATCH "$PARTITIONS/$3" "{\"spec\": $4}"; }

what_may_change() {
  local field value
  while IFS='|' read -r field value; do
    patch_wrong "$field changes" "spec.$field: Forbidden: $field is immutable" reserved "{\"$field\": $value}"
    [[ $value == *\"container\"* ]] ||
      patch_wrong "$field vanishes" "spec.$field: Forbidden: $field is immutable" reserved "{\"$field\": null}"
    patch_wrong "$field appears" "spec.$field: Forbidden: $field is immutable" plain "{\"$field\": $value}"
  done <<'ROWS'
cores|16
memory|"2001Mi"
devices|{"models": ["Z100"]}
nodeSelector|{"pool": "other"}
policy|"BinPack"
share|"cluster"
podRef|{"name": "p", "uid": "u", "container": "c"}
ROWS
  patch_wrong "computeUnits changes" 'spec.computeUnits: Forbidden: computeUnits is immutable' slice \
    '{"computeUnits": 10}'
  patch_wrong "computeUnits vanishes" 'spec.computeUnits: Forbidden' slice '{"computeUnits": null}'
  patch_wrong "computeUnits appears" 'spec.computeUnits: Forbidden' plain '{"computeUnits": 10}'
  patch_wrong "podRef names another pod" 'spec.podRef: Forbidden: podRef is immutable' slice \
    '{"podRef": {"uid": "other"}}'
  patch_wrong "podRef vanishes" 'spec.podRef: Forbidden: podRef is immutable' slice '{"podRef": null}'
  patch "an assignment is set" reserved "{\"assignment\": $SLICE_A}"
  patch "an assignment is removed as a whole" slice '{"assignment": null}'
  patch_wrong "an assignment moves to another node" \
    'spec.assignment: Forbidden: assignment never changes from one value to another' slice \
    '{"assignment": {"node": "node-2"}}'
  patch_wrong "an assignment loses its pipe" 'assignment never changes' slice \
    '{"assignment": {"pipe": null, "vdev": null}}'
}

# assigns_wrong SENTENCE MESSAGE-PART ASSIGNMENT: the controller creates a partition
assigns_wrong() {
  refuses "$1" "$2" controller POST "$PARTITIONS" "$(partition x "{assignment: $3}")"
}
# SLICE_A without the fields named in $1, with those of $2
changed() {
  local text=$SLICE_A field
  for field in $1; do
    text=$(sed -E "s/\"$field\": (\"[^\"]*\"|\[[^]]*\]|[0-9]+),?//" <<<"$text")
  done
  text=${text%\}*}
  echo "${text%,*([[:space:]])}, $2}"
}

what_is_assigned() {
  local field
  shopt -s extglob
  takes "a slice" controller POST "$PARTITIONS" "$(partition x "{assignment: $SLICE_A}")"
  takes "a whole card" controller POST "$PARTITIONS" "$(partition x "{assignment: $(changed 'pipe vdev memory' '"memory": "2000Mi"')}")"
  assigns_wrong "a pipe without vdev" 'spec.assignment.vdev: Required value' \
    "$(changed 'vdev memory' '"memory": "2000Mi"')"
  assigns_wrong "a vdev without pipe" 'spec.assignment.pipe: Required value' "$(changed pipe '"vdev": 4')"
  for field in node device pciBusID computeUnits cuMasks memory; do
    assigns_wrong "an assignment without $field" "spec.assignment.$field: Required value" \
      "$(changed "$field vdev" '"vdev": 4')"
  done
  assigns_wrong "pipe 4" 'spec.assignment.pipe in body should be less than or equal to 3' \
    "$(changed pipe '"pipe": 4')"
  assigns_wrong "pipe -1" 'spec.assignment.pipe in body should be greater than or equal to 0' \
    "$(changed pipe '"pipe": -1')"
  assigns_wrong "vdev -1" 'spec.assignment.vdev in body should be greater than or equal to 0' \
    "$(changed vdev '"vdev": -1')"
  assigns_wrong "no units" 'spec.assignment.computeUnits in body should be greater' \
    "$(changed computeUnits '"computeUnits": 0')"
  assigns_wrong "one mask" 'spec.assignment.cuMasks in body should have at least 2 items' \
    "$(changed cuMasks '"cuMasks": ["0x0000000000000000"]')"
  assigns_wrong "three masks" 'spec.assignment.cuMasks: Too many: 3: must have at most 2 items' \
    "$(changed cuMasks '"cuMasks": ["0x0000000000000000", "0x0000000000000000", "0x0000000000000000"]')"
  assigns_wrong "a short mask" 'spec.assignment.cuMasks[0] in body should match' \
    "$(changed cuMasks '"cuMasks": ["0x1ff", "0x0000000000000000"]')"
  assigns_wrong "a bus id without domain" 'spec.assignment.pciBusID in body should match' \
    "$(changed pciBusID '"pciBusID": "33:00.0"')"
  assigns_wrong "memory in GiB" 'spec.assignment.memory in body should match' \
    "$(changed memory '"memory": "2Gi"')"
}

# ---- what a DCUNode says ----

what_a_node_may_say() {
  refuses "an unknown sharing" 'spec.shareCards: Unsupported value' admin PATCH $API/dcunodes/node-1 \
    '{"spec": {"shareCards": "pod"}}'
  takes "no reserve" admin PATCH $API/dcunodes/node-1 '{"spec": {"memoryReserve": "0Mi"}}'
  refuses "a reserve without a unit" 'write a unit, for example 512Mi' admin PATCH \
    $API/dcunodes/node-1 '{"spec": {"memoryReserve": 512}}'
  refuses "a reserve of half a MiB" 'must be whole MiB from 0Mi to 1Ti' admin PATCH \
    $API/dcunodes/node-1 '{"spec": {"memoryReserve": "512Ki"}}'
  refuses "a card of an unknown mode" 'status.devices[0].mode: Unsupported value' daemon-1 PATCH \
    $API/dcunodes/node-1/status '{"status": {"devices": [{"index": 0, "uuid": "DCU-1", "model": "Z100L",
      "pciDeviceID": "55b7", "pciBusID": "0000:33:00.0", "computeUnits": 60, "memory": "32768Mi",
      "mode": "both", "healthy": true}]}}'
}

# ---- what else roles and policies let ----

who_may_do_more() {
  takes "--advertise on the daemon's own node" daemon-1 PATCH /api/v1/nodes/node-1/status \
    '{"status": {"capacity": {"hygon.com/dcunum": "4"}}}'
  refuses "--advertise on another's node" "status of its own node only; its token's node is 'node-2'" \
    daemon-2 PATCH /api/v1/nodes/node-1/status '{"status": {"capacity": {"hygon.com/dcunum": "4"}}}'
  takes "--hami on the daemon's own node" daemon-1 PATCH /api/v1/nodes/node-1 \
    '{"metadata": {"annotations": {"hami.io/node-dcu-register": "x"}}}'
  refuses "--hami on another's node" "vdcu-node may change its own node only; its token's node is 'node-2'" \
    daemon-2 PATCH /api/v1/nodes/node-1 '{"metadata": {"annotations": {"hami.io/node-dcu-register": "x"}}}'
  refuses "a daemon writes another annotation" 'only the annotations hami.io/node-' \
    daemon-1 PATCH /api/v1/nodes/node-1 '{"metadata": {"annotations": {"example.com/x": "x"}}}'
  refuses "a daemon labels its node" 'only the annotations hami.io/node-' \
    daemon-1 PATCH /api/v1/nodes/node-1 '{"metadata": {"labels": {"x": "x"}}}'
  refuses "a daemon cordons its node" 'only the annotations hami.io/node-' \
    daemon-1 PATCH /api/v1/nodes/node-1 '{"spec": {"unschedulable": true}}'
  takes "the controller's lease" controller POST \
    /apis/coordination.k8s.io/v1/namespaces/vdcu-system/leases \
    '{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {name: vdcu-controller}}'
  refuses "a lease elsewhere" 'cannot create resource' controller POST \
    /apis/coordination.k8s.io/v1/namespaces/team-a/leases \
    '{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {name: vdcu-controller}}'
  given "a pod" admin POST /api/v1/namespaces/team-a/pods \
    '{apiVersion: v1, kind: Pod, metadata: {name: evicted}, spec: {containers: [{name: main, image: i}]}}'
  takes "the controller evicts a pod" controller POST /api/v1/namespaces/team-a/pods/evicted/eviction \
    '{apiVersion: policy/v1, kind: Eviction, metadata: {name: evicted}}'
  refuses "the controller deletes one, whatever its budget" 'cannot delete resource' controller DELETE \
    /api/v1/namespaces/team-a/pods/evicted
  takes "the controller lists quotas" controller GET /api/v1/resourcequotas
  takes "the controller lists namespaces" controller GET /api/v1/namespaces
  refuses "the controller reads secrets" 'cannot list resource' controller GET /api/v1/secrets
  refuses "a daemon reads nodes' leases" 'cannot list resource' daemon-1 GET \
    /apis/coordination.k8s.io/v1/leases
  takes "a viewer lists partitions" viewer GET "$PARTITIONS"
  refuses "a viewer creates a partition" 'cannot create resource' viewer POST "$PARTITIONS" \
    "$(partition x '{}')"
}

# docs/decisions/0001: all pods, as RBAC cannot tell a node's from others, and nothing else.
what_a_daemon_may_read() {
  local what
  for what in /api/v1/pods /api/v1/pods?fieldSelector=spec.nodeName=node-1 /api/v1/namespaces/team-a/pods \
    "$PARTITIONS" $API/dcunodes; do
    takes "a daemon reads $what" daemon-1 GET "$what"
  done
  for what in /api/v1/secrets /api/v1/configmaps /api/v1/namespaces/team-a/secrets /api/v1/namespaces \
    /api/v1/events /api/v1/serviceaccounts /api/v1/persistentvolumes; do
    refuses "a daemon reads $what" 'cannot list resource' daemon-1 GET "$what"
  done
  refuses "a daemon reads a log" 'cannot get resource' daemon-1 GET /api/v1/namespaces/team-a/pods/p/log
  refuses "a daemon deletes a pod" 'cannot delete resource' daemon-1 DELETE /api/v1/namespaces/team-a/pods/p
  refuses "a daemon writes a pod" 'cannot patch resource' daemon-1 PATCH /api/v1/namespaces/team-a/pods/p \
    '{"metadata": {"labels": {"a": "b"}}}'
  refuses "a daemon evicts a pod" 'cannot create resource' daemon-1 POST \
    /api/v1/namespaces/team-a/pods/p/eviction '{apiVersion: policy/v1, kind: Eviction, metadata: {name: p}}'
}

# ---- what kubectl shows ----

# shows SENTENCE TEXT KUBECTL-ARGUMENT...; blanks count as one
shows() {
  local sentence=$1 want=$2 answer ok=no
  shift 2
  answer=$("$CLUSTER/kubectl" get -n team-a "$@" 2>&1 | tr -s ' ')
  [[ $answer != *"$want"* ]] || ok=yes
  row $ok "$sentence" "$answer"$'\n'"wanted: $want"
}

# Prepared stands first and Assigned before Ready, as REASON must not depend on their order.
make_statuses() {
  given "why nothing is assigned" controller PATCH "$PARTITIONS/reserved/status" \
    "{\"status\": {\"usedBy\": {\"name\": \"holder\", \"uid\": \"u\", \"container\": \"c\"},
      \"conditions\": [$(condition Assigned False NoCapacity)]}}"
  given "a slice that is ready" daemon-1 PATCH "$PARTITIONS/slice/status" \
    "{\"status\": {\"vdevFile\": null, \"conditions\": [$(condition Prepared True Written),
      $(condition Assigned True Old), $(condition Ready True InUse)]}}"
  given "the cards of a node" daemon-1 PATCH $API/dcunodes/node-1/status \
    "{\"status\": {\"deviceCount\": 8, \"models\": \"K100_AI\", \"vdcus\": \"3/32\",
      \"healthy\": \"8/8\", \"conditions\": [$(condition Ready True Published)]}}"
}

what_kubectl_shows() {
  local answer ok=yes
  answer=$("$CLUSTER/kubectl" apply -n default --dry-run=server -f config/samples 2>&1) || ok=no
  row $ok "takes config/samples" "$answer"
  make_statuses
  shows "the columns" 'NAME NODE DEVICE CUS MEMORY POD READY REASON AGE' vdcu
  shows "the wide columns" 'AGE MASKS PIPE VDEV' vdcu -o wide
  shows "a slice" 'slice node-1 DCU-1 9 2000Mi p True InUse' vdcu
  shows "its masks, pipe and vdev" '["0x00000000000001ff","0x0000000000000000"] 0 4' vdcu -o wide
  shows "why nothing is assigned, and the holder" 'reserved holder NoCapacity' vdcu
  shows "the partitions of a node" 'slice' vdcu -o name --field-selector spec.assignment.node=node-1
  shows "none of another node" 'No resources found' vdcu --field-selector spec.assignment.node=node-2
  shows "partitions among all" 'vdcupartition.vdcu.io/slice' all -o name
  shows "cards" 'NAME CARDS MODEL VDCUS HEALTHY READY AGE' dcn
  shows "a node's cards" 'node-1 8 K100_AI 3/32 8/8 True' dcunodes
}

main() {
  [[ -e $CLUSTER/kubectl ]] || tests/cluster/cluster up "$CLUSTER"
  install >"$WORK/install.log" 2>&1 || { cat "$WORK/install.log" >&2; exit 1; }
  make_users >"$WORK/users.log" 2>&1 || { cat "$WORK/users.log" >&2; exit 1; }
  wait_for_policies
  make_objects
  what_is_asked
  what_may_change
  what_is_assigned
  who_may_write_partitions
  who_may_write_nodes
  what_a_node_may_say
  who_may_write_events
  who_may_write_leases
  who_may_say_for_which_partition
  how_long_lists_may_be
  who_may_do_more
  what_a_daemon_may_read
  what_kubectl_shows
  echo "$PASSED passed, $FAILED failed"
  ((FAILED == 0))
}

main
