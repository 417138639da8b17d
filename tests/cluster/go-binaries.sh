# Go binaries in a cache outside the tree, built from pinned modules: sourced by the scripts named
# build, which set SUBJECT, CACHE and BIN (a folder in CACHE) and tell what each binary is made from:
# module_of (its folder), package_of, tags_of, ldflags_of, cold_seconds.
# shellcheck shell=bash

readonly HEARTBEAT_SECONDS=30
WITHOUT_GO="Install Go 1.26 or later"  # for a script to add what else helps

say() { echo "$SUBJECT: $*" >&2; }
die() { say "$*"; exit 1; }

# The version that a module's go.mod pins, without the v: pinned MODULE-FOLDER MODULE-PATH
pinned() {
  awk -v path="$2" '{sub(/^require /, "")} $1 == path && $2 ~ /^v/ {print substr($2, 2); exit}' \
    "$1/go.mod"
}

# Without the version linked in, kubectl and helm take the server for v0.0.0 and refuse it.
kubernetes_ldflags() {
  local version=$1 package
  for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    printf -- '-X %s=%s ' \
      "$package.gitVersion" "v$version" \
      "$package.gitMajor" "$(cut -d. -f1 <<<"$version")" \
      "$package.gitMinor" "$(cut -d. -f2 <<<"$version")" \
      "$package.gitCommit" "v$version" \
      "$package.gitTreeState" clean \
      "$package.buildDate" 1970-01-01T00:00:00Z
  done
}

# run_with_heartbeat SUBJECT LOG COMMAND...: says every half minute that the command still works.
run_with_heartbeat() {
  local label=$1 log=$2 began=$SECONDS next=$((SECONDS + HEARTBEAT_SECONDS))
  shift 2
  "$@" >"$log" 2>&1 9>&- &
  local child=$!
  # shellcheck disable=SC2064  # the child of now is meant
  trap "kill $child 2>/dev/null; exit 130" INT TERM
  while kill -0 "$child" 2>/dev/null; do
    if ((SECONDS >= next)); then
      say "$label: $((SECONDS - began)) s"
      next=$((next + HEARTBEAT_SECONDS))
    fi
    sleep 0.2
  done
  trap - INT TERM
  wait "$child"
}

# build_group LABEL NAME...: binaries of one module with the same tags and flags, by one go build: what
# they share is compiled once, and one is linked while another is compiled. Several must be named as
# their packages are. They go into the cache by rename only, so that a binary that is there is whole.
# All are linked without debug information (-s -w), so none is made, which saves a fourteenth of the
# time. Below a gigabyte the compiler collects no garbage, which saves a tenth.
build_group() {
  local label=$1 began=$SECONDS name packages=()
  shift
  local partial="$BIN/.partial" log="$CACHE/$1.log"
  for name in "$@"; do packages+=("$(package_of "$name")"); done
  rm -rf "$partial"
  mkdir "$partial"
  say "$label: building"
  if ! run_with_heartbeat "$label" "$log" env CGO_ENABLED=0 GOWORK=off GOGC=off GOMEMLIMIT=1GiB \
    nice go build -C "$(module_of "$1")" -mod=readonly -trimpath -tags "$(tags_of "$1")" \
    -gcflags all=-dwarf=false -ldflags "$(ldflags_of "$1")" \
    -o "$partial/$( (($# > 1)) || echo "$1")" "${packages[@]}"; then
    tail -n 20 "$log" >&2
    rm -rf "$partial"
    die "$label: go build failed, the whole output is in $log"
  fi
  for name in "$@"; do mv "$partial/$name" "$BIN/$name"; done
  rm -rf "$partial"
  say "$label: built in $((SECONDS - began)) s"
}

# What go build is told besides the package.
settings_of() { echo "$(module_of "$1")|$(tags_of "$1")|$(ldflags_of "$1")"; }

# build_all NAME...: in groups, those of the first name's settings first.
build_all() {
  local names=("$@") group rest name done=0
  while ((${#names[@]} > 0)); do
    group=() rest=()
    for name in "${names[@]}"; do
      if [[ $(settings_of "$name") == "$(settings_of "${names[0]}")" ]]; then group+=("$name"); else rest+=("$name"); fi
    done
    done=$((done + ${#group[@]}))
    build_group "${group[*]} ($done of $#)" "${group[@]}"
    names=("${rest[@]}")
  done
}

missing() {
  local name
  for name in "$@"; do
    [[ -x $BIN/$name ]] || echo "$name"
  done
}

build_missing() {
  local todo name seconds=0
  mapfile -t todo < <(missing "$@")
  ((${#todo[@]} > 0)) || return 0
  command -v go >/dev/null ||
    die "Go is not installed, and these are not in $BIN: ${todo[*]}. $WITHOUT_GO."
  mkdir -p "$BIN"
  exec 9>"$CACHE/lock"
  if ! flock -n 9; then
    say "another build fills $BIN, waiting for it"
    flock 9
  fi
  mapfile -t todo < <(missing "$@")
  for name in "${todo[@]}"; do seconds=$((seconds + $(cold_seconds "$name"))); done
  ((${#todo[@]} == 0)) ||
    say "building ${todo[*]} from Go modules into $BIN," \
      "at most about $(((seconds + 59) / 60)) min on 2 cores, only this once"
  build_all "${todo[@]}"
  exec 9>&-
}

# One folder for binaries of two origins: links, replaced by rename.
link_into() {
  local folder=$1 origin=$2 name
  shift 2
  mkdir -p "$folder"
  for name in "$@"; do
    [[ $(readlink "$folder/$name" || true) != "$origin/$name" ]] || continue
    ln -s "$origin/$name" "$folder/.$name.$$"
    mv -T "$folder/.$name.$$" "$folder/$name"
  done
}
