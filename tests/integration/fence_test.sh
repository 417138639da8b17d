#!/usr/bin/env bash
# The fence by vdcu-controller's webhook (of build/bin), in place of the policies, on real
# kube-apiservers: the table of who may write what that the policies are held to, too. A daemon is
# known by its token; where that names its pod only, by the pod. On the control plane of the other
# tests, and on older ones that the cache has (make compat builds them); those that it has not are
# named and left out. The controller stands by: a standby serves the webhook as the leader does.
# usage: fence_test.sh [--measure]   --measure: instead, what it adds to a daemon's write of a status
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

[[ ${VDCU_GUARDED_BY:-} == "$PPID" ]] || exec tests/cluster/guarded "tests/integration/${0##*/}" "$@"
readonly WORK=$VDCU_TEST_FOLDER
HELM=$(tests/chart/build)/helm
readonly HELM
CLUSTER=
SERVER= # its version
# shellcheck source=tests/integration/request_table.sh
source tests/integration/request_table.sh
# shellcheck source=tests/integration/fence_table.sh
source tests/integration/fence_table.sh

kubectl() { "$CLUSTER/kubectl" "$@"; }
is_since() { (($(cut -d. -f2 <<<"$SERVER") >= $1)); }

# chart KUBERNETES HELM-ARGUMENT...: what it makes for that version, without policies
chart() {
  "$HELM" template vdcu charts/vdcu-operator -n vdcu-system --kube-version "$1" \
    --set namespace.create=true,policies.enabled=false,admission.mode=off,admission.fence=webhook "${@:2}"
}

# ---- what is there ----

install() {
  chart "$SERVER" -s templates/namespace.yaml -s templates/crds/vdcupartition.yaml \
    -s templates/crds/dcunode.yaml -s templates/rbac/controller.yaml -s templates/rbac/node.yaml |
    kubectl apply -f -
  kubectl wait --for=condition=Established --timeout=120s crd/vdcupartitions.vdcu.io crd/dcunodes.vdcu.io
  # Another leads for ever.
  kubectl apply -f - <<EOF
apiVersion: coordination.k8s.io/v1
kind: Lease
metadata: {name: vdcu-controller, namespace: vdcu-system}
spec: {holderIdentity: another, leaseDurationSeconds: 100000, renewTime: $(date -u +%FT%T.000000Z)}
EOF
}

# user_of_pod USER POD NODE: by the token of a daemon's pod
user_of_pod() {
  local uid token
  kubectl create -n vdcu-system -f - <<<"{apiVersion: v1, kind: Pod, metadata: {name: $2}, spec: {
    nodeName: $3, serviceAccountName: vdcu-node, containers: [{name: main, image: i}]}}"
  uid=$(kubectl get pod -n vdcu-system "$2" -o 'jsonpath={.metadata.uid}')
  token=$(kubectl create token -n vdcu-system vdcu-node --bound-object-kind=Pod --bound-object-name="$2" \
    --bound-object-uid="$uid")
  printf 'cacert = "%s"\nheader = "Authorization: Bearer %s"\n' "$CLUSTER/pki/ca.crt" "$token" >"$WORK/$1.curl"
}

# user_who_names_a_pod USER POD [UID]: as a token of before Kubernetes 1.30 would
user_who_names_a_pod() {
  local uid=${3:-$(kubectl get pod -n vdcu-system "$2" -o 'jsonpath={.metadata.uid}')}
  user_by_impersonation "$1" system:serviceaccount:vdcu-system:vdcu-node
  printf 'header = "Impersonate-Extra-authentication.kubernetes.io%%2Fpod-%s: %s"\n' \
    name "$2" uid "$uid" >>"$WORK/$1.curl"
}

make_users() {
  local node
  for node in node-1 node-2; do
    kubectl create -f - <<<"{apiVersion: v1, kind: Node, metadata: {name: $node}}"
  done
  user_by_certificate admin
  user_by_token controller vdcu-system vdcu-controller
  user_by_token daemon-of-no-node vdcu-system vdcu-node
  user_by_token jane team-a jane
  user_by_impersonation collector system:serviceaccount:kube-system:generic-garbage-collector
  kubectl create clusterrole everything-of-vdcu --verb='*' --resource='*.vdcu.io'
  kubectl create clusterrolebinding jane --clusterrole=everything-of-vdcu --serviceaccount=team-a:jane
  user_of_pod daemon-1 vdcu-node-a node-1
  user_of_pod daemon-2 vdcu-node-b node-2
  user_who_names_a_pod daemon-of-before vdcu-node-a 7a2c1f5e-5a54-4b0e-8d1e-0a4f3a4f8f00
}

