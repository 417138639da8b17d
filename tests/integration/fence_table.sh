# Who may write what, as a table of requests (request_table.sh): what the policies of config/policy and
# the webhook in their place say alike. Sourced by tests with the users admin, controller, jane (whom
# RBAC lets do everything), collector, daemon-1 and daemon-2 (of node-1 and node-2) and
# daemon-of-no-node.
# shellcheck shell=bash
readonly API=/apis/vdcu.io/v1alpha1
readonly PARTITIONS=$API/namespaces/team-a/vdcupartitions
readonly SLICE_A='{"node": "node-1", "device": "DCU-1", "pciBusID": "0000:33:00.0", "computeUnits": 9,
  "cuMasks": ["0x00000000000001ff", "0x0000000000000000"], "memory": "2000Mi", "pipe": 0, "vdev": 4}'

# partition NAME SPEC [MORE-METADATA]
partition() {
  echo "{apiVersion: vdcu.io/v1alpha1, kind: VDCUPartition, metadata: {name: $1${3:+, $3}}, spec: $2}"
}

# ---- what is there ----

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

condition() {
  printf '{"type": "%s", "status": "%s", "reason": "%s", "message": "said",
    "lastTransitionTime": "2026-01-01T00:00:00Z"}' "$@"
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
  refuses "a daemon cordons" 'cannot patch resource' daemon-1 PATCH $API/dcunodes/node-1 \
    '{"spec": {"unschedulableDevices": []}}'
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

who_may_write_leases() {
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
}

who_may_say_for_which_partition() {
  local pods=/api/v1/namespaces/team-a/pods only='only vdcu-controller sets vdcu.io/bound-partition'
  local for_one='metadata: {name: bound, annotations: {vdcu.io/bound-partition: reserved/u}}'
  local target='target: {kind: Node, name: node-1}'
  given "a pod" admin POST $pods '{apiVersion: v1, kind: Pod, metadata: {name: bound}, spec: {containers: [
    {name: main, image: i}]}}'
  takes "anybody who may binds a pod" admin POST $pods/bound/binding \
    "{apiVersion: v1, kind: Binding, metadata: {name: bound}, $target}"
  refuses "and says for which partition" "$only" admin POST $pods/bound/binding \
    "{apiVersion: v1, kind: Binding, $for_one, $target}"
  refuses "or says it of a pod" "$only" admin PATCH $pods/bound \
    '{"metadata": {"annotations": {"vdcu.io/bound-partition": "reserved/u"}}}'
  given "the controller does" controller POST $pods/bound/binding \
    "{apiVersion: v1, kind: Binding, $for_one, $target}"
  takes "such a pod is labelled" admin PATCH $pods/bound '{"metadata": {"labels": {"a": "b"}}}'
  refuses "nobody says another" "$only" admin PATCH $pods/bound \
    '{"metadata": {"annotations": {"vdcu.io/bound-partition": "plain/u"}}}'
  refuses "or takes it away, with its status" "$only" admin PATCH $pods/bound/status \
    '{"metadata": {"annotations": {"vdcu.io/bound-partition": null}}}'
}
