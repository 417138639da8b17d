#!/usr/bin/env bash
# What the chart has for Prometheus: promtool checks the alerts and what the processes serve, and a real
# Prometheus that reads both processes is asked all that alerts and dashboard ask.
# usage: monitoring_test.sh [DIR of a running cluster]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

[[ ${VDCU_GUARDED_BY:-} == "$PPID" ]] || exec tests/cluster/guarded "tests/chart/${0##*/}" "$@"
readonly WORK=$VDCU_TEST_FOLDER CHART=charts/vdcu-operator
CLUSTER=${1:-$WORK/cluster}
readonly CLUSTER
BIN=$(tests/chart/prometheus)
HELM=$(tests/chart/build)/helm
CONTROLLER=$(tests/cluster/free-port)
NODE=$(tests/cluster/free-port)
PROMETHEUS=$(tests/cluster/free-port)
readonly BIN HELM CONTROLLER NODE PROMETHEUS
# shellcheck source=tests/cluster/checks.sh
source tests/cluster/checks.sh

kubectl() { "$CLUSTER/kubectl" "$@"; }
template() {
  "$HELM" template vdcu $CHART -n vdcu-system --kube-version 1.36.0 \
    --set monitoring.rules.enabled=true,monitoring.podMonitors.enabled=true,monitoring.dashboard.enabled=true "$@"
}

# ---- the alerts ----

rules() {
  mkdir "$WORK/rules"
  cp $CHART/files/alerts.yaml tests/chart/alerts_test.yaml "$WORK/rules"
  check "promtool takes the alerts" "$BIN/promtool" check rules --lint-fatal "$WORK/rules/alerts.yaml"
  check "each fires for what it is about, and only then" "$BIN/promtool" test rules "$WORK/rules/alerts_test.yaml"
  check "each has its heading in docs/alerts.md" every_runbook
  check "the chart makes a PrometheusRule of them" prints 'runbook: docs/alerts.md#vdcunobodyleads' \
    template -s templates/monitoring/rules.yaml
  check "with links to the site where that is known" prints 'runbook_url: https://docs.example/alerts.html#vdcunobodyleads' \
    template -s templates/monitoring/rules.yaml --set monitoring.rules.runbookUrl=https://docs.example/
  check "and nothing where nobody asks" prints_no monitoring.coreos.com "$HELM" template vdcu $CHART -n vdcu-system
}

every_runbook() {
  local name names
  mapfile -t names < <(sed -n 's/^ *- alert: //p' $CHART/files/alerts.yaml)
  for name in "${names[@]}"; do
    grep -qx "## $name" docs/alerts.md || { echo "no heading: $name"; return 1; }
    grep -q "#${name,,}\$" $CHART/files/alerts.yaml || { echo "no runbook: $name"; return 1; }
  done
}

# ---- both processes ----

# A node without a kubelet, whose daemon writes as the administrator.
start() {
  tests/cluster/cluster up "$CLUSTER"
  kubectl apply -f crds/vdcupartition.yaml -f crds/dcunode.yaml
  kubectl wait --for=condition=Established --timeout=60s crd/vdcupartitions.vdcu.io crd/dcunodes.vdcu.io
  kubectl create -f - <<<'{apiVersion: v1, kind: Node, metadata: {name: n1}}'
  # The admission of a new node taints it, and no controller is there to lift that.
  kubectl patch node n1 --type merge --patch '{"spec": {"taints": null}}'
  kubectl patch node n1 --type merge --subresource status --patch '{"status": {
    "allocatable": {"cpu": "8", "memory": "64Gi", "pods": "110"},
    "conditions": [{"type": "Ready", "status": "True", "reason": "Simulated"}]}}'
  kubectl create namespace vdcu-system
  build/bin/vdcu-simulated-host create "$WORK/n1" --cards 2 --model Z100L --serial-prefix n1
  build/bin/vdcu-controller --kubeconfig "$CLUSTER/admin.kubeconfig" --listen "127.0.0.1:$CONTROLLER" \
    >"$WORK/controller.log" 2>&1 &
  build/bin/vdcu-node --kubeconfig "$CLUSTER/admin.kubeconfig" --node-name n1 --host-root "$WORK/n1" \
    --kubelet-dir "" --advertise --pod-metrics --metric-names hami,volcano --listen "127.0.0.1:$NODE" >"$WORK/node.log" 2>&1 &
  cat >"$WORK/prometheus.yaml" <<EOF
global: {scrape_interval: 1s, evaluation_interval: 1s}
scrape_configs:
- job_name: controller
  static_configs: [{targets: ["127.0.0.1:$CONTROLLER"], labels: {pod: vdcu-controller-0}}]
- job_name: node
  static_configs: [{targets: ["127.0.0.1:$NODE"], labels: {pod: vdcu-node-0}}]
