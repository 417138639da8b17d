#!/usr/bin/env bash
# The chart's admission policies on a real kube-apiserver, by dry runs: what a pod that asks for cards
# becomes, which are refused with the field named, and that no other pod is touched. What is refused
# vdcu-controller (of build/bin) must say of the same pods, where they are exempt; and so must its
# webhook, in place of the policies, as an older Kubernetes has it.
# usage: admission_test.sh [DIR of a running cluster]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

[[ ${VDCU_GUARDED_BY:-} == "$PPID" ]] || exec tests/cluster/guarded "tests/chart/${0##*/}" "$@"
readonly WORK=$VDCU_TEST_FOLDER
CLUSTER=${1:-$WORK/cluster}
readonly CLUSTER PODS=/api/v1/namespaces/default/pods
HELM=$(tests/chart/build)/helm
readonly HELM
WEBHOOK=$(tests/cluster/free-port)
readonly WEBHOOK
# shellcheck source=tests/integration/request_table.sh
source tests/integration/request_table.sh

# pod LIMITS [MORE-SPEC [MORE-METADATA]]
pod() {
  echo "{apiVersion: v1, kind: Pod, metadata: {name: x${3:+, $3}}, spec: {${2:+$2, }containers: [
    {name: side, image: i}, {name: main, image: i, resources: {limits: {$1}}}]}}"
}
ours() { pod "$1" "schedulerName: vdcu-scheduler" "${2:-}"; }

# becomes SENTENCE WANT-JQ PATH BODY: the pod that the API server would store is as the filter says.
becomes() {
  local sentence=$1 want=$2 path=$3 answer ok=no
  answer=$(request admin POST "$(dry "$path")" "$4")
  ! sed '$d' <<<"$answer" | jq -e "$want" >/dev/null || ok=yes
  row $ok "$sentence" "$answer"$'\n'"wanted: $want"
}

# What broke a rule: sentence, message, and pod.
SENTENCES=()
MESSAGES=()
BROKEN=()

# broken SENTENCE MESSAGE POD: a pod of our scheduler is refused
broken() {
  SENTENCES+=("$1")
  MESSAGES+=("$2")
  BROKEN+=("$3")
  refuses "$1" "$2" admin POST $PODS "$3"
}
# wrong SENTENCE MESSAGE LIMITS [MORE-METADATA]
wrong() { broken "$1" "$2" "$(ours "$3" "${4:-}")"; }
right() { takes "$1" admin POST $PODS "$(ours "$2" "${3:-}")"; }

install() {
  "$HELM" template vdcu charts/vdcu-operator -n vdcu-system --kube-version 1.36.0 \
    -s templates/admission/pods.yaml -s templates/admission/scheduler.yaml "$@" |
    "$CLUSTER/kubectl" apply -f -
}

# wait_for_answer TEXT [PATH]: policies work a moment after they are there.
wait_for_answer() {
  local deadline=$((SECONDS + 120)) answer=
  until [[ $answer == *"$1"* ]]; do
    ((SECONDS < deadline)) || { echo "not after 120 s: $1: $answer" >&2; exit 1; }
    sleep 0.1
    answer=$(request admin POST "$(dry $PODS)" "$2")
  done
}

what_a_pod_becomes() {
  local ours='.spec.schedulerName == "vdcu-scheduler"' one='hygon.com/dcunum: 1'
  becomes "a pod with nothing but its limits gets the scheduler" "$ours" $PODS "$(pod "$one")"
  becomes "so does one with hcunum" "$ours" $PODS "$(pod 'hygon.com/hcunum: 1')"
  becomes "volcano stays" '.spec.schedulerName == "volcano"' $PODS "$(pod "$one" 'schedulerName: volcano')"
  becomes "a pod without cards stays" '.spec.schedulerName == "default-scheduler"' $PODS "$(pod 'cpu: 1')"
  becomes "a pod of other cards stays" '.spec.schedulerName == "default-scheduler"' $PODS \
    "$(pod 'nvidia.com/gpu: 1')"
  becomes "an exempt pod stays" '.spec.schedulerName == "default-scheduler"' $PODS \
    "$(pod "$one" '' 'labels: {vdcu.io/webhook: ignore}')"
  becomes "a pod of an exempt namespace stays" '.spec.schedulerName == "default-scheduler"' \
    /api/v1/namespaces/exempt/pods "$(pod "$one")"
}

