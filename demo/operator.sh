# The operator in the story: as pods where the nodes have a kubelet ($REAL), else as processes beside the
# control plane. Sourced by demo/story.
# shellcheck shell=bash

readonly PROCESSES=(vdcu-controller vdcu-node-1 vdcu-node-2)  # without kubelets

install_operator() {
  if [[ -n $REAL ]]; then install_pods; else install_processes; fi
}

# ---- as pods ----

# What `kubectl apply -k config` applies, for these machines: they have no network for pods and no
# registry, their cards are simulated, and the API server is on loopback. All nodes share one network,
# and so their ports.
config_for_machines() {
  local url
  url=$(cat "$CLUSTER/apiserver.url")
  kubectl kustomize config | kubectl create --dry-run=client -o json -f - | jq --arg port "${url##*:}" '
    select(.kind == "Deployment" or .kind == "DaemonSet").spec.template.spec |= (
      .hostNetwork = true
      | .containers[0] |= (del(.ports, .livenessProbe, .readinessProbe) | .imagePullPolicy = "Never"
        | .args |= map(select(startswith("--listen=") | not))
        | .env += [{name: "KUBERNETES_SERVICE_HOST", value: "127.0.0.1"},
                   {name: "KUBERNETES_SERVICE_PORT", value: $port}])
      | if .volumes then (.volumes[] | select(.name == "sys").hostPath.path) = "/machine/sys" else . end)'
}

install_pods() {
  local node
  step "The images of controller and daemon, built without docker and without a registry"
  show tools/images "$WORK/images"
  for node in "${NODES[@]}"; do tests/machine/machine load "$WORK/machine/$node" "$WORK"/images/*.tar; done

  step "The operator: one command, and a label for the nodes with cards"
  config_for_machines >"$WORK/config.json"
  printf '    %s$ kubectl apply -k config%s\n' "$DIM" "$PLAIN"
  # In a namespace that is made by the same command; the kinds come first in it.
  kubectl apply -f "$WORK/config.json" | sed 's/^/    /'
  show kubectl label node "${NODES[@]}" dcu=on
  kubectl rollout status -n vdcu-system deployment/vdcu-controller --timeout="${WAIT_SECONDS}s" | sed 's/^/    /'
  for node in "${NODES[@]}"; do wait_for "dcunode/$node" --for=condition=Ready; done
  show kubectl get pods -n vdcu-system -o wide
}

# The processes of the operator on all machines, of this demo only: machines see no others.
kill_on_machines() {
  local node
  for node in "${NODES[@]}"; do
    tests/machine/machine exec "$WORK/machine/$node" pkill -KILL -f '^/usr/bin/vdcu-(controller|node) ' || true
  done
}

restarts() {
  kubectl get pods -n vdcu-system -o json |
    jq -e '[.items[].status.containerStatuses[0].restartCount] | length == 4 and all(. >= 1)'
}

# ---- as processes ----

start_processes() {
  local node
  for node in "${NODES[@]}"; do
    start "vdcu-$node" "$BIN/vdcu-node" --kubeconfig "$CLUSTER/$node.kubeconfig" --node-name "$node" \
      --host-root "$WORK/$node" --kubelet-dir "" --advertise
  done
  start vdcu-controller "$BIN/vdcu-controller" --kubeconfig "$CLUSTER/vdcu-controller.kubeconfig"
}

# Policies work a moment after they are there.
gets_the_scheduler() {
  kubectl create --dry-run=server -o json -f config/samples/pod-slice.yaml |
    jq -e '.spec.schedulerName == "vdcu-scheduler"'
}

install_processes() {
  local node
  step "Namespace, CRDs, roles and policies"
  kubectl apply -k tests/world/config/all >/dev/null
  kubectl apply -k config/optional >/dev/null
  kubectl wait --for=condition=Established crd/vdcupartitions.vdcu.io crd/dcunodes.vdcu.io \
    --timeout="${WAIT_SECONDS}s" | sed 's/^/    /'
  step "One vdcu-controller and two vdcu-node, each with a token of its own service account"
  tests/cluster/cluster token-kubeconfig "$CLUSTER" "$CLUSTER/vdcu-controller.kubeconfig" \
    vdcu-system vdcu-controller
  for node in "${NODES[@]}"; do
    tests/cluster/cluster token-kubeconfig "$CLUSTER" "$CLUSTER/$node.kubeconfig" \
      vdcu-system vdcu-node "$node"
  done
  start_processes
  until_true "pods get the scheduler" gets_the_scheduler
}

# ---- what happens to it ----

kill_operator() {
  if [[ -n $REAL ]]; then
    kill_on_machines
    ok "all four are killed"
  else
    signal KILL "${PROCESSES[@]}"
    ok "all three are gone"
  fi
}

revive_operator() {
  if [[ -n $REAL ]]; then
    step "The kubelets start them again"
    until_true "each container was started again" restarts
    show kubectl get pods -n vdcu-system
  else
    [[ -z $(of pod/late .spec.nodeName) ]] || die "pod late was bound by nobody that should run"
    ok "pod late asks for a slice, and nobody places it"
    step "They start again"
    start_processes
  fi
}

no_pods_of_the_operator() { [[ -z $(kubectl get pods -n vdcu-system -o name) ]]; }

remove_operator() {
  local began=${EPOCHREALTIME/[.,]/} took
  if [[ -n $REAL ]]; then
    step "The operator is taken away; what it granted would stay"
    show kubectl delete deployment,daemonset --all -n vdcu-system
    until_true "its pods end" no_pods_of_the_operator
  else
    step "SIGTERM: the controller and both daemons end by themselves"
    signal TERM "${PROCESSES[@]}"
  fi
  took=$(((${EPOCHREALTIME/[.,]/} - began) / 1000))
  ((took < 20000)) || die "want an end within 20000 ms, it took $took ms"
  ok "after $took ms"
}

operator_logs() {
  [[ -z $REAL ]] || kubectl logs -n vdcu-system -l app.kubernetes.io/name=vdcu-operator --prefix --tail 15 >&2 || true
}

end_operator() { [[ -n $REAL ]] || signal KILL "${PROCESSES[@]}"; }
