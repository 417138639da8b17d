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
readonly API=/apis/vdcu.io/v1alpha1
readonly PARTITIONS=$API/namespaces/team-a/vdcupartitions
readonly SLICE_A='{"node": "node-1", "device": "DCU-1", "pciBusID": "0000:33:00.0", "computeUnits": 9,
  "cuMasks": ["0x00000000000001ff", "0x0000000000000000"], "memory": "2000Mi", "pipe": 0, "vdev": 4}'
# shellcheck source=tests/integration/request_table.sh
source tests/integration/request_table.sh

# partition NAME SPEC [MORE-METADATA]
partition() {
  echo "{apiVersion: vdcu.io/v1alpha1, kind: VDCUPartition, metadata: {name: $1${3:+, $3}}, spec: $2}"
}

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

make_objects() {
  given "a partition that a user reserved" jane POST "$PARTITIONS" "$(partition reserved '{cores: 15,
    memory: 2000Mi, devices: {models: [Z100L]}, nodeSelector: {pool: dcu}, policy: Spread,
    share: namespace}')"
  given "one of which nothing is asked" jane POST "$PARTITIONS" "$(partition plain '{}')"
  given "a slice of a pod" controller POST "$PARTITIONS" "$(partition slice \
    "{computeUnits: 9, podRef: {name: p, uid: u, container: c}, assignment: $SLICE_A}" \
    'finalizers: [vdcu.io/in-use, example.com/other], ownerReferences: [{apiVersion: v1, kind: Pod,
      name: p, uid: 7a2c1f5e-5a54-4b0e-8d1e-0a4f3a4f8f00}]')"
  given "the cards of node-1" daemon-1 POST $API/dcunodes \
    '{apiVersion: vdcu.io/v1alpha1, kind: DCUNode, metadata: {name: node-1}}'
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

# ---- who may write what ----