what_is_refused() {
  local limits='spec.containers[main].resources.limits: hygon.com/' of
  right "a slice" 'hygon.com/dcunum: 1, hygon.com/dcumem: 2000, hygon.com/dcucores: 15'
  right "all of a card" 'hygon.com/hcunum: 1, hygon.com/hcumem: 1048576, hygon.com/hcucores: 100'
  right "64 cards" 'hygon.com/dcunum: 64'
  right "none" 'hygon.com/dcunum: 0'
  for of in dcu hcu; do
    wrong "${of}mem alone" "$limits${of}mem: set hygon.com/${of}num: 1 with it" "hygon.com/${of}mem: 5"
    wrong "${of}cores alone" "$limits${of}cores: set hygon.com/${of}num: 1 with it" "hygon.com/${of}cores: 5"
    wrong "no ${of} with memory" "$limits${of}num 0: must be 1, as hygon.com/${of}mem is set" \
      "hygon.com/${of}num: 0, hygon.com/${of}mem: 5"
    wrong "two ${of} with memory" "$limits${of}num 2: several cards are whole cards only; leave out hygon.com/${of}mem, or set it to 1" \
      "hygon.com/${of}num: 2, hygon.com/${of}mem: 5"
    wrong "two ${of} with cores" "leave out hygon.com/${of}cores, or set it to 1" \
      "hygon.com/${of}num: 2, hygon.com/${of}cores: 5"
    wrong "65 ${of}" "$limits${of}num 65: at most 64, the cards of a node" "hygon.com/${of}num: 65"
    wrong "${of} memory in bytes" "$limits${of}mem 2147483648: counts MiB (--memory-unit): must be a plain number from 64 to 1048576, for example 2000" \
      "hygon.com/${of}num: 1, hygon.com/${of}mem: 2Gi"
    wrong "${of} memory in GiB" "$limits${of}mem 63: counts MiB (--memory-unit): must be" "hygon.com/${of}num: 1, hygon.com/${of}mem: 63"
    wrong "no ${of} memory" "$limits${of}mem 0: counts MiB" "hygon.com/${of}num: 1, hygon.com/${of}mem: 0"
    wrong "more ${of}cores than a card" "$limits${of}cores 101: percent of a card: must be from 1 to 100" \
      "hygon.com/${of}num: 1, hygon.com/${of}cores: 101"
    wrong "no ${of} cores" "$limits${of}cores 0: percent" "hygon.com/${of}num: 1, hygon.com/${of}cores: 0"
  done
  wrong "both names" "${limits}dcunum and hygon.com/hcunum: two names of the same cards; use the resources of one of them" \
    'hygon.com/dcunum: 1, hygon.com/hcumem: 5'
}

# many_pod COUNT LIMITS: as many containers that ask
many_pod() {
  local i list=
  for ((i = 0; i < $1; ++i)); do list+="{name: c$i, image: i, resources: {limits: {$2}}},"; done
  echo "{apiVersion: v1, kind: Pod, metadata: {name: x}, spec: {schedulerName: vdcu-scheduler, containers: [$list]}}"
}

what_is_refused_of_several() {
  local init='initContainers: [{name: first, image: i, resources: {limits: {hygon.com/dcunum: 1}}}]'
  broken "an init container that asks" 'spec.initContainers[first].resources.limits: hygon.com/dcunum 1: init containers and sidecars may not ask for cards; ask in a container' \
    "$(pod 'cpu: 1' "schedulerName: vdcu-scheduler, $init")"
  takes "an init container that asks for none" admin POST $PODS "$(pod 'cpu: 1' "${init/dcunum: 1/dcunum: 0}")"
  broken "66 cards of two containers" 'spec.containers: 66 whole cards together: at most 64, as one node has no more' \
    "$(many_pod 2 'hygon.com/dcunum: 33')"
  takes "256 slices" admin POST $PODS "$(many_pod 256 'hygon.com/dcunum: 1, hygon.com/dcumem: 100')"
  broken "257 slices" 'spec.containers: 257 slices together: at most 256, as one node has no more' \
    "$(many_pod 257 'hygon.com/dcunum: 1, hygon.com/dcumem: 100')"
}

