#!/usr/bin/env bash
# The three renderings of the CRDs (tools/render-crd) on real kube-apiservers: each is taken as a
# whole and refuses each mistake, by its schema alone where there are no rules. All three on the
# control plane of the other tests; on older ones, which `make compat` builds, the one that is theirs.
# Those that the cache has not are named and left out.
# usage: crds_renderings_test.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

[[ ${VDCU_GUARDED_BY:-} == "$PPID" ]] || exec tests/cluster/guarded "tests/integration/${0##*/}" "$@"
readonly WORK=$VDCU_TEST_FOLDER API=/apis/vdcu.io/v1alpha1
readonly PARTITIONS=$API/namespaces/default/vdcupartitions NODES=$API/dcunodes
readonly MASKS='cuMasks: ["0x000000000000001f", "0x0000000000000000"]'
readonly SLICE="node: node-1, device: card, pciBusID: '0000:33:00.0', computeUnits: 5, memory: 1000Mi"
CLUSTER=
# shellcheck source=tests/integration/request_table.sh
source tests/integration/request_table.sh

partition() { echo "{apiVersion: vdcu.io/v1alpha1, kind: VDCUPartition, metadata: {name: x}, spec: $1}"; }
asks() { takes "$1" admin POST "$PARTITIONS" "$(partition "$2")"; }
asks_wrong() { refuses "$1" "$2" admin POST "$PARTITIONS" "$(partition "$3")"; }
patch() { takes "$1" admin PATCH "$PARTITIONS/there" "{\"spec\": $2}"; }
patch_wrong() { refuses "$1" "$2" admin PATCH "$PARTITIONS/there" "{\"spec\": $3}"; }

# ---- what is judged ----

# whatever the Kubernetes and the rendering
mistakes() {
  local value
  asks "nothing" '{}'
  asks "percent and memory" '{cores: 15, memory: 2000Mi}'
  asks "all memory" '{computeUnits: 128, memory: 1Ti}'
  for value in 2000 '"2000"' '"2.5"' '""' 2000000 2Ti 0Mi -5Mi 1.5Gi 512Ki 2000M lots muchMi '{}' '[1]' true; do
    asks_wrong "memory $value" spec.memory "{memory: $value}"
  done
  asks_wrong "cores and computeUnits" spec '{cores: 5, computeUnits: 5}'
  asks_wrong "no cores" 'spec.cores' '{cores: 0}'
  asks_wrong "cores above 100" spec.cores '{cores: 101}'
  asks_wrong "cores as a text" spec.cores '{cores: "5"}'
  asks_wrong "too many units" spec.computeUnits '{computeUnits: 129}'
  asks_wrong "an unknown policy" spec.policy '{policy: Random}'
  asks_wrong "an unknown sharing" spec.share '{share: pod}'
  asks_wrong "a model without a name" spec.devices.models '{devices: {models: [""]}}'
  asks_wrong "a model twice" spec.devices.models '{devices: {models: [a, a]}}'
  asks_wrong "a selected label that is no text" spec.nodeSelector '{nodeSelector: {a: 1}}'
  asks_wrong "a pod without UID" spec.podRef '{podRef: {name: a, container: b}}'
  asks "a slice" "{assignment: {$SLICE, $MASKS, pipe: 0, vdev: 4}}"
  asks "a whole card" "{assignment: {$SLICE, $MASKS}}"
  asks_wrong "a pipe without vdev" spec.assignment "{assignment: {$SLICE, $MASKS, pipe: 0}}"
  asks_wrong "a vdev without pipe" spec.assignment "{assignment: {$SLICE, $MASKS, vdev: 4}}"
  asks_wrong "pipe 4" spec.assignment.pipe "{assignment: {$SLICE, $MASKS, pipe: 4, vdev: 4}}"
  asks_wrong "a short mask" spec.assignment.cuMasks "{assignment: {$SLICE, cuMasks: ['0x1f', '0x0']}}"
  asks_wrong "no masks" spec.assignment.cuMasks "{assignment: {$SLICE}}"
  for value in 512 '"12"' 512Ki 1.5Gi lots 2Ti; do
    refuses "a reserve of $value" spec.memoryReserve admin POST $NODES \
      "{apiVersion: vdcu.io/v1alpha1, kind: DCUNode, metadata: {name: x}, spec: {memoryReserve: $value}}"
  done
  takes "no reserve" admin POST $NODES \
    '{apiVersion: vdcu.io/v1alpha1, kind: DCUNode, metadata: {name: x}, spec: {memoryReserve: 0Mi}}'
}