who_may_write_partitions() {
  local only='only vdcu-controller' own='vdcu-node may change only the finalizer vdcu.io/in-use'
  local in_use='metadata.finalizers: only vdcu-controller, and vdcu-node of the assigned node'
  local mine='{"metadata": {"finalizers": ["example.com/other"]}}'
  local all='{"metadata": {"finalizers": []}}'
  local user
  for user in jane admin; do
    refuses "$user assigns a new partition" "spec.assignment: $only sets or removes it" $user POST \
      "$PARTITIONS" "$(partition x "{assignment: $SLICE_A}")"
    refuses "$user assigns a partition" "spec.assignment: $only" $user PATCH "$PARTITIONS/reserved" \
      "{\"spec\": {\"assignment\": $SLICE_A}}"
    refuses "$user removes an assignment" "spec.assignment: $only" $user PATCH "$PARTITIONS/slice" \
      '{"spec": {"assignment": null}}'
    refuses "$user makes a partition for a pod" "spec.podRef: $only sets it" $user POST "$PARTITIONS" \
      "$(partition x '{podRef: {name: p, uid: u, container: c}}')"
    refuses "$user makes a partition with our finalizer" "$in_use" $user POST "$PARTITIONS" \
      "$(partition x '{}' 'finalizers: [vdcu.io/in-use]')"
    refuses "$user removes our finalizer" "$in_use" $user PATCH "$PARTITIONS/slice" "$mine"
    refuses "$user adds our finalizer" "$in_use" $user PATCH "$PARTITIONS/reserved" \
      '{"metadata": {"finalizers": ["vdcu.io/in-use"]}}'
    refuses "$user removes owners" "metadata.ownerReferences: $only changes them" $user PATCH \
      "$PARTITIONS/slice" '{"metadata": {"ownerReferences": null}}'
    refuses "$user writes a status" 'status: only vdcu-controller, and vdcu-node of the assigned node' \
      $user PATCH "$PARTITIONS/slice/status" '{"status": {"vdevFile": "/x"}}'
    takes "$user labels a partition" $user PATCH "$PARTITIONS/slice" '{"metadata": {"labels": {"a": "b"}}}'
    takes "$user removes another's finalizer" $user PATCH "$PARTITIONS/slice" \
      '{"metadata": {"finalizers": ["vdcu.io/in-use"]}}'
    takes "$user deletes a partition" $user DELETE "$PARTITIONS/slice"
    takes "$user deletes all partitions" $user DELETE "$PARTITIONS"
  done
  takes "a user makes a partition with an owner" jane POST "$PARTITIONS" "$(partition x '{}' \
    'ownerReferences: [{apiVersion: v1, kind: ConfigMap, name: c, uid: 7a2c1f5e-5a54-4b0e-8d1e-0a4f3a4f8f00}]')"
  takes "the garbage collector orphans" collector PATCH "$PARTITIONS/slice" \
    '{"metadata": {"ownerReferences": null}}'
  refuses "the garbage collector removes our finalizer" "$in_use" collector PATCH "$PARTITIONS/slice" "$mine"

  takes "the controller removes the finalizer" controller PATCH "$PARTITIONS/slice" "$mine"
  takes "the controller writes a status" controller PATCH "$PARTITIONS/reserved/status" \
    '{"status": {"vdevFile": null, "usedBy": null}}'
  takes "the controller deletes" controller DELETE "$PARTITIONS/slice"

  takes "a daemon removes our finalizer on its node" daemon-1 PATCH "$PARTITIONS/slice" "$mine"
  refuses "a daemon removes another's finalizer" "$own" daemon-1 PATCH "$PARTITIONS/slice" "$all"
  for user in daemon-2 daemon-of-no-node; do
    refuses "$user removes the finalizer of node-1's" "$in_use" $user PATCH "$PARTITIONS/slice" "$mine"
    refuses "$user writes the status of node-1's" \
      "vdcu-node of the assigned node 'node-1', write it" $user PATCH "$PARTITIONS/slice/status" \
      '{"status": {"vdevFile": "/x"}}'
    refuses "$user writes the status of nobody's" "vdcu-node of the assigned node" $user PATCH \
      "$PARTITIONS/reserved/status" '{"status": {"vdevFile": "/x"}}'
  done
  takes "a daemon writes the status of its node's" daemon-1 PATCH "$PARTITIONS/slice/status" \
    '{"status": {"vdevFile": "/etc/vdev/vdev4.conf", "usedBy": null, "conditions": []}}'
  refuses "a daemon labels" "$own" daemon-1 PATCH "$PARTITIONS/slice" '{"metadata": {"labels": {"a": "b"}}}'
  refuses "a daemon annotates" "$own" daemon-1 PATCH "$PARTITIONS/slice" \
    '{"metadata": {"annotations": {"a": "b"}}}'
  refuses "a daemon removes an assignment" "spec.assignment: $only" daemon-1 PATCH "$PARTITIONS/slice" \
    '{"spec": {"assignment": null}}'
  refuses "a daemon assigns to its node" "spec.assignment: $only" daemon-1 PATCH \
    "$PARTITIONS/reserved" "{\"spec\": {\"assignment\": $SLICE_A}}"
  refuses "a daemon creates" 'cannot create resource' daemon-1 POST "$PARTITIONS" "$(partition x '{}')"
  refuses "a daemon deletes" 'cannot delete resource' daemon-1 DELETE "$PARTITIONS/slice"
}

