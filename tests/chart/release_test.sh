#!/usr/bin/env bash
# What tools/release makes of the version of this tree: all of one version, the checksums right, the
# same twice; and what it refuses. Needs the binaries in build/, and root for buildah; is skipped without.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

((EUID == 0)) || { echo "needs root"; exit 77; }
[[ ${VDCU_GUARDED_BY:-} == "$PPID" ]] || exec tests/cluster/guarded "tests/chart/${0##*/}" "$@"
readonly WORK=$VDCU_TEST_FOLDER
VERSION=$(sed -n 's/^project(vdcu-operator VERSION \([^ ]*\).*/\1/p' CMakeLists.txt)
readonly VERSION OUT="$WORK/one"
# shellcheck source=tests/cluster/checks.sh
source tests/cluster/checks.sh

checksums_are_right() { (cd "$OUT" && sha256sum --check --quiet SHA256SUMS && (($(wc -l <SHA256SUMS) == $(find . -type f | wc -l) - 1))); }
binary_version() { tar -C "$WORK" -xzf "$OUT/vdcu-operator-$VERSION-linux-$(uname -m).tar.gz" && "$WORK/vdcu-operator-$VERSION/bin/$1" --version; }
chart_images() { "$(tests/chart/build)/helm" template vdcu "$OUT/vdcu-operator-$VERSION.tgz" | sed -n 's/^ *image: //p'; }
image_name() { tar -xOf "$OUT/$1-$VERSION.oci.tar" ./index.json | jq -r '.manifests[0].annotations["io.containerd.image.name"]'; }
spdx() { jq -e "$2" "$OUT/$1-$VERSION.spdx.json"; }

main() {
  local name
  tools/release "$VERSION" "$OUT" >"$WORK/log" 2>&1 || { cat "$WORK/log"; exit 1; }
  check "SHA256SUMS has all" checksums_are_right
  for name in vdcu-controller vdcu-node; do
    check "$name: the binary's version" prints "$VERSION" binary_version $name
    check "$name: the image's is the chart's" prints "$(image_name $name)" chart_images
    check "$name: SPDX names it and what it links" spdx $name ".spdxVersion == \"SPDX-2.3\" and .packages[0].name == \"$name\"
      and .packages[0].versionInfo == \"$VERSION\" and ([.packages[].name] | contains([\"libc6\", \"libcurl4\", \"libssl3\"]))
      and (.packages | length) == (.relationships | length) and ([.packages[].SPDXID] | length == (unique | length))"
  done
  check "the manifests are those of config/" diff "$OUT/vdcu-operator-$VERSION.yaml" <(kubectl_kustomize)
  tools/release "$VERSION" "$WORK/two" >/dev/null
  check "twice it is the same" cmp "$OUT/SHA256SUMS" "$WORK/two/SHA256SUMS"
  check "another version is refused" fails_with 'CMakeLists.txt: want project(vdcu-operator VERSION 99.0.0' \
    tools/release 99.0.0 "$WORK/three"
  check "what is no version is wrong usage" exits_with 2 tools/release v1 "$WORK/three"
  sum_up
}
kubectl_kustomize() { "$(tests/cluster/build kubectl)/kubectl" kustomize config; }

main