EOF
  "$BIN/prometheus" --config.file="$WORK/prometheus.yaml" --storage.tsdb.path="$WORK/data" \
    --web.listen-address="127.0.0.1:$PROMETHEUS" >"$WORK/prometheus.log" 2>&1 &
}

metrics() { curl --silent --show-error --fail "http://127.0.0.1:$1/metrics"; }
# Names of other projects are as they are.
lint() { metrics "$1" | grep -vE '^(# (HELP|TYPE) )?(hami|volcano)_' | "$BIN/promtool" check metrics; }

# query EXPR: the answer's data, as a list.
query() {
  curl --silent --show-error "http://127.0.0.1:$PROMETHEUS/api/v1/query" --data-urlencode "query=$1" |
    jq -ec 'if .status == "success" then .data.result else error(.error) end'
}
# value EXPR WANT: its only series has this value.
value() { [[ $(query "$1" | jq -r '.[0].value[1]') == "$2" ]] || { query "$1"; return 1; }; }
eventually() {
  local deadline=$((SECONDS + 90)) output
  until output=$("$@" 2>&1); do
    ((SECONDS < deadline)) || { echo "$output"; tail -n 5 "$WORK"/*.log; return 1; }
    sleep 0.2
  done
}

what_they_serve() {
  check "promtool takes what the controller serves" eventually lint "$CONTROLLER"
  check "and the daemon" eventually lint "$NODE"
  check "two healthy cards" eventually value 'sum(vdcu_card_healthy)' 2
  check "their drivers say how warm they are" value 'sum(vdcu_card_temperature_celsius{sensor="edge"})' 82
  check "what they draw" value 'sum(vdcu_card_power_watts)' 124
  check "that they are idle" value 'sum(vdcu_card_busy_ratio)' 0
  check "and that their memory is not used" value 'sum(vdcu_card_used_memory_bytes)' 0
  check "lists and watches were asked for" eventually value 'count(vdcu_api_requests_total{job="controller",verb="get",code="200"})' 1
  check "nothing of them is granted" value 'sum(vdcu_card_granted_compute_units)' 0
  kubectl apply -f - <<<'{apiVersion: vdcu.io/v1alpha1, kind: VDCUPartition, metadata: {name: kept},
    spec: {cores: 15, memory: 2000Mi}}'
  check "a slice of 15 % is nine units" eventually value 'sum(vdcu_card_granted_compute_units)' 9
  check "and 2000 MiB" value 'sum(vdcu_card_granted_memory_bytes)' $((2000 << 20))
  check "HAMi's dashboards see it" value 'sum(hami_gpu_core_allocated_ratio{zone="vGPU",device_type="DCU-Z100L"})' 15
  check "and Volcano's" value 'sum(volcano_vgpu_device_allocated_memory{NodeName="n1"})' 2000
  check "it is reserved" value 'vdcu_slices{state="reserved"}' 1
  kubectl apply -f - <<<'{apiVersion: vdcu.io/v1alpha1, kind: VDCUPartition, metadata: {name: picky},
    spec: {cores: 15, nodeSelector: {no: node}}}'
  check "one that fits no node waits for one" eventually value 'sum(vdcu_requests_waiting{reason="nodes"})' 1
  check "and longer and longer" eventually value 'sum(vdcu_requests_waiting_oldest_seconds{reason="nodes"}) > bool 1' 1
  kubectl delete vdcupartition picky
  check "until it is gone" eventually value 'sum(vdcu_requests_waiting)' 0
  build/bin/vdcu-simulated-host sick "$WORK/n1" 0
  check "a card fails" eventually value 'sum(vdcu_card_healthy)' 1
  kubectl delete vdcupartition kept
  check "a figure goes with its slice" eventually value 'sum(vdcu_card_granted_compute_units)' 0
}

# ---- who asks ----

# Every query of the dashboard is understood; those that need no event have an answer.
dashboard() {
  local expr rest
  template -s templates/monitoring/dashboard.yaml | "$CLUSTER/kubectl" create --dry-run=client -o json -f - |
    jq -r '.data["vdcu-operator.json"]' >"$WORK/dashboard.json"
  while IFS= read -r expr; do
    rest=${expr//\$node/.*}
    check "the dashboard's query is understood: $rest" query "$rest"
    [[ $rest == *increase\(* || $rest == *rate\(* || $rest == *'> 0'* || $rest == vdcu_slice_* ]] ||
      check "and answered" answered "$rest"
  done < <(jq -r '.panels[].targets[].expr' "$WORK/dashboard.json")
  while IFS= read -r expr; do check "so is the alert's: $expr" query "$expr"; done < <(
    sed -n 's/^    expr: //p' $CHART/files/alerts.yaml)
}
answered() { [[ $(query "$1") != '[]' ]]; }

rules
start
what_they_serve
dashboard
sum_up