what_the_controller_may_say() {
  local path=$API/dcunodes/node-1/status only='vdcu-controller may turn the condition Ready to Unknown' more
  given "what the daemon says" daemon-1 PATCH $path "{\"status\": {\"deviceCount\": 8,
    \"conditions\": [$(condition Other True Said), $(condition Ready True Published)]}}"
  takes "the controller says that a daemon is silent" controller PATCH $path "{\"status\":
    {\"conditions\": [$(condition Other True Said), $(condition Ready Unknown DaemonSilent)]}}"
  refuses "the controller says that a daemon is ready" "$only" controller PATCH $path "{\"status\":
    {\"conditions\": [$(condition Other True Said), $(condition Ready True Published)]}}"
  refuses "the controller says more" "$only" controller PATCH $path "{\"status\": {\"vdcus\": \"0/32\",
    \"conditions\": [$(condition Other True Said), $(condition Ready Unknown DaemonSilent)]}}"
  for more in '"deviceCount": 7, ' '"deviceCount": null, '; do
    refuses "the controller changes $more" "$only" controller PATCH $path "{\"status\": {$more\"conditions\":
      [$(condition Other True Said), $(condition Ready Unknown DaemonSilent)]}}"
  done
  refuses "the controller changes another condition" "$only" controller PATCH $path "{\"status\":
    {\"conditions\": [$(condition Other False Said), $(condition Ready Unknown DaemonSilent)]}}"
  refuses "jane says that a daemon is silent" "$only" jane PATCH $path "{\"status\":
    {\"conditions\": [$(condition Other True Said), $(condition Ready Unknown DaemonSilent)]}}"
  refuses "the controller creates a DCUNode" 'cannot create resource' controller POST $API/dcunodes \
    '{apiVersion: vdcu.io/v1alpha1, kind: DCUNode, metadata: {name: node-3}}'
  refuses "the controller cordons a card" 'cannot patch resource' controller PATCH \
    $API/dcunodes/node-1 '{"spec": {"unschedulableDevices": ["DCU-1"]}}'
}

who_may_write_nodes() {
  local node='{apiVersion: vdcu.io/v1alpha1, kind: DCUNode, metadata: {name: node-2}'
  takes "a daemon creates its DCUNode" daemon-2 POST $API/dcunodes "$node}"
  takes "an administrator creates a DCUNode" admin POST $API/dcunodes "$node, spec: {memoryReserve: 1Gi}}"
  refuses "a daemon creates another's" "its token's node is 'node-1', this is 'node-2'" daemon-1 POST \
    $API/dcunodes "$node}"
  refuses "a daemon without a node creates" "its token's node is ''" daemon-of-no-node POST \
    $API/dcunodes "$node}"
  refuses "a daemon creates a spec" 'spec: only administrators write it' daemon-2 POST $API/dcunodes \
    "$node, spec: {}}"
  takes "a daemon writes its status" daemon-1 PATCH $API/dcunodes/node-1/status \
    '{"status": {"driverVersion": "6.3.8"}}'
  refuses "a daemon writes another's status" 'vdcu-node may write only the DCUNode named as its node' \
    daemon-2 PATCH $API/dcunodes/node-1/status '{"status": {"driverVersion": "6.3.8"}}'
  for user in jane admin; do
    refuses "$user writes a DCUNode's status" 'status: only vdcu-node of this node writes it' $user \
      PATCH $API/dcunodes/node-1/status '{"status": {"driverVersion": "6.3.8"}}'
  done
  what_the_controller_may_say
  takes "an administrator cordons a card" admin PATCH $API/dcunodes/node-1 \
    '{"spec": {"unschedulableDevices": ["DCU-1"], "memoryReserve": "512Mi"}}'
  takes "an administrator keeps namespaces apart" admin PATCH $API/dcunodes/node-1 \
    '{"spec": {"shareCards": "namespace"}}'
  refuses "an unknown sharing" 'spec.shareCards: Unsupported value' admin PATCH $API/dcunodes/node-1 \
    '{"spec": {"shareCards": "pod"}}'
  takes "no reserve" admin PATCH $API/dcunodes/node-1 '{"spec": {"memoryReserve": "0Mi"}}'
  refuses "a reserve without a unit" 'write a unit, for example 512Mi' admin PATCH \
    $API/dcunodes/node-1 '{"spec": {"memoryReserve": 512}}'
  refuses "a reserve of half a MiB" 'must be whole MiB from 0Mi to 1Ti' admin PATCH \
    $API/dcunodes/node-1 '{"spec": {"memoryReserve": "512Ki"}}'
  refuses "a daemon cordons" 'cannot patch resource' daemon-1 PATCH $API/dcunodes/node-1 \
    '{"spec": {"unschedulableDevices": []}}'
  refuses "a card of an unknown mode" 'status.devices[0].mode: Unsupported value' daemon-1 PATCH \
    $API/dcunodes/node-1/status '{"status": {"devices": [{"index": 0, "uuid": "DCU-1", "model": "Z100L",
      "pciDeviceID": "55b7", "pciBusID": "0000:33:00.0", "computeUnits": 60, "memory": "32768Mi",
      "mode": "both", "healthy": true}]}}'
}

# event NAME REPORTING-CONTROLLER REPORTING-INSTANCE
event() {
  echo "{apiVersion: events.k8s.io/v1, kind: Event, metadata: {name: $1}, type: Warning, reason: Test,
    action: Testing, note: text, eventTime: '2026-01-01T00:00:00.000000Z', reportingController: $2,
    reportingInstance: $3, regarding: {kind: Pod, name: p, namespace: team-a}}"
}