# ---- the controller, and how it is called ----

certificate() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$WORK/tls.key" \
    -out "$WORK/tls.crt" -subj /CN=webhook -addext subjectAltName=IP:127.0.0.1 -days 2
}

readonly GIVEN=(--webhook-cert "$WORK/tls.crt" --webhook-key "$WORK/tls.key")

# start_controller FLAG...
start_controller() {
  PORT=$(tests/cluster/free-port)
  LISTEN=$(tests/cluster/free-port)
  build/bin/vdcu-controller --kubeconfig "$WORK/controller" --leader-elect --webhook "127.0.0.1:$PORT" \
    --webhook-fence "$@" --listen "127.0.0.1:$LISTEN" >"$WORK/controller.log" 2>&1 &
  CONTROLLER=$!
}

# ask_for KUBERNETES [JQ]: what the chart has for it, called at the controller that runs here
ask_for() {
  chart "$1" -s templates/admission/webhook.yaml |
    kubectl create --dry-run=client --validate=false -o json -f - |
    jq --arg url "https://127.0.0.1:$PORT" --arg ca "$(base64 -w0 <"$WORK/tls.crt")" \
      'select(.kind == "ValidatingWebhookConfiguration")
      | .webhooks[].clientConfig |= {url: ($url + .service.path), caBundle: $ca} | '"${2:-.}" |
    kubectl apply -f -
}

# soon TEXT: what jane is told when she assigns; an API server takes up a webhook a moment later.
soon() {
  local deadline=$((SECONDS + 120)) answer=
  until [[ $answer == *"$1"* ]]; do
    ((SECONDS < deadline)) || { echo "not after 120 s: $1: $answer" >&2; tail "$WORK/controller.log" >&2; exit 1; }
    sleep 0.1
    answer=$(request jane POST "$PARTITIONS?dryRun=All" "$(partition x "{assignment: $SLICE_A}")")
  done
}

# ---- what is judged ----

# tells WANT: 1 where a guarantee is missing; only servers without policies are asked for the webhook.
tells() {
  local answer='' ok=no deadline=$((SECONDS + 60))
  if is_since 30; then return; fi
  while ((SECONDS < deadline)) && [[ $ok == no ]]; do
    answer=$(curl --silent --noproxy '*' "http://127.0.0.1:$LISTEN/metrics" | grep 'vdcu_guarantee_missing{guarantee="policies"}') || true
    if [[ $answer == *" $1" ]]; then ok=yes; else sleep 0.1; fi
  done
  row $ok "vdcu_guarantee_missing of policies is $1" "$answer"
}

table() {
  echo "--- as for $1, on $SERVER"
  ask_for "$1"
  soon 'only vdcu-controller sets or removes it'
  who_may_write_partitions
  who_may_write_nodes
  how_long_lists_may_be
  who_may_write_leases
  refuses "a daemon whose pod is another by now" 'of which vdcu-controller knows no node' daemon-of-before \
    PATCH "$PARTITIONS/slice/status" '{"status": {"vdevFile": "/x"}}'
}

while_nobody_answers() {
  local answer ok=no
  kill -KILL $CONTROLLER
  soon 'failed calling webhook'
  answer=$(request controller PATCH "$(dry "$PARTITIONS/slice")" '{"metadata": {"labels": {"a": "b"}}}')
  [[ $answer != *'failed calling webhook'* ]] || ok=yes
  row $ok "nobody answers: the controller writes nothing" "$answer"
  takes "nobody answers: a partition is deleted" jane DELETE "$PARTITIONS/slice"
  takes "nobody answers: a pod is made" admin POST /api/v1/namespaces/team-a/pods \
    '{apiVersion: v1, kind: Pod, metadata: {name: x}, spec: {containers: [{name: main, image: i}]}}'
  takes "nobody answers: the controller takes its Lease" controller PATCH \
    /apis/coordination.k8s.io/v1/namespaces/vdcu-system/leases/vdcu-controller \
    '{"spec": {"holderIdentity": "next"}}'
}

