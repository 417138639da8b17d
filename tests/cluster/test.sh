#!/usr/bin/env bash
# Smoke test of the test control plane: two side by side, credentials, restarts, no leftovers.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly HERE
[[ ${VDCU_GUARDED_BY:-} == "$PPID" ]] || exec "$HERE/guarded" "$0" "$@"
readonly WORK=$VDCU_TEST_FOLDER A="$VDCU_TEST_FOLDER/a" B="$VDCU_TEST_FOLDER/b b"

# shellcheck source=checks.sh
source "$HERE/checks.sh"

cluster() { "$HERE/cluster" "$@"; }

# eventually SECONDS COMMAND...
eventually() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < deadline)) || return 1
    sleep 0.1
  done
}

# The brackets keep grep from finding itself.
processes() { grep -ls -- "[v]dcu-test-${WORK##*-}/" /proc/[0-9]*/cmdline; }
running() { local count; count=$(processes | wc -l) || true; echo "$count"; ((count == $1)); }

create_pod() {
  "$1/kubectl" apply -f - <<'EOF'
apiVersion: v1
kind: Pod
metadata: {name: p, namespace: default}
spec: {containers: [{name: c, image: none}]}
EOF
}

create_owned_by_nobody() {
  "$1/kubectl" apply -f - <<'EOF'
apiVersion: v1
kind: ConfigMap
metadata:
  name: orphan
  namespace: default
  ownerReferences:
  - {apiVersion: v1, kind: ConfigMap, name: gone, uid: 00000000-0000-0000-0000-000000000001}
EOF
}

pod_is_unschedulable() {
  "$1/kubectl" wait pod/p --timeout=120s --for=condition=PodScheduled=false
}

create_node() {
  "$1/kubectl" apply -f - <<'EOF'
apiVersion: v1
kind: Node
metadata: {name: node-1}
EOF
}

# The pipe is read to its end: a process left behind that held any end of it would hang this.
start_both() {
  local first
  cluster up "$A" 2>&1 7>&1 | cat &
  first=$!
  cluster up "$B" --with kube-controller-manager,kube-scheduler \
    --kcm-flags '--controllers=*,-node-lifecycle-controller' 2>&1 | cat && wait "$first"
}

# Our own pid stands for a stranger's: a signal would end this test.
spares_another_pid() { echo $$ >"$A/pids/etcd" && cluster down "$A"; }

as() { "$A/kubectl" --kubeconfig "$@"; }

test_usage() {
  check "no arguments: exit code 2" exits_with 2 cluster
  check "an unknown command: exit code 2" exits_with 2 cluster fly "$WORK/x"
  check "an unknown part: exit code 2" exits_with 2 cluster up "$WORK/x" --with kubelet
  check "an option without its value: exit code 2" exits_with 2 cluster up "$WORK/x" --kcm-flags
  check "of either kind" exits_with 2 cluster up "$WORK/x" --apiserver-flags
  check "an unknown binary: exit code 2" exits_with 2 "$HERE/build" kubelet
  check "down where no cluster is: exit code 1" fails_with "holds no cluster" cluster down "$WORK/x"
}

test_side_by_side() {
  check "two clusters start at the same time" start_both
  check "six processes run" running 6
  check "a second up in the same folder is refused" fails_with already cluster up "$A"
  check "a namespace is created in the first" "$A/kubectl" create namespace only-here
  check "the second does not see it" fails_with NotFound "$B/kubectl" get namespace only-here
  check "a pod needs no controller manager" create_pod "$A"
  check "a pod with controller manager and scheduler" create_pod "$B"
  check "the scheduler judges it" pod_is_unschedulable "$B"
  check "an object of a vanished owner is created" create_owned_by_nobody "$B"
  check "the controller manager collects it" \
    "$B/kubectl" wait configmap/orphan --for=delete --timeout=120s
  check "the controller manager got the flags" \
    grep -qx -- '--controllers=\*,-node-lifecycle-controller' "$B/args/kube-controller-manager"
  check "the server says its version" prints '"gitVersion": "v1.' "$A/kubectl" get --raw /version
}

