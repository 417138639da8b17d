#!/usr/bin/env bash
# The images of tools/images: what is in them, who they run as, that they run, and that the same source
# gives the same digest. Needs the binaries in build/, and root for buildah; is skipped without.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

((EUID == 0)) || { echo "needs root"; exit 77; }
[[ ${VDCU_GUARDED_BY:-} == "$PPID" ]] || exec tests/cluster/guarded "tests/chart/${0##*/}" "$@"
readonly WORK=$VDCU_TEST_FOLDER NAMES=(vdcu-controller vdcu-node)
# shellcheck source=tests/cluster/checks.sh
source tests/cluster/checks.sh

blob() { cat "$WORK/$1.layout/blobs/sha256/${2#sha256:}"; }

unpack() {
  mkdir -p "$WORK/$1.layout" "$WORK/$1.root"
  tar -C "$WORK/$1.layout" -xf "$WORK/one/$1.tar"
  local manifest layer
  manifest=$(blob "$1" "$(cat "$WORK/one/$1.digest")")
  blob "$1" "$(jq -r .config.digest <<<"$manifest")" >"$WORK/$1.config.json"
  while read -r layer; do
    blob "$1" "$layer" | tar -C "$WORK/$1.root" -xzf -
  done < <(jq -r '.layers[].digest' <<<"$manifest")
}

config() { jq -e "$2" "$WORK/$1.config.json"; }

# Binary, libraries and the loader are all ELF, and only one is a program.
only_what_runs() {
  local file others=0
  while read -r file; do
    case $file in
      ./usr/bin/"$1" | ./lib/*.so* | ./usr/lib/*.so* | ./lib64/ld-linux* | ./etc/passwd | ./etc/nsswitch.conf) ;;
      *) echo "$file"; others=1 ;;
    esac
  done < <(cd "$WORK/$1.root" && find . ! -type d)
  ((others == 0))
}
below_60_mib() { (($(du -sm "$WORK/$1.root" | cut -f1) < 60)); }

runs() { chroot --userspec="$2:$2" "$WORK/$1.root" /usr/bin/"$1" --version; }

main() {
  local name version
  version=$(sed -n 's/^project(vdcu-operator VERSION \([^ ]*\).*/\1/p' CMakeLists.txt)
  tools/images "$WORK/one" >"$WORK/log" 2>&1 || { cat "$WORK/log"; exit 1; }
  (umask 077; TZ=Asia/Shanghai tools/images "$WORK/two") >"$WORK/log" 2>&1 || { cat "$WORK/log"; exit 1; }
  chmod 755 "$WORK"
  for name in "${NAMES[@]}"; do
    unpack "$name"
    check "$name: built twice it is the same" cmp "$WORK/one/$name.tar" "$WORK/two/$name.tar"
    check "$name: nothing but what runs is in it" only_what_runs "$name"
    check "$name: below 60 MiB" below_60_mib "$name"
    check "$name: its entry point" config "$name" ".config.Entrypoint == [\"/usr/bin/$name\"]"
    check "$name: its labels" config "$name" ".config.Labels | (.\"org.opencontainers.image.title\" == \"$name\"
      and .\"org.opencontainers.image.version\" == \"$version\" and .\"org.opencontainers.image.licenses\" == \"Apache-2.0\"
      and (.\"org.opencontainers.image.revision\" | length) >= 7)"
  done
  check "the controller is not root" config vdcu-controller '.config.User == "65532:65532"'
  check "the daemon is" config vdcu-node '.config.User == "0:0"'
  check "the controller runs" prints "$version" runs vdcu-controller 65532
  check "the daemon runs" prints "$version" runs vdcu-node 0
  sum_up
}

main