what_is_refused_of_annotations() {
  local at='metadata.annotations: vdcu.io/partition: \"reserved\": ' one='hygon.com/dcunum: 1'
  local named='annotations: {vdcu.io/partition: reserved}'
  right "a policy" "$one" 'annotations: {vdcu.io/policy: Spread}'
  right "a card of its own" "$one" 'annotations: {vdcu.io/share: namespace}'
  wrong "an unknown sharing" 'metadata.annotations: vdcu.io/share: \"pod\": must be cluster or namespace' \
    "$one" 'annotations: {vdcu.io/share: pod}'
  wrong "a partition and a sharing" 'in spec.share; leave out vdcu.io/share' \
    "$one" 'annotations: {vdcu.io/share: namespace, vdcu.io/partition: r}'
  wrong "an unknown policy" 'metadata.annotations: vdcu.io/policy: \"Random\": must be BinPack, Spread or FragmentationAware' \
    "$one" 'annotations: {vdcu.io/policy: Random}'
  right "a reserved partition" "$one" "$named"
  wrong "a partition that is no name" "vdcu.io/partition: \\\"Up_1\\\": must be the name of a VDCUPartition in the pod's namespace" \
    "$one" 'annotations: {vdcu.io/partition: Up_1}'
  wrong "a partition of two cards" "${at}is one slice, and container main asks for 2 cards; ask for 1" \
    'hygon.com/dcunum: 2' "$named"
  wrong "a partition and a size" "${at}the partition says how much of which card; leave out memory, cores and the annotations that select cards" \
    "$one, hygon.com/dcumem: 500" "$named"
  wrong "a partition and a choice of cards" "${at}the partition says how much" "$one" \
    'annotations: {vdcu.io/partition: reserved, hygon.com/use-dcutype: Z100L}'
  broken "a partition for two containers" 'exactly one container must ask for it with hygon.com/dcunum: 1, and 2 ask for cards' \
    "$(many_pod 2 "$one" | sed "s|name: x|name: x, $named|")"
}

what_is_refused_of_groups() {
  local one='hygon.com/dcunum: 1' at='metadata.annotations: vdcu.io/group' size='a whole number from 1 to 256, the pods of the group'
  right "a group" "$one" 'annotations: {vdcu.io/group: Train_1, vdcu.io/group-size: "256"}'
  wrong "a group of none" "$at-size: \\\"0\\\": must be $size" "$one" 'annotations: {vdcu.io/group: train, vdcu.io/group-size: "0"}'
  wrong "a group that is too large" "$at-size: \\\"257\\\": must be $size" "$one" 'annotations: {vdcu.io/group: train, vdcu.io/group-size: "257"}'
  wrong "a group whose size is no number" "$at-size: \\\"four\\\": must be $size" "$one" 'annotations: {vdcu.io/group: train, vdcu.io/group-size: four}'
  wrong "a group without a size" "$at: \\\"train\\\": set annotation vdcu.io/group-size with it, $size" "$one" 'annotations: {vdcu.io/group: train}'
  wrong "a size without a group" "$at-size: \\\"4\\\": set annotation vdcu.io/group with it, the name that all pods of the group have" \
    "$one" 'annotations: {vdcu.io/group-size: "4"}'
  wrong "a group that is no name" "$at: \\\"a/b\\\": must be 1 to 63 characters, letters, digits, -, _ and ., the first and last a letter or digit" \
    "$one" 'annotations: {vdcu.io/group: a/b, vdcu.io/group-size: "4"}'
  wrong "a group and a partition" "$at: \\\"train\\\": pods of a group are given slices of their own; leave out annotation vdcu.io/partition" \
    "$one" 'annotations: {vdcu.io/group: train, vdcu.io/group-size: "4", vdcu.io/partition: r}'
  takes "a group of another scheduler" admin POST $PODS "$(pod "$one" 'schedulerName: volcano' 'annotations: {vdcu.io/group-size: "0"}')"
}

who_may_place() {
  local one='hygon.com/dcunum: 1' past='pods that ask for cards fail on their node unless they are placed by vdcu-scheduler or volcano'
  refuses "another scheduler" "spec.schedulerName: \\\"mine\\\": $past" admin POST $PODS "$(pod "$one" 'schedulerName: mine')"
  takes "a node by name" admin POST $PODS "$(pod "$one" 'nodeName: node-1')"
  takes "a node by name, of another scheduler" admin POST $PODS "$(pod "$one" 'nodeName: node-1, schedulerName: mine')"
  refuses "a node by name, and a reserved partition" \
    "spec.nodeName: \\\"node-1\\\": a pod that names a reserved partition (vdcu.io/partition) is given it when vdcu-scheduler binds the pod" \
    admin POST $PODS "$(pod "$one" 'nodeName: node-1' 'annotations: {vdcu.io/partition: reserved}')"
  takes "another scheduler, exempt" admin POST $PODS "$(pod "$one" 'schedulerName: mine' 'labels: {vdcu.io/webhook: ignore}')"
  takes "another scheduler, in an exempt namespace" admin POST /api/v1/namespaces/exempt/pods \
    "$(pod "$one" 'schedulerName: mine')"
  takes "another scheduler, without cards" admin POST $PODS "$(pod 'cpu: 1' 'schedulerName: mine')"
  takes "a node by name, without cards" admin POST $PODS "$(pod 'cpu: 1' 'nodeName: node-1')"
}