who_may_write_events() {
  local events=/apis/events.k8s.io/v1/namespaces/team-a/events only='only with reportingController vdcu.io/node'
  local more='{"series": {"count": 2, "lastObservedTime": "2026-01-01T00:00:01.000000Z"}}'
  given "an event of another" admin POST $events "$(event other example.com/other x)"
  given "an event of node-1's daemon" daemon-1 POST $events "$(event mine vdcu.io/node node-1)"
  takes "a daemon's event" daemon-1 POST $events "$(event x vdcu.io/node node-1)"
  takes "a daemon counts its event" daemon-1 PATCH $events/mine "$more"
  takes "an event of anybody else" admin POST $events "$(event x example.com/other other)"
  refuses "a daemon's event as another controller" "$only" daemon-1 POST $events "$(event x vdcu.io/controller node-1)"
  refuses "a daemon's event as another node" "$only" daemon-1 POST $events "$(event x vdcu.io/node node-2)"
  refuses "a daemon without a node writes one" "$only" daemon-of-no-node POST $events "$(event x vdcu.io/node node-1)"
  refuses "a daemon changes another's event" "$only" daemon-1 PATCH $events/other "$more"
  refuses "a daemon takes over another's event" 'field is immutable' daemon-1 PATCH $events/other \
    '{"reportingController": "vdcu.io/node", "reportingInstance": "node-1"}'
  refuses "a daemon changes that of another node's" "$only" daemon-2 PATCH $events/mine "$more"
}

# many COUNT TEXT-WITH-%s: a list of them
# shellcheck disable=SC2059  # a format it is
many() { local i; for ((i = 0; i < $1; ++i)); do printf "$2," "$i"; done; }

how_long_lists_may_be() {
  local owner='{apiVersion: v1, kind: ConfigMap, name: c%s, uid: 7a2c1f5e-5a54-4b0e-8d1e-0a4f3a4f8f00}'
  takes "16 finalizers" jane POST "$PARTITIONS" "$(partition x '{}' "finalizers: [$(many 16 'a.b/%s')]")"
  refuses "17 finalizers" 'metadata.finalizers: 17 items: at most 16' jane POST "$PARTITIONS" \
    "$(partition x '{}' "finalizers: [$(many 17 'a.b/%s')]")"
  refuses "17 finalizers later" 'metadata.finalizers: 17 items' jane PATCH "$PARTITIONS/plain" \
    "{\"metadata\": {\"finalizers\": [$(many 16 '"a.b/%s"')\"a.b/c\"]}}"
  takes "16 owners" jane POST "$PARTITIONS" "$(partition x '{}' "ownerReferences: [$(many 16 "$owner")]")"
  refuses "17 owners" 'metadata.ownerReferences: 17 items: at most 16' jane POST "$PARTITIONS" \
    "$(partition x '{}' "ownerReferences: [$(many 17 "$owner")]")"
}

who_may_do_more() {
  takes "--advertise on the daemon's own node" daemon-1 PATCH /api/v1/nodes/node-1/status \
    '{"status": {"capacity": {"hygon.com/dcunum": "4"}}}'
  refuses "--advertise on another's node" "status of its own node only; its token's node is 'node-2'" \
    daemon-2 PATCH /api/v1/nodes/node-1/status '{"status": {"capacity": {"hygon.com/dcunum": "4"}}}'
  takes "the controller's lease" controller POST \
    /apis/coordination.k8s.io/v1/namespaces/vdcu-system/leases \
    '{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {name: vdcu-controller}}'
  refuses "a lease elsewhere" 'cannot create resource' controller POST \
    /apis/coordination.k8s.io/v1/namespaces/team-a/leases \
    '{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {name: vdcu-controller}}'
  takes "the controller lists quotas" controller GET /api/v1/resourcequotas
  takes "the controller lists namespaces" controller GET /api/v1/namespaces
  local lease='{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {name: node-1}}'
  local leases=/apis/coordination.k8s.io/v1/namespaces
  takes "the lease of the daemon's own node" daemon-1 POST $leases/vdcu-system/leases "$lease"
  refuses "the lease of another's node" "only the Lease named as its node; its token's node is 'node-2'" \
    daemon-2 POST $leases/vdcu-system/leases "$lease"
  refuses "the controller's lease for a daemon" "only the Lease named as its node" daemon-1 POST \
    $leases/vdcu-system/leases "${lease/node-1/vdcu-controller}"
  refuses "the kubelet's lease for a daemon" 'cannot create resource' daemon-1 POST \
    $leases/kube-node-lease/leases "$lease"
  refuses "the kubelets' leases for the controller" 'cannot list resource' controller GET \
    $leases/kube-node-lease/leases
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

condition() {
  printf '{"type": "%s", "status": "%s", "reason": "%s", "message": "",
    "lastTransitionTime": "2026-01-01T00:00:00Z"}' "$@"
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
  who_may_write_events
  how_long_lists_may_be
  who_may_do_more
  what_a_daemon_may_read
  what_kubectl_shows
  echo "$PASSED passed, $FAILED failed"
  ((FAILED == 0))
}

main
