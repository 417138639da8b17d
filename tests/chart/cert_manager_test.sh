#!/usr/bin/env bash
# The webhook's certificate from the real cert-manager, as the chart asks for it: the API server trusts
# it, and pods are placed by the webhook while it is renewed. vdcu-controller (of build/bin) runs here;
# what a kubelet does with the Secret is done by hand.
# usage: cert_manager_test.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

[[ ${VDCU_GUARDED_BY:-} == "$PPID" ]] || exec tests/cluster/guarded "tests/chart/${0##*/}" "$@"
readonly WORK=$VDCU_TEST_FOLDER
readonly CLUSTER=$WORK/cluster PODS=/api/v1/namespaces/default/pods SECRET=vdcu-webhook-tls
readonly FILES=$WORK/certificate
HELM=$(tests/chart/build)/helm
CERT_MANAGER=$(tests/chart/cert-manager/build)
PORT=$(tests/cluster/free-port)
LISTEN=$(tests/cluster/free-port)
# Endpoints may not have an address of loopback.
ADDRESS=$(hostname -I | awk '{print $1}')
readonly HELM CERT_MANAGER PORT LISTEN ADDRESS
[[ -n $ADDRESS ]] || { echo "no address but loopback, which endpoints may not have: skipped"; exit 77; }
# shellcheck source=tests/integration/request_table.sh
source tests/integration/request_table.sh

kubectl() { "$CLUSTER/kubectl" "$@"; }
ours() { kubectl -n vdcu-system "$@"; }

# soon SENTENCE COMMAND...: it succeeds within two minutes.
soon() {
  local sentence=$1 deadline=$((SECONDS + 120))
  shift
  until "$@"; do
    ((SECONDS < deadline)) || { row no "$sentence" "not after 120 s: $*"; return; }
    sleep 0.2
  done
  row yes "$sentence" ""
}

start_cert_manager() {
  local part
  kubectl create namespace cert-manager
  kubectl apply --server-side -f "$CERT_MANAGER/crds.yaml" >/dev/null
  kubectl wait --for=condition=Established --timeout=60s crd/certificates.cert-manager.io crd/issuers.cert-manager.io
  for part in controller cainjector; do
    "$CERT_MANAGER/$part" --kubeconfig="$CLUSTER/admin.kubeconfig" --leader-elect=false \
      >"$WORK/cert-manager-$part.log" 2>&1 &
  done
}

# The Service leads to what runs here, and not to pods.
install() {
  kubectl create namespace vdcu-system
  "$HELM" template vdcu charts/vdcu-operator -n vdcu-system --kube-version 1.36.0 \
    --set admission.mode=webhook,admission.webhook.failurePolicy=Fail \
    --set admission.webhook.certificate.source=cert-manager -s templates/admission/webhook.yaml |
    kubectl create --dry-run=client -o json -f - |
    jq 'if .kind == "Service" then del(.spec.selector) else . end' | kubectl apply -f -
  kubectl apply -f - <<EOF
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: vdcu-webhook, namespace: vdcu-system, labels: {kubernetes.io/service-name: vdcu-webhook}}
addressType: IPv4
ports: [{name: webhook, port: $PORT}]
endpoints: [{addresses: [$ADDRESS], conditions: {ready: true}}]
EOF
}

# of_secret KEY: of what cert-manager has issued, in base64; nothing: it has not.
of_secret() { ours get secret "$SECRET" -o "jsonpath={.data.${1/./\\.}}" 2>/dev/null || true; }
is_issued() { [[ -n $(of_secret tls.crt) ]]; }

# As a kubelet updates the volume of a Secret.
update_volume() {
  local key
  mkdir -p "$FILES"
  for key in tls.key tls.crt; do
    of_secret $key | base64 -d >"$FILES/$key.new"
    mv "$FILES/$key.new" "$FILES/$key"
  done
}