test_credentials() {
  local user="$WORK/user.kubeconfig" token="$WORK/token.kubeconfig"
  check "a kubeconfig for a user in two groups" cluster user-kubeconfig "$A" "$user" jane g1 g2
  check "its user name arrives" prints jane as "$user" auth whoami \
    -o "jsonpath={.status.userInfo.username}"
  check "its groups arrive" prints g2 as "$user" auth whoami -o "jsonpath={.status.userInfo.groups}"
  check "a user without a role is refused" fails_with Forbidden as "$user" get namespaces
  check "a node's token needs the node" fails_with '"node-1" not found' \
    cluster token-kubeconfig "$A" "$token" vdcu-system daemon node-1
  check "a node is created" create_node "$A"
  check "a token bound to a node" cluster token-kubeconfig "$A" "$token" vdcu-system daemon node-1
  check "its account arrives" prints system:serviceaccount:vdcu-system:daemon \
    as "$token" auth whoami -o "jsonpath={.status.userInfo.username}"
  check "its node's name arrives" prints node-1 as "$token" auth whoami \
    -o "jsonpath={.status.userInfo.extra['authentication\.kubernetes\.io/node-name']}"
  check "its file is the owner's alone" prints 600 stat -c %a "$token.token"
  check "a new token replaces the old one" cluster token-kubeconfig "$A" "$token" vdcu-system daemon
  check "and is bound to no node" prints_no node-name as "$token" auth whoami -o json
}

test_restart() {
  check "the apiserver stops" cluster stop-apiserver "$A"
  check "and does not answer" fails_with refused "$A/kubectl" get namespaces
  check "it cannot be paused then" exits_with 1 cluster pause-apiserver "$A"
  check "it starts again" cluster start-apiserver "$A"
  check "with its data" "$A/kubectl" get namespace only-here
  check "a new CA" cluster renew-ca "$A"
  check "etcd stops" cluster stop-etcd "$A"
  check "etcd starts again" cluster start-etcd "$A"
  check "the apiserver stops again" cluster stop-apiserver "$A"
  check "and starts with a certificate of the new CA" cluster start-apiserver "$A"
  check "and the old data" "$A/kubectl" get namespace only-here
  check "it is paused" cluster pause-apiserver "$A"
  check "and does not answer" fails_with "" "$A/kubectl" --request-timeout=1s \
    get namespaces
  check "it is resumed" cluster resume-apiserver "$A"
  check "and answers" "$A/kubectl" get namespace only-here
}

test_down() {
  check "a paused apiserver" cluster pause-apiserver "$A"
  check "the first goes down" cluster down "$A"
  check "the second still answers" "$B/kubectl" get namespaces
  check "the second goes down" cluster down "$B"
  check "no process is left" running 0
  check "down twice leaves alone who has the old pid now" spares_another_pid
}

# ends_with_all SIGNAL: whatever a guarded command has started, when it is killed, and what it would
# still have started.
ends_with_all() {
  local signal=$1 victim folder
  # shellcheck disable=SC2016  # it is the other shell that has the folder
  "$HERE/guarded" bash -c 'echo "$VDCU_TEST_FOLDER" >"$0/folder.new"
    "$1/cluster" up "$VDCU_TEST_FOLDER/c" && "$1/cluster" pause-apiserver "$VDCU_TEST_FOLDER/c"
    mv "$0/folder.new" "$0/folder"
    while sleep 0.05; do setsid sh -c "sleep 0.3" "$VDCU_TEST_FOLDER/c" & done' "$WORK" "$HERE" &
  victim=$!
  eventually 180 test -e "$WORK/folder" || return 1
  folder=$(cat "$WORK/folder")
  rm "$WORK/folder"
  kill "-$signal" "$victim"
  wait "$victim" 2>/dev/null
  eventually 60 nothing_of "$folder"
}
nothing_of() { [[ ! -e $1 ]] && ! grep -ls -- "$1[/]" /proc/[0-9]*/cmdline; }

test_guarded() {
  check "a guarded command's exit code is its own" exits_with 7 "$HERE/guarded" sh -c 'exit 7'
  check "nothing outlives one that is killed" ends_with_all KILL
  check "or that is told to end" ends_with_all TERM
}

test_assets() {
  local bin mixed="$WORK/assets"
  bin=$("$HERE/build")
  mkdir "$mixed"
  ln -s "$bin/etcd" "$mixed/etcd"
  check "assets that have all are taken" prints "$bin" env KUBEBUILDER_ASSETS="$bin" "$HERE/build"
  mixed=$(KUBEBUILDER_ASSETS=$mixed "$HERE/build" etcd kubectl)
  check "what assets have is taken" prints "$WORK/assets/etcd" readlink "$mixed/etcd"
  check "what they lack is built" prints "$bin/kubectl" readlink "$mixed/kubectl"
  rm -r "$mixed"
  check "assets that are no folder are refused" fails_with "is not a folder" \
    env KUBEBUILDER_ASSETS="$WORK/none" "$HERE/build"
}

"$HERE/build" >/dev/null
test_usage
test_assets
test_side_by_side
test_credentials
test_restart
test_down
test_guarded
sum_up
