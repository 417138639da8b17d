#!/usr/bin/env bash
# Smoke test of simulated machines: two side by side in one cluster, with a pod that outlives
# restarts of kubelet and containerd, a reboot, a crash, and no leftovers. Exit code 77: not root.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PROJECT=$(cd "$HERE/../.." && pwd)
HOSTS=${VDCU_SIMULATED_HOST:-$PROJECT/build/bin/vdcu-simulated-host}
readonly HERE PROJECT HOSTS
[[ ${VDCU_GUARDED_BY:-} == "$PPID" ]] || exec "$HERE/../cluster/guarded" "$0" "$@"
readonly WORK=$VDCU_TEST_FOLDER
readonly CLUSTER="$WORK/c c" A="$WORK/a a" B="$WORK/b"
# A number of seconds that no other test has.
readonly SLEEP="100000.$$$RANDOM"
CGROUPS=()

# shellcheck source=../cluster/checks.sh
source "$HERE/../cluster/checks.sh"

cluster() { "$HERE/../cluster/cluster" "$@"; }
machine() { "$HERE/machine" "$@"; }
kubectl() { "$CLUSTER/kubectl" "$@"; }

# eventually SECONDS COMMAND...
eventually() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < deadline)) || return 1
    sleep 0.1
  done
}

# ---- what must not be left ----

# The brackets keep grep from finding itself.
processes() { grep -ls -- "[v]dcu-test-${WORK##*-}/[ab]" /proc/[0-9]*/cmdline; }
no_process() { ! processes; }
no_mount() { ! grep -F -- "${WORK##*/}" /proc/mounts; }
no_cgroup() {
  local name
  for name in "${CGROUPS[@]}"; do
    [[ -z $(find /sys/fs/cgroup -type d -name "${name#/}" -print) ]] || return 1
  done
}
remember_cgroup() { CGROUPS+=("$(cat "$1/cgroup")"); }
cgroup_is_used() { find /sys/fs/cgroup -path "*$(cat "$1/cgroup")/kubepods*" -name 'pod*' | grep .; }

kernel_settings() {
  cat /proc/sys/{vm/{overcommit_memory,panic_on_oom},kernel/{panic,panic_on_oops}} \
    /proc/sys/kernel/keys/root_max{keys,bytes} /proc/sys/kernel/random/boot_id
}

# ---- pods ----

create_pod() {
  kubectl apply -f - <<EOF
apiVersion: v1
kind: Pod
metadata: {name: p, namespace: default}
spec:
  nodeName: node-a
  hostNetwork: true
  terminationGracePeriodSeconds: 0
  containers:
  - name: c
    image: localhost/busybox:1
    imagePullPolicy: Never
    command: [sh, -c, "echo hello; exec sleep $SLEEP"]
    volumeMounts:
    - {name: zero, mountPath: /dev/zero-of-card}
  volumes:
  - {name: zero, hostPath: {path: /dev/dri/card1, type: CharDevice}}
EOF
}

pod() { kubectl get pod p -o jsonpath="{$1}"; }
container() { pod '.status.containerStatuses[0].containerID'; }
restarts() { pod '.status.containerStatuses[0].restartCount'; }
pod_runs() { kubectl wait pod/p --for=condition=Ready --timeout=180s; }
restarted_once() { [[ $(restarts) == 1 ]]; }

# The pod's sleep, as it is seen outside: its argument tells it from those of other tests.
sleeper() { grep -lszx -- "${SLEEP/./[.]}" /proc/[0-9]*/cmdline; }

# ---- the tests ----

up_a() {
  printf 'topologyManagerPolicy: best-effort\nmaxPods: 77\n' >"$WORK/fragment.yaml"
  machine up "$A" --cluster "$CLUSTER" --name node-a --host "$WORK/host" \
    --kubelet-config "$WORK/fragment.yaml" --mount "$WORK/given"
}
up_b() { machine up "$B" --cluster "$CLUSTER" --name node-b; }

# The pipe is read to its end: a process left behind that held any end of it would hang this.
up_both() {
  local first
  up_a 2>&1 7>&1 | cat &
  first=$!
  up_b 2>&1 | cat && wait "$first"
}

