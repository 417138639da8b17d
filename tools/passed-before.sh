# Checks of single files remember what passed, by content: sourced by tools/check-headers and
# tools/tidy. A stamp lists the checksums of all files that a verdict depends on.
# shellcheck shell=bash

# passed_before STAMP: nothing that it depends on has changed since.
passed_before() { [[ -f $1 ]] && sha256sum --check --status "$1" 2>/dev/null; }

# remember STAMP TOOL FILE...: not where the files could not be told.
remember() {
  local stamp=$1
  shift
  (($# > 1)) || return 1
  mkdir -p "$(dirname "$stamp")"
  sha256sum "$@" >"$stamp.$$"
  mv "$stamp.$$" "$stamp"
}

# project_includes FILE: the files of the project that it includes, itself first.
project_includes() {
  g++ -std=c++20 -I. -MM -MT x -x c++ "$1" | sed -e 's/^x://' -e 's/\\$//' | xargs -n 1
}