# The leader makes the certificate, has all webhooks trust it, and goes on to write through them.
with_a_certificate_of_its_own() {
  local answer='' ok=no deadline=$((SECONDS + 60))
  kubectl delete lease -n vdcu-system vdcu-controller
  kubectl delete validatingwebhookconfiguration vdcu-webhook
  chart "$SERVER" -s templates/admission/webhook.yaml | kubectl create --dry-run=client --validate=false -o json -f - |
    jq 'select(.kind == "Secret")' | kubectl apply -f -
  start_controller --webhook-host 127.0.0.1
  ask_for 1.20.0 'del(.webhooks[].clientConfig.caBundle)'
  soon 'only vdcu-controller sets or removes it'
  while ((SECONDS < deadline)) && [[ $ok == no ]]; do
    answer=$(kubectl get vdcupartition -n team-a plain -o 'jsonpath={.status.conditions[?(@.type=="Assigned")].status}')
    if [[ $answer == False ]]; then ok=yes; else sleep 0.1; fi
  done
  row $ok "with a certificate of its own: it says why nothing is assigned" "Assigned: $answer"
}

judge() {
  SERVER=$(kubectl get --raw /version | sed -n 's/.*"gitVersion": "v\([^"]*\)".*/\1/p')
  { install && make_users && certificate; } >"$WORK/install.log" 2>&1 || { cat "$WORK/install.log" >&2; exit 1; }
  if ! is_since 30; then
    start_controller "${GIVEN[@]}"
    tells 1
    kill -KILL $CONTROLLER
  fi
  start_controller "${GIVEN[@]}"
  ask_for 1.20.0
  soon 'only vdcu-controller sets or removes it'
  make_objects
  if [[ -n $MEASURE ]]; then
    measure
    return
  fi
  if is_since 28; then
    table 1.28.0
    who_may_write_events
    who_may_say_for_which_partition
    user_who_names_a_pod daemon-1 vdcu-node-a
    user_who_names_a_pod daemon-2 vdcu-node-b
  fi
  table 1.20.0
  tells 0
  while_nobody_answers
  with_a_certificate_of_its_own
}

# ---- what it costs ----

# patches COUNT: of one partition's status by its daemon, one after the other, over one connection; how
# long they took, p50 and p99 in ms
patches() {
  local i
  {
    cat "$WORK/daemon-1.curl"
    for ((i = 0; i < $1; ++i)); do
      ((i == 0)) || { echo next; cat "$WORK/daemon-1.curl"; }
      printf '%s\n' silent 'request = PATCH' "url = \"$(cat "$CLUSTER/apiserver.url")$PARTITIONS/slice/status\"" \
        'header = "Content-Type: application/merge-patch+json"' 'output = /dev/null' \
        "data = \"{\\\"status\\\": {\\\"vdevFile\\\": \\\"/etc/vdev/$i\\\"}}\"" 'write-out = "%{http_code} %{time_total}\n"'
    done
  } >"$WORK/patches.curl"
  curl --config "$WORK/patches.curl" | awk '$1 != 200 {print "not taken: " $0 >"/dev/stderr"; exit 1} {print $2 * 1000}' |
    sort -n | awk '{all[NR] = $1} END {printf "p50 %.2f ms, p99 %.2f ms of %d\n", all[int(NR / 2) + 1], all[int(NR * 0.99) + 1], NR}'
}

measure() {
  local round
  patches 500 >/dev/null
  for round in 1 2 3; do
    echo "round $round, with the fence: $(patches 2000)"
    kubectl delete validatingwebhookconfiguration vdcu-webhook >/dev/null
    sleep 2
    echo "round $round, without:        $(patches 2000)"
    ask_for 1.28.0 >/dev/null
    soon 'only vdcu-controller sets or removes it'
  done
}

# with_cluster NAME: with a control plane of the binaries in KUBEBUILDER_ASSETS, if set
with_cluster() {
  CLUSTER=$WORK/$1
  tests/cluster/cluster up "$CLUSTER"
  judge
  tests/cluster/cluster down "$CLUSTER"
}

older() {
  local version folder
  while read -r version folder; do
    is_before_policies "$version" || continue
    if [[ $folder == - ]]; then
      echo "LEFT OUT: kube-apiserver $version is not in the cache (make compat builds it)"
    else
      KUBEBUILDER_ASSETS=$folder with_cluster "$version"
    fi
  done < <(tests/compat/build --list)
}
is_before_policies() { (($(cut -d. -f2 <<<"$1") < 30)); }

MEASURE=
case "$#:${1:-}" in
  0:) ;;
  1:--measure) MEASURE=yes ;;
  *) echo "usage: fence_test.sh [--measure]" >&2; exit 2 ;;
esac
readonly MEASURE
with_cluster newest
if [[ -n $MEASURE ]]; then exit; fi
older
echo "$PASSED passed, $FAILED failed"
((FAILED == 0))