# what only rules say
words_and_changes() {
  if [[ $1 == 1.20 ]]; then
    patch "cores change, which is ignored" '{"cores": 6}'
    return
  fi
  asks_wrong "a number, in words" 'write a unit, for example 2000Mi' '{memory: 2000}'
  asks_wrong "both, in words" 'set cores (percent) or computeUnits, not both' '{cores: 5, computeUnits: 5}'
  asks_wrong "a label without a name" spec.nodeSelector '{nodeSelector: {"": x}}'
  patch_wrong "cores change" 'cores is immutable' '{"cores": 6}'
  patch_wrong "cores vanish" 'cores is immutable' '{"cores": null}'
}

# ---- on what ----

# taken_up RENDERING: a schema that is replaced works a moment later.
is_taken_up() {
  local answer
  case $1 in
    1.20) answer=$(request admin POST "$PARTITIONS?dryRun=All" "$(partition '{memory: 2000}')") ;;
    1.25) answer=$(request admin POST "$PARTITIONS?dryRun=All" "$(partition '{cores: 5, computeUnits: 5}')") ;;
    1.31) answer=$(request admin GET "$API/vdcupartitions?fieldSelector=spec.assignment.node%3Dn") ;;
  esac
  case $1 in
    1.20) [[ $answer == *"type string"* ]] ;;
    1.25) [[ $answer == *"not both"* ]] ;;
    1.31) [[ $(tail -n 1 <<<"$answer") == 200 ]] ;;
  esac
}

judge() {
  local rendering=$1 where=$2 deadline=$((SECONDS + 120))
  echo "--- the rendering for $rendering on $where"
  "$CLUSTER/kubectl" apply -f "charts/vdcu-operator/files/crds/$rendering" >"$WORK/apply.log" 2>&1 ||
    { row no "it is taken" "$(cat "$WORK/apply.log")"; return; }
  "$CLUSTER/kubectl" wait --for=condition=Established --timeout=120s crd/vdcupartitions.vdcu.io \
    crd/dcunodes.vdcu.io >/dev/null
  until is_taken_up "$rendering"; do
    ((SECONDS < deadline)) || { row no "it is taken up" "not after 120 s"; return; }
    sleep 0.1
  done
  "$CLUSTER/kubectl" delete vdcupartition there --ignore-not-found >/dev/null
  given "a partition" admin POST "$PARTITIONS" "{apiVersion: vdcu.io/v1alpha1, kind: VDCUPartition,
    metadata: {name: there}, spec: {cores: 5}}"
  mistakes
  words_and_changes "$rendering"
}

# with_cluster NAME COMMAND...: with a control plane of the binaries in KUBEBUILDER_ASSETS, if set
with_cluster() {
  CLUSTER=$WORK/$1
  shift
  tests/cluster/cluster up "$CLUSTER"
  user_by_certificate admin
  "$@"
  tests/cluster/cluster down "$CLUSTER"
}

all_on_newest() {
  local rendering
  for rendering in 1.20 1.25 1.31; do judge $rendering "the newest"; done
}

older() {
  local version folder
  while read -r version folder; do
    if [[ $folder == - ]]; then
      echo "LEFT OUT: kube-apiserver $version is not in the cache (make compat builds it)"
    else
      KUBEBUILDER_ASSETS=$folder with_cluster "$version" judge "$(tests/compat/build --crds "$version")" "$version"
    fi
  done < <(tests/compat/build --list)
}

with_cluster newest all_on_newest
older
echo "$PASSED passed, $FAILED failed"
((FAILED == 0))