# The tolerations that a pod has, but those that the API server gives every pod.
readonly TOLERATIONS='[.spec.tolerations[]? | select((.key | startswith("node.kubernetes.io/")) | not)]'

with_other_values() {
  local one='hygon.com/dcunum: 1' new='{key: "example.com/dcu", operator: "Exists"}'
  install --set admission.tolerateTaint=example.com/dcu --set schedulerName=cards --set 'admission.schedulers={mine}' \
    --set memoryUnit=Gi
  wait_for_answer '"schedulerName": "cards"' "$(pod "$one")"
  wait_for_answer '"name": "x"' "$(pod "$one" 'schedulerName: mine')"
  becomes "the toleration is added" "$TOLERATIONS == [$new]" $PODS "$(pod "$one")"
  becomes "to those that are there" "$TOLERATIONS == [{key: \"a\", operator: \"Exists\"}, $new]" $PODS \
    "$(pod "$one" 'tolerations: [{key: a, operator: Exists}]')"
  becomes "once" "$TOLERATIONS == [$new]" $PODS \
    "$(pod "$one" 'tolerations: [{key: example.com/dcu, operator: Exists}]')"
  becomes "also where another of admission.schedulers places it" \
    ".spec.schedulerName == \"mine\" and $TOLERATIONS == [$new]" $PODS "$(pod "$one" 'schedulerName: mine')"
  becomes "no other pod gets it" "$TOLERATIONS == []" $PODS "$(pod 'cpu: 1')"
  takes "memory in GiB" admin POST $PODS "$(pod "$one, hygon.com/dcumem: 2" 'schedulerName: mine')"
  refuses "memory in MiB" 'hygon.com/dcumem 2000: counts GiB (--memory-unit): must be a plain number from 1 to 1024, for example 2' \
    admin POST $PODS "$(pod "$one, hygon.com/dcumem: 2000" 'schedulerName: mine')"
  refuses "a scheduler that is not named" 'unless they are placed by cards or mine' admin POST $PODS \
    "$(pod "$one" 'schedulerName: volcano')"
}

# ---- the taint of nodes with cards ----

# taint KEY EFFECT: as a patch
taint() { echo "{\"spec\": {\"taints\": [{\"key\": \"$1\", \"effect\": \"$2\"}]}}"; }

what_the_controller_may_taint() {
  local node=/api/v1/nodes/tainted deadline=$((SECONDS + 120)) answer='' more
  local only='vdcu-controller may only add the taint hygon.com/dcu:NoSchedule to a node'
  "$HELM" template vdcu charts/vdcu-operator -n vdcu-system --kube-version 1.36.0 \
    --set admission.tolerateTaint=hygon.com/dcu,admission.taintNodes=true \
    -s templates/policy/nodes.yaml -s templates/rbac/controller.yaml >"$WORK/taint.yaml"
  "$CLUSTER/kubectl" apply -f "$WORK/taint.yaml"
  user_by_impersonation controller system:serviceaccount:vdcu-system:vdcu-controller
  given "a node" admin POST /api/v1/nodes '{apiVersion: v1, kind: Node, metadata: {name: tainted}}'
  given "without taints" admin PATCH $node '{"spec": {"taints": null}}'
  until [[ $answer == *"$only"* ]]; do
    ((SECONDS < deadline)) || { echo "not after 120 s: $only: $answer" >&2; exit 1; }
    sleep 0.1
    answer=$(request controller PATCH "$(dry $node)" "$(taint a.b/c NoSchedule)")
  done
  refuses "the taint with another effect" "$only" controller PATCH $node "$(taint hygon.com/dcu NoExecute)"
  for more in '{"spec": {"unschedulable": true}}' '{"metadata": {"labels": {"a": "b"}}}' \
    '{"metadata": {"annotations": {"a": "b"}}}' '{"metadata": {"finalizers": ["a.b/c"]}}'; do
    refuses "more of a node: $more" "$only" controller PATCH $node "$more"
  done
  given "the taint" controller PATCH $node "$(taint hygon.com/dcu NoSchedule)"
  refuses "to take it away" "$only" controller PATCH $node '{"spec": {"taints": null}}'
  takes "others may" admin PATCH $node '{"spec": {"taints": null}}'
  "$CLUSTER/kubectl" delete -f "$WORK/taint.yaml"
  "$CLUSTER/kubectl" delete node/tainted
}