test_usage() {
  check "no arguments: exit code 2" exits_with 2 machine
  check "an unknown command: exit code 2" exits_with 2 machine fly "$A"
  check "up without a cluster: exit code 2" exits_with 2 machine up "$A" --name n
  check "an option without its value: exit code 2" exits_with 2 machine up "$A" --cluster c --name
  check "a cluster that is none" fails_with "holds no cluster" \
    machine up "$A" --cluster "$WORK" --name n
  check "down where no machine is" fails_with "holds no machine" machine down "$A"
  check "without root, one sentence" fails_with "this needs root" \
    setpriv --reuid=65534 --regid=65534 --clear-groups "$HERE/machine" up "$A"
}

test_side_by_side() {
  mkdir "$WORK/given"
  echo given >"$WORK/given/file"
  check "a simulated host with real devices" \
    "$HOSTS" create "$WORK/host" --cards 2 --devices real
  check "a cluster" cluster up "$CLUSTER" --with kube-controller-manager
  check "two machines boot at the same time" up_both
  remember_cgroup "$A"
  remember_cgroup "$B"
  check "a second up in the same folder is refused" fails_with already up_a
  check "both nodes are Ready" kubectl wait node/node-a node/node-b --for=condition=Ready --timeout=60s
  check "without a taint" prints_no key kubectl get nodes -o 'jsonpath={.items[*].spec.taints}'
  check "the given kubelet configuration counts" prints 77 \
    kubectl get node node-a -o 'jsonpath={.status.capacity.pods}'
  check "all of it" prints '"topologyManagerPolicy":"best-effort"' \
    kubectl get --raw /api/v1/nodes/node-a/proxy/configz
  check "the other has its own" prints 250 \
    kubectl get node node-b -o 'jsonpath={.status.capacity.pods}'
}

test_exec() {
  check "a command inside, and its exit code" exits_with 7 machine exec "$A" sh -c 'exit 7'
  check "inside, the given folder is seen" prints given machine exec "$A" cat "$WORK/given/file"
  check "read-only" exits_with 1 machine exec "$A" touch "$WORK/given/other"
  check "confined: no capability, none to be had" prints $'0000000000000000\n0000000000000000\n1' \
    machine exec "$A" --confined \
    sed -nE 's/^(CapPrm|CapBnd|NoNewPrivs):\t//p' /proc/self/status
  check "confined: in a PID namespace of its own" prints 1 \
    machine exec "$A" --confined sh -c 'echo $$'
  check "confined: exit code" exits_with 7 machine exec "$A" --confined sh -c 'exit 7'
  check "a signal reaches the command" signalled TERM ""
  check "and the confined one" signalled TERM --confined
  check "SIGKILL takes the command along" signalled KILL ""
  check "and the confined one" signalled KILL --confined
}

# The command says when it is there and when SIGTERM came; after either signal it is gone.
signalled() {
  local signal=$1 out="$WORK/signalled" child
  # shellcheck disable=SC2016
  local command='trap "echo came; exit 3" TERM; echo there; while :; do sleep 0.05; done'
  rm -f "$out"
  "$HERE/machine" exec "$A" ${2:+"$2"} bash -c "$command" "$WORK/command" >"$out" &
  child=$!
  eventually 60 grep -q there "$out" || return 1
  kill "-$signal" "$child"
  wait "$child" || true
  [[ $signal == KILL ]] || grep -q came "$out" || return 1
  eventually 60 no_command
}
no_command() { ! grep -lszx -- "$WORK/comman[d]" /proc/[0-9]*/cmdline; }

test_host() {
  check "a card is a device inside" machine exec "$A" test -c /dev/dri/card2 -a -c /dev/kfd
  check "a card vanishes" "$HOSTS" vanish "$WORK/host" 0
  check "inside, too" exits_with 1 machine exec "$A" test -e /dev/dri/card2
  check "what is written to /host/etc/vdev" machine exec "$A" --confined \
    sh -c 'echo slice >/host/etc/vdev/vdev0.conf'
  check "is in /etc/vdev" prints slice machine exec "$A" cat /etc/vdev/vdev0.conf
  check "and in the host's folder" prints slice cat "$WORK/host/etc/vdev/vdev0.conf"
  check "/host has the kubelet's folder" \
    machine exec "$A" test -S /host/var/lib/kubelet/device-plugins/kubelet.sock
  check "the other machine has its own" machine exec "$B" test ! -e /etc/vdev/vdev0.conf
}

