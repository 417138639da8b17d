#!/usr/bin/env bash
# The life of a release with the real images, on a real kubelet and containerd: pods with nothing but
# their limits run on their slices, and go on through upgrade, rollback, dead controllers, uninstall
# and reinstall, in a namespace of another name. Needs root and the binaries in build/; is skipped
# without root.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

((EUID == 0)) || { echo "needs root"; exit 77; }
[[ ${VDCU_GUARDED_BY:-} == "$PPID" ]] || exec tests/cluster/guarded "tests/chart/${0##*/}" "$@"
readonly WORK=$VDCU_TEST_FOLDER CHART=charts/vdcu-operator NS=cards-system
readonly CLUSTER="$WORK/cluster" MACHINE="$WORK/machine" HOST="$WORK/host"
readonly WAIT_SECONDS=180
HELM=$(tests/chart/build)/helm
readonly HELM
# shellcheck source=tests/cluster/checks.sh
source tests/cluster/checks.sh

kubectl() { "$CLUSTER/kubectl" "$@"; }
machine() { tests/machine/machine "$@"; }
# helm COMMAND CHART [ARGUMENT...] of the release
release() {
  HELM_CACHE_HOME=$WORK/helm HELM_CONFIG_HOME=$WORK/helm HELM_DATA_HOME=$WORK/helm \
    KUBECONFIG=$CLUSTER/admin.kubeconfig "$HELM" "$1" vdcu "${@:2}" -n $NS
}
# install or upgrade, CHART
with_values() {
  release "$1" "$2" -f "$WORK/values.yaml" --post-renderer tests/chart/on-machines \
    --post-renderer-args render "${@:3}"
}
of() { kubectl get "$1" -o "jsonpath={$2}"; }

# eventually COMMAND...: what it last said where the wait was in vain
eventually() {
  local deadline=$((SECONDS + WAIT_SECONDS)) output
  until output=$("$@" 2>&1); do
    ((SECONDS < deadline)) || { printf '%s\nnot within %s s: %s\n' "$output" $WAIT_SECONDS "$*"; return 1; }
    sleep 0.2
  done
}

# ---- pods ----

# pod NAME: asks for more than a card has where it is called so; nothing but its limits; how it runs without a network and a registry aside.
pod() {
  local memory=2000
  [[ $1 != too-big ]] || memory=900000
  cat <<YAML
apiVersion: v1
kind: Pod
metadata: {name: $1, namespace: default}
spec:
  hostNetwork: true
  terminationGracePeriodSeconds: 1
  containers:
  - name: main
    image: localhost/busybox:1
    imagePullPolicy: Never
    command: [sh, -c, "cat /etc/vdev/docker/vdev0.conf; exec sleep 1000000"]
    resources: {limits: {hygon.com/dcunum: 1, hygon.com/dcumem: $memory, hygon.com/dcucores: 15}}
---
YAML
}
create() { for name in "$@"; do pod "$name"; done | kubectl create -f - >/dev/null; }
run() { kubectl wait --for=condition=Ready --timeout=${WAIT_SECONDS}s "${@/#/pod/}"; }

