#!/usr/bin/env bash
# Copies the kubelet's API definitions out of the Go module that the development control plane pins:
# protos.sh FOLDER. They are the interface's source (Apache-2.0) and are not kept in this tree.
# VDCU_KUBELET_MODULE may name a folder that holds the module k8s.io/kubelet; then no Go is needed.
set -euo pipefail

readonly OUT=$1
MODULES=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../tests/cluster/modules/kubernetes" && pwd)
readonly MODULES

module_folder() {
  if [[ -n ${VDCU_KUBELET_MODULE:-} ]]; then
    echo "$VDCU_KUBELET_MODULE"
    return
  fi
  command -v go >/dev/null || {
    echo "Go is not installed: install Go 1.26 or later, or set VDCU_KUBELET_MODULE" >&2
    exit 1
  }
  # The module of the replacement: the version that go.mod requires and the hash in go.sum.
  (cd "$MODULES" && GOWORK=off GOFLAGS=-mod=mod go mod download -json k8s.io/kubelet) |
    sed -n 's/^\t"Dir": "\(.*\)",$/\1/p'
}

FOLDER=$(module_folder)
readonly FOLDER
mkdir -p "$OUT"
for api in deviceplugin/v1beta1 podresources/v1; do
  source=$FOLDER/pkg/apis/$api/api.proto
  [[ -r $source ]] || { echo "$source is not there: want the module k8s.io/kubelet" >&2; exit 1; }
  install -m 0644 "$source" "$OUT/${api%/*}.proto"
done