start_controller() {
  kubectl apply -f crds/vdcupartition.yaml -f crds/dcunode.yaml
  kubectl wait --for=condition=Established --timeout=60s crd/vdcupartitions.vdcu.io crd/dcunodes.vdcu.io
  build/bin/vdcu-controller --kubeconfig "$CLUSTER/admin.kubeconfig" --webhook ":$PORT" \
    --webhook-cert "$FILES/tls.crt" --webhook-key "$FILES/tls.key" --listen "127.0.0.1:$LISTEN" \
    >"$WORK/controller.log" 2>&1 &
}

# By both configurations.
is_trusted() {
  local kind ca
  ca=$(of_secret ca.crt)
  for kind in mutating validating; do
    [[ $(kubectl get "${kind}webhookconfiguration" vdcu-webhook -o 'jsonpath={.webhooks[0].clientConfig.caBundle}') == "$ca" ]] ||
      return 1
  done
}

scheduler_of_a_pod() {
  request admin POST "$(dry $PODS)" "{apiVersion: v1, kind: Pod, metadata: {name: x}, spec: {containers: [
    {name: main, image: i, resources: {limits: {hygon.com/dcunum: 1}}}]}}" | sed '$d' |
    jq -r '.spec.schedulerName // .message'
}
is_placed() { [[ $(scheduler_of_a_pod) == vdcu-scheduler ]]; }

# What is served now, as the Secret has it.
serves_the_secret() {
  local served
  served=$(openssl s_client -connect "$ADDRESS:$PORT" -servername vdcu-webhook.vdcu-system.svc </dev/null 2>/dev/null |
    openssl x509 -outform DER 2>/dev/null | sha256sum)
  [[ $served == "$(of_secret tls.crt | base64 -d | openssl x509 -outform DER | sha256sum)" ]]
}

# Writes what went wrong to a file until it is killed.
make_pods() {
  local made=0 scheduler
  while true; do
    scheduler=$(scheduler_of_a_pod)
    [[ $scheduler == vdcu-scheduler ]] || echo "$scheduler" >>"$WORK/wrong"
    echo $((++made)) >"$WORK/made.new"
    mv "$WORK/made.new" "$WORK/made"
  done
}

are_made() { (($(cat "$WORK/made") >= $1)); }
renewed() { is_issued && [[ $(of_secret tls.crt) != "$1" ]]; }

renew_under_load() {
  local before authority load made
  before=$(of_secret tls.crt)
  authority=$(of_secret ca.crt)
  : >"$WORK/wrong"
  echo 0 >"$WORK/made"
  make_pods &
  load=$!
  ours delete secret "$SECRET"
  soon "cert-manager issues another one" renewed "$before"
  made=$(cat "$WORK/made")
  soon "pods are placed while the controller has the one before" are_made $((made + 5))
  update_volume
  soon "the controller serves the new one" serves_the_secret
  made=$(cat "$WORK/made")
  soon "pods are placed with it" are_made $((made + 5))
  kill $load
  wait $load 2>/dev/null || true
  row "$([[ $(of_secret ca.crt) == "$authority" ]] && echo yes || echo no)" "its CA is the one before" ""
  row "$([[ -s $WORK/wrong ]] && echo no || echo yes)" "not one of $(cat "$WORK/made") pods was refused or not seen" \
    "$(cat "$WORK/wrong")"
}

main() {
  tests/cluster/cluster up "$CLUSTER" --apiserver-flags --enable-aggregator-routing=true
  user_by_certificate admin
  start_cert_manager
  install
  soon "cert-manager issues the certificate" is_issued
  update_volume
  start_controller
  soon "both configurations trust its CA" is_trusted
  soon "a pod is placed by the webhook" is_placed
  row "$(openssl x509 -noout -ext subjectAltName -in "$FILES/tls.crt" | grep -q 'DNS:vdcu-webhook.vdcu-system.svc$' && echo yes || echo no)" \
    "it is for the Service's name" "$(openssl x509 -noout -text -in "$FILES/tls.crt")"
  renew_under_load
  echo "$PASSED passed, $FAILED failed"
  ((FAILED == 0))
}

main