partition_of() {
  kubectl get vdcupartitions -n default -o json |
    jq -er --arg pod "$1" '.items[] | select(.spec.podRef.name == $pod) | .metadata.uid'
}
# Its container printed the file of its own partition, of 18 of 120 units and 2000 MiB.
has_its_slice() {
  local file
  file="$HOST/etc/vdev/slices/$(partition_of "$1")/vdev0.conf"
  diff <(kubectl logs "$1") "$file" && grep -qx 'cu_count: 18' "$file" && grep -q '^mem: 2000 MiB' "$file"
}
# What must not change: which containers run, how often they were started, what each was given.
state() {
  kubectl get pods -n default -o json |
    jq -r '.items[] | [.metadata.uid, .spec.nodeName, .status.containerStatuses[0] | .containerID?, .restartCount?] | @csv'
  kubectl get vdcupartitions -n default -o json | jq -c '.items[] | [.metadata.uid, .spec.assignment]'
}
nothing_moved() { diff <(echo "$1") <(state); }
no_unit_twice() {
  local device low high
  local -A lows=() highs=()
  while read -r device low high; do
    (((${lows[$device]:-0} & low) == 0 && (${highs[$device]:-0} & high) == 0)) ||
      { echo "$device: units of $low $high are given twice"; return 1; }
    lows[$device]=$((${lows[$device]:-0} | low))
    highs[$device]=$((${highs[$device]:-0} | high))
  done < <(kubectl get vdcupartitions -A -o json |
    jq -r '.items[].spec.assignment | select(. != null) | [.device, .cuMasks[]] | join(" ")')
  ((${#lows[@]} > 0))
}
no_partition() { [[ -z $(kubectl get vdcupartitions -A -o name) ]]; }

# ---- the operator's own pods ----

rolled_out() {
  kubectl rollout status -n $NS deployment/vdcu-controller --timeout=${WAIT_SECONDS}s &&
    kubectl rollout status -n $NS daemonset/vdcu-node --timeout=${WAIT_SECONDS}s &&
    kubectl wait --for=create dcunode/node-1 --timeout=${WAIT_SECONDS}s &&
    kubectl wait --for=condition=Ready dcunode/node-1 --timeout=${WAIT_SECONDS}s
}
images() { kubectl get pods -n $NS -o json | jq -r '[.items[] | select(.metadata.deletionTimestamp == null) | .spec.containers[0].image] | unique | join(" ")'; }
their_images_are() { [[ $(images) == "localhost/vdcu-operator/vdcu-controller:$1 localhost/vdcu-operator/vdcu-node:$1" ]]; }

no_pod_of_ours() { [[ -z $(kubectl get pods -n $NS -o name) ]]; }
# SIGKILL to each controller in turn, while pods come; a killed one comes back before the next.
kill_controllers() {
  local pod id
  for pod in $(kubectl get pods -n $NS -l app.kubernetes.io/component=controller -o json |
    jq -r '.items[] | select(.metadata.deletionTimestamp == null) | "pod/" + .metadata.name'); do
    id=$(kubectl get -n $NS "$pod" -o 'jsonpath={.status.containerStatuses[0].containerID}')
    machine exec "$MACHINE" "$MACHINE/bin/ctr" --address /run/containerd/containerd.sock -n k8s.io \
      tasks kill --signal SIGKILL "${id#containerd://}"
    eventually restarted "$pod" "$id" || return 1
  done
}
restarted() {
  [[ $(kubectl get -n $NS "$1" -o 'jsonpath={.status.containerStatuses[0].state.running}') &&
    $(kubectl get -n $NS "$1" -o 'jsonpath={.status.containerStatuses[0].containerID}') != "$2" ]]
}

# ---- the story ----

set_up() {
  tests/cluster/cluster up "$CLUSTER" --with kube-controller-manager,kube-scheduler \
    --audit tests/chart/audit.yaml
  build/bin/vdcu-simulated-host create "$HOST" --cards 4 --model K100_AI --devices real
  machine up "$MACHINE" --cluster "$CLUSTER" --name node-1 --host "$HOST"
  tools/images "$WORK/one"
  VERSION=0.2.0 tools/images "$WORK/two"
  machine load "$MACHINE" "$WORK"/one/*.tar "$WORK"/two/*.tar
  tests/chart/on-machines values "$CLUSTER" >"$WORK/values.yaml"
  sed 's/name: vdcu-system/name: cards-system/' config/namespace.yaml | kubectl apply -f -
  kubectl label node node-1 dcu=on
}

install() {
  check "install" with_values install $CHART
  check "its pods run" rolled_out
  create a b
  check "two pods with nothing but their limits run" run a b
  check "each on its slice" has_its_slice a
  check "of its own" has_its_slice b
  check "the daemon has no capability" prints 0000000000000000 status_of vdcu-node CapBnd
  check "the controller is not root" prints 65532 status_of vdcu-controller Uid
}
# status_of NAME FIELD: what the kernel says of that process in the machine
status_of() {
  # shellcheck disable=SC2016  # for the shell inside
  machine exec "$MACHINE" sh -c 'sed -n "s/^$2:\t//p" "/proc/$(pgrep -f "^/usr/bin/$1 " | head -n 1)/status"' _ "$@"
}

# ---- a node without cards ----

daemon_on() { kubectl get pods -n $NS -o json | jq -er --arg node "$1" '.items[] | select(.spec.nodeName == $node) | .metadata.uid'; }
no_daemon_on() { ! daemon_on "$1"; }
# What the kernel counts for its pod.
idles() {
  local folder bytes
  folder=$(find /sys/fs/cgroup -type d -path "*$(cat "$WORK/empty/cgroup")*/pod$(daemon_on node-2)" \
    \( -path '*/memory/*' -o -exec test -e '{}/memory.current' ';' \) -print | head -n 1)
  bytes=$(cat "$folder"/memory.usage_in_bytes 2>/dev/null || cat "$folder"/memory.current)
  echo "$bytes bytes in $folder"
  ((bytes > 0 && bytes < 10 << 20))
}

without_cards() {
  machine up "$WORK/empty" --cluster "$CLUSTER" --name node-2 2>/dev/null
  machine load "$WORK/empty" "$WORK/one/vdcu-node.tar"
  kubectl label node node-2 dcu=on >/dev/null
  check "the daemon of a node without cards says so" kubectl wait --for=create --timeout=${WAIT_SECONDS}s dcunode/node-2
  check "is ready" kubectl wait --for=condition=Ready --timeout=${WAIT_SECONDS}s dcunode/node-2
  check "and idles in under 10 MiB" idles
  kubectl label node node-2 dcu- >/dev/null
  check "it goes with the label" eventually no_daemon_on node-2
  machine down "$WORK/empty"
  kubectl delete node/node-2 dcunode/node-2 >/dev/null
}

# A later version: other images, a field more in the CRD, and probes, for which one controller has a
# port of the node's network.
upgrade() {
  local before
  cp -r $CHART "$WORK/later"
  sed -i 's/^version: .*/version: 0.2.0/; s/^appVersion: .*/appVersion: 0.2.0/' "$WORK/later/Chart.yaml"
  sed -i '0,/^\( *\)computeUnits:$/s//\1later:\n\1  type: string\n&/' "$WORK/later/files/crds/1.31/vdcupartition.yaml"
  before=$(state)
  check "upgrade, with slices in use" with_values upgrade "$WORK/later" --set controller.replicas=1 \
    --set controller.port="$(tests/cluster/free-port)" --set node.port="$(tests/cluster/free-port)"
  check "the pods of the later version are ready, by their probes" rolled_out
  check "all of them" eventually their_images_are 0.2.0
  check "the CRD has the later field" prints string of crd/vdcupartitions.vdcu.io \
    '.spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.later.type'
  check "nothing moved" nothing_moved "$before"
  create c
  check "the next pod runs" run c
  check "on its slice" has_its_slice c
  before=$(state)
  check "rollback" release rollback 1
  check "the pods of the version before are ready" rolled_out
  check "all of them" eventually their_images_are 0.1.0
  check "nothing moved" nothing_moved "$before"
}

burst() {
  local names=(d e f g h i)
  create "${names[@]:0:3}"
  check "both controllers are killed in turn while pods come" kill_controllers
  create "${names[@]:3}"
  check "all pods run" run "${names[@]}"
  check "and no units were given twice" no_unit_twice
}

# ---- what each role lists is what the code uses ----

# listed WHO, used WHO: "VERB RESOURCE" a line
listed() {
  { kubectl get clusterrole "vdcu-$1" -o json; kubectl get role -n $NS "vdcu-$1" -o json; } |
    jq -r '.rules[] | .resources[] as $resource | .verbs[] | "\(.) \($resource)"' | sort -u
}
asked() {
  jq -r --arg user "system:serviceaccount:$NS:vdcu-$1" --argjson from "$2" --argjson to "$3" \
    'select(.user.username == $user and .objectRef.resource and .responseStatus.code >= $from and .responseStatus.code < $to)
      | .verb + " " + .objectRef.resource + (if .objectRef.subresource then "/" + .objectRef.subresource else "" end)' \
    "$CLUSTER/logs/audit.log" | sort -u
}
# The rest: what this story need not make necessary.
uses_all_but() { ! comm -23 <(comm -23 <(listed "$1") <(asked "$1" 200 400)) <(printf '%s\n' "${@:2}" | sort) | grep .; }
none_refused() { ! asked "$1" 403 404 | grep .; }

authority() {
  create too-big
  kubectl create -n default -f - >/dev/null <<'YAML'
apiVersion: vdcu.io/v1alpha1
kind: VDCUPartition
metadata: {name: reserved}
spec: {computeUnits: 30, memory: 16000Mi}
---
apiVersion: vdcu.io/v1alpha1
kind: VDCUPartition
metadata: {name: too-big}
spec: {memory: 900000Mi}
YAML
  check "a reserved partition is ready" kubectl wait -n default --for=condition=Ready --timeout=${WAIT_SECONDS}s vdcupartition/reserved
  check "one that is too big says so" kubectl wait -n default --for=condition=Assigned=False --timeout=${WAIT_SECONDS}s vdcupartition/too-big
  check "and so does a pod" kubectl wait --for=condition=PodScheduled=False --timeout=${WAIT_SECONDS}s pod/too-big
  kubectl delete pod c >/dev/null
  check "a pod that ends gives its slice back" eventually slice_is_gone c
  # A daemon that is silent, a series of events, and evictions are in other tests.
  check "the controller uses what its role lists" uses_all_but controller "patch dcunodes/status" "patch events" \
    "create pods/eviction"
  # What is not certain about a partition or a pod, a series of events, and a node without a kubelet.
  check "the daemon uses what its role lists" uses_all_but node "get vdcupartitions" "get pods" "patch events" \
    "get leases" "create leases" "patch leases"
  check "the controller asks for nothing else" none_refused controller
  check "nor does the daemon" none_refused node
  kubectl delete -n default pod/too-big vdcupartition/too-big vdcupartition/reserved >/dev/null
}

uninstall() {
  local before
  before=$(state)
  check "uninstall, with slices in use" release uninstall
  check "our pods end" eventually no_pod_of_ours
  check "nothing moved" nothing_moved "$before"
  kubectl delete pod a --wait=true >/dev/null
  check "a pod ends" fails_with NotFound kubectl get pod a
  check "its slice stays, as nobody says that it is free" prints vdcu.io/in-use finalizers_of a
  before=$(state)
  check "install again" with_values install $CHART
  check "its pods run" rolled_out
  check "the slice of the pod that ended is free" eventually slice_is_gone a
  check "the others did not move" nothing_moved "$(grep -v "$A_UID" <<<"$before")"
  create j
  check "the next pod runs" run j
  check "on its slice" has_its_slice j
  kubectl delete pods -n default --all >/dev/null
  check "all is free at the end" eventually no_partition
}
finalizers_of() { kubectl get vdcupartitions -n default -o json | jq -r --arg pod "$1" '.items[] | select(.spec.podRef.name == $pod) | .metadata.finalizers[]'; }
slice_is_gone() { ! partition_of "$1" >/dev/null; }

main() {
  set_up >"$WORK/set-up.log" 2>&1 || { cat "$WORK/set-up.log"; exit 1; }
  install
  A_UID=$(partition_of a)
  readonly A_UID
  without_cards
  upgrade
  burst
  authority
  uninstall
  sum_up
}

main