test_pod() {
  check "a pod is created" eventually 60 create_pod
  check "it runs" pod_runs
  check "its log" prints hello kubectl logs p
  check "a command in it, reading a card's device" prints 8 kubectl exec p -- \
    sh -c 'head -c 8 /dev/zero-of-card | wc -c'
  check "/machine/sys has the pod's cgroup, as of a host of its own" machine exec "$A" \
    sh -c 'find /machine/sys/fs/cgroup/ -maxdepth 2 -name kubepods | grep .'
  check "and the simulated host's cards" machine exec "$A" test -e /machine/sys/bus/pci/devices
  check "an archive of images is loaded" machine load "$A" "$A/bin/images.tar"
  check "one that is none is not" fails_with 'was not imported' machine load "$A" "$A/node"
  check "its cgroup is the machine's" cgroup_is_used "$A"
}

restart() { machine "$1" "$A" "$2" && machine start "$A" "$2"; }

# same_container COMMAND...: the pod's process and container are the same after it.
same_container() {
  local before after
  before="$(sleeper) $(container)"
  "$@" && pod_runs && after="$(sleeper) $(container)" && echo "$before, $after" &&
    [[ $before == "$after" && $(restarts) == 0 ]]
}

test_restart() {
  check "the pid of the kubelet" prints kubelet readlink "/proc/$(machine pid "$A" kubelet)/exe"
  check "the pod outlives a kubelet that is killed" same_container restart kill kubelet
  check "and one that is stopped" same_container restart stop kubelet
  check "and a containerd that is killed" same_container restart kill containerd
  check "and one that is stopped" same_container restart stop containerd
  check "it has a log still" prints hello kubectl logs p
  check "a kubelet that runs cannot be started" fails_with "runs already" \
    machine start "$A" kubelet
  check "a kubelet that ends at its start is started again" prints "the kubelet ended" \
    start_with_faults
  check "and its node is Ready" kubectl wait node/node-a --for=condition=Ready --timeout=180s
}

# It finds a configuration that it refuses, until its first end has been seen.
start_with_faults() {
  local given="$A/etc/kubernetes/kubelet.d/given.conf" log="$A/logs/kubelet.log" before
  machine kill "$A" kubelet
  before=$(refusals "$log")
  mv "$given" "$given.right"
  echo 'of: no kind' >"$given"
  { eventually 60 refused_again "$log" "$before" && mv "$given.right" "$given"; } &
  machine start "$A" kubelet 2>&1 && wait $!
}
refusals() { grep -c "'Kind' is missing" "$1"; }
refused_again() { (($(refusals "$1") > $2)); }

test_reboot() {
  check "a file in /run" machine exec "$A" sh -c 'echo 1 >/run/mark; echo 1 >/var/lib/mark'
  check "the machine is rebooted" machine reboot "$A"
  check "the file has gone" machine exec "$A" test ! -e /run/mark
  check "one in /var is there" machine exec "$A" test -e /var/lib/mark
  check "the kubelet told of the reboot" eventually 60 prints Rebooted \
    kubectl get events --field-selector involvedObject.name=node-a,reason=Rebooted
  check "the pod's container was started again" eventually 180 restarted_once
  check "it runs" pod_runs
  check "the power is cut" machine cut-power "$A"
  check "nothing runs inside then" fails_with "is off" machine exec "$A" true
  check "nothing of it is left" eventually 60 no_process_of_a
  check "the other machine runs" machine exec "$B" true
  check "it boots again" machine boot "$A"
  check "a machine that is on cannot be booted" fails_with "is on already" machine boot "$A"
}
no_process_of_a() { ! grep -ls -- "[v]dcu-test-${WORK##*-}/a a/" /proc/[0-9]*/cmdline; }

# What stays when the script itself is killed: nobody removes the cgroups.
crash() { kill -KILL "$(cat "$A/pids/machine")"; }

test_down() {
  check "the pod runs" pod_runs
  check "a machine crashes" crash
  check "its processes end" eventually 60 no_process_of_a
  check "it goes down" machine down "$A"
  check "the other goes down" machine down "$B"
  check "no process is left" eventually 60 no_process
  check "no container is left" eventually 60 exits_with 1 sleeper
  check "no mount is left" no_mount
  check "no cgroup is left" no_cgroup
  check "down twice" machine down "$A"
  check "this system's settings are as before" test "$BEFORE" == "$(kernel_settings)"
  check "the cluster goes down" cluster down "$CLUSTER"
}

if ((EUID != 0)); then
  echo "machines need root: skipped"
  exit 77
fi
"$HERE/build" >/dev/null
BEFORE=$(kernel_settings)
test_usage
test_side_by_side
((FAILED == 0)) || sum_up  # what follows would wait for machines that are not there
test_exec
test_host
test_pod
test_restart
test_reboot
test_down
sum_up
