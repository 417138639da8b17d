# What the story is told with: sourced by demo/story, which sets WORK and KUBECTL.
# shellcheck shell=bash

readonly WAIT_SECONDS=180  # for anything that the story says will happen

if [[ -t 1 ]]; then
  readonly BOLD=$'\e[1m' DIM=$'\e[2m' GREEN=$'\e[32m' RED=$'\e[31m' PLAIN=$'\e[0m'
else
  readonly BOLD='' DIM='' GREEN='' RED='' PLAIN=''
fi
STEPS=0
CHECKS=0

step() {
  STEPS=$((STEPS + 1))
  printf '\n%s%2d. %s%s\n' "$BOLD" "$STEPS" "$*" "$PLAIN"
}

die() {
  printf '%sdemo: %s%s\n' "$RED" "$*" "$PLAIN" >&2
  exit 1
}

# show COMMAND...: prints the command as one would type it, and what it says.
show() {
  printf '    %s$ %s%s\n' "$DIM" "$*" "$PLAIN"
  "$@" | sed 's/^/    /'
}

kubectl() { "$KUBECTL" "$@"; }

# ok SENTENCE: one more thing is as the story says.
ok() {
  CHECKS=$((CHECKS + 1))
  printf '    %sok:%s %s\n' "$GREEN" "$PLAIN" "$*"
}

# same SENTENCE WANT GOT
same() {
  [[ $2 == "$3" ]] || die "$1: want $2, got $3"
  ok "$1: $3"
}

# until_true SENTENCE COMMAND...: waits for the command to succeed.
until_true() {
  local sentence=$1 deadline=$((SECONDS + WAIT_SECONDS))
  shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < deadline)) || die "not within $WAIT_SECONDS s: $sentence ($*)"
    sleep 0.1
  done
}

# wait_for OBJECT CONDITION...: kubectl wait, for an object that need not be there yet.
wait_for() {
  local object=$1
  shift
  kubectl wait --for=create "$object" --timeout="${WAIT_SECONDS}s" >/dev/null ||
    die "$object was not made within $WAIT_SECONDS s"
  kubectl wait "$@" "$object" --timeout="${WAIT_SECONDS}s" >/dev/null ||
    die "$object: not within $WAIT_SECONDS s: $*"
}

# ---- processes ----

# Ours has the demo's folder among its arguments; somebody else may have got the pid since.
runs() {
  local pid
  pid=$(cat "$WORK/pids/$1" 2>/dev/null) || return 1
  { tr '\0' '\n' <"/proc/$pid/cmdline"; } 2>/dev/null | grep -qF -- "$WORK/"
}

ended() { ! runs "$1"; }

# start NAME COMMAND...: NAME also names the log and the pid file.
start() {
  local name=$1
  shift
  setsid "$@" </dev/null >>"$WORK/logs/$name.log" 2>&1 &
  echo $! >"$WORK/pids/$name"
  disown
}

# signal SIGNAL NAME...: and waits until they have ended.
signal() {
  local signal=$1 name
  shift
  for name in "$@"; do
    ! runs "$name" || kill "-$signal" "$(cat "$WORK/pids/$name")" 2>/dev/null || true
  done
  for name in "$@"; do until_true "$name ends on SIG$signal" ended "$name"; done
}

# The machines first: their kubelets need no API server to end.
end_cluster() {
  local machine
  for machine in "$WORK"/machine/*/; do
    [[ ! -d $machine ]] || tests/machine/machine down "$machine"
  done
  [[ ! -d $WORK/cluster/pids ]] || tests/cluster/cluster down "$WORK/cluster"
}

last_logs() {
  local log
  for log in "$WORK"/logs/*.log; do
    [[ -s $log ]] || continue
    printf -- '--- the end of %s\n' "$log" >&2
    tail -n 15 "$log" >&2
  done
}