# ---- the controller's words ----

# words_of MESSAGE: without the field.
words_of() {
  local words=${1##*resources.limits: }
  echo "${words#metadata.annotations: }"
}

# What the controller says has the words of the policy, after the field.
the_controller_says_the_same() {
  local i said want ok deadline=$((SECONDS + 120))
  "$CLUSTER/kubectl" apply -f crds/vdcupartition.yaml -f crds/dcunode.yaml
  "$CLUSTER/kubectl" wait --for=condition=Established --timeout=60s crd/vdcupartitions.vdcu.io crd/dcunodes.vdcu.io
  build/bin/vdcu-controller --kubeconfig "$CLUSTER/admin.kubeconfig" --webhook "127.0.0.1:$WEBHOOK" \
    --webhook-host 127.0.0.1 --webhook-schedulers volcano >"$WORK/controller.log" 2>&1 &
  for i in "${!BROKEN[@]}"; do
    given "${SENTENCES[i]}, exempt" admin POST /api/v1/namespaces/exempt/pods "${BROKEN[i]/name: x/name: x$i}"
  done
  for i in "${!BROKEN[@]}"; do
    want=$(words_of "${MESSAGES[i]}")
    want=${want//\\\"/\"}
    ok=no
    while ((SECONDS < deadline)) && [[ $ok == no ]]; do
      said=$("$CLUSTER/kubectl" get pod -n exempt "x$i" -o 'jsonpath={.status.conditions[?(@.type=="PodScheduled")].message}')
      if [[ $said == *"$want"* ]]; then ok=yes; else sleep 0.1; fi
    done
    row $ok "the controller says the same: ${SENTENCES[i]}" "$said"$'\n'"wanted: $want"
  done
}

# ---- by the webhook ----

# What the chart has for Kubernetes $1, which is called at the controller that runs here.
install_webhook() {
  "$HELM" template vdcu charts/vdcu-operator -n vdcu-system --kube-version "$1" \
    -s templates/admission/webhook.yaml |
    "$CLUSTER/kubectl" create --dry-run=client -o json -f - |
    jq --arg url "https://127.0.0.1:$WEBHOOK" 'if .webhooks then
      .webhooks[].clientConfig |= {url: ($url + .service.path)} else . end' |
    "$CLUSTER/kubectl" apply -f -
}

the_webhook_says_the_same() {
  local i one='hygon.com/dcunum: 1'
  "$CLUSTER/kubectl" delete --wait \
    validatingadmissionpolicy/pod-requests.vdcu.io validatingadmissionpolicybinding/pod-requests.vdcu.io \
    mutatingadmissionpolicy/pod-scheduler.vdcu.io mutatingadmissionpolicybinding/pod-scheduler.vdcu.io
  wait_for_answer '"schedulerName": "default-scheduler"' "$(pod "$one")"
  install_webhook 1.28.0
  wait_for_answer '"schedulerName": "vdcu-scheduler"' "$(pod "$one")"
  what_a_pod_becomes
  for i in "${!BROKEN[@]}"; do
    refuses "by the webhook: ${SENTENCES[i]}" "$(words_of "${MESSAGES[i]}")" admin POST $PODS "${BROKEN[i]}"
  done
  who_may_place
  install_webhook 1.30.0
  what_a_pod_becomes
}

main() {
  [[ -e $CLUSTER/kubectl ]] || tests/cluster/cluster up "$CLUSTER"
  user_by_certificate admin
  "$CLUSTER/kubectl" create namespace vdcu-system
  "$CLUSTER/kubectl" create namespace exempt
  "$CLUSTER/kubectl" label namespace exempt vdcu.io/webhook=ignore
  install
  wait_for_answer '"schedulerName": "vdcu-scheduler"' "$(pod 'hygon.com/dcunum: 1')"
  wait_for_answer 'at most 64' "$(ours 'hygon.com/dcunum: 65')"
  what_a_pod_becomes
  what_is_refused
  what_is_refused_of_several
  what_is_refused_of_annotations
  what_is_refused_of_groups
  who_may_place
  with_other_values
  what_the_controller_may_taint
  the_controller_says_the_same
  the_webhook_says_the_same
  echo "$PASSED passed, $FAILED failed"
  ((FAILED == 0))
}

main
