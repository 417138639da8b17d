# Processes that live below one folder, and their ports: sourced by scripts that set DIR and
# WAIT_SECONDS and define say and die. Below DIR: pids/NAME, args/NAME, logs/NAME.log, bin/NAME.
# shellcheck shell=bash

readonly ATTEMPTS=5        # to find ports that nobody else takes in the same moment
readonly END_SECONDS=60    # for what SIGKILL was sent to

# shellcheck source=ports.sh
source "$(dirname "${BASH_SOURCE[0]}")/ports.sh"

# ---- processes ----

pid_of() { cat "$DIR/pids/$1" 2>/dev/null; }

# A pid may have gone to somebody else: ours has a path below DIR among its arguments. The command
# line of a zombie is empty, so one that nobody reaps counts as ended.
runs() {
  local pid arguments
  pid=$(pid_of "$1") || return 1
  for _ in {1..100}; do
    arguments=$({ tr '\0' '\n' <"/proc/$pid/cmdline"; } 2>/dev/null) || return 1
    [[ -z $arguments ]] || break
    # Between two programs (exec) there is none for a moment, too.
    [[ $(awk '/^State:/ {print $2}' "/proc/$pid/status" 2>/dev/null) == [^Z]* ]] || return 1
    sleep 0.01
  done
  [[ $arguments == *"$DIR/"* ]]
}

# The command line goes with the first thread; the others may hold ports for some time after it.
dies() {
  local threads
  threads=$(awk '/^State:/ {state = $2} /^Threads:/ {print state == "Z" ? $2 : 0}' \
    "/proc/$(pid_of "$1")/status" 2>/dev/null) || return 1
  ((${threads:-0} > 1))
}

wait_for_end() {
  local name=$1 deadline=$((SECONDS + $2))
  while runs "$name" || dies "$name"; do
    ((SECONDS < deadline)) || return 1
    sleep 0.02
  done
}

# end NAME SIGNAL: sends the signal, and SIGKILL where that did not help within some seconds.
end() {
  local name=$1 signal=$2
  if runs "$name"; then
    kill "-$signal" "$(pid_of "$name")" 2>/dev/null || true
    if ! wait_for_end "$name" 5; then
      kill -KILL "$(pid_of "$name")" 2>/dev/null || true
      wait_for_end "$name" "$END_SECONDS" || die "$name (pid $(pid_of "$name")) does not end"
    fi
  fi
  rm -f "$DIR/pids/$name"
}

# The caller may read our output through a pipe until its end, and may have leaked other
# descriptors to us: what outlives us must hold none of them.
close_inherited_descriptors() {
  local path fd
  for path in "/proc/$BASHPID/fd"/*; do
    fd=${path##*/}
    ((fd <= 2)) || eval "exec $fd>&-"
  done
}

arguments() {
  local name=$1
  shift
  printf '%s\n' "$@" >"$DIR/args/$name"
}

# launch NAME COMMAND...: in a session of its own, with its output in DIR/logs/NAME.log.
launch() {
  local name=$1
  shift
  (
    close_inherited_descriptors
    exec setsid "$@"
  ) </dev/null >>"$DIR/logs/$name.log" 2>&1 &
  echo $! >"$DIR/pids/$name"
  # Until the exec its command line is still this script's, and 'runs' would not know it.
  until runs "$name" || ! kill -0 $! 2>/dev/null; do sleep 0.01; done
  disown
}

# Starts DIR/bin/NAME with the arguments in DIR/args/NAME, one a line.
start() {
  local name=$1 arguments
  mapfile -t arguments <"$DIR/args/$name"
  launch "$name" "$DIR/bin/$name" "${arguments[@]}"
}

fail_with_log() {
  tail -n 20 "$DIR/logs/$1.log" >&2 || true
  die "$1 $2, its log is $DIR/logs/$1.log"
}

# ---- ports ----

# Whether NAME itself listens on PORT: somebody else may have taken it in between.
owns_port() {
  local sockets
  sockets=$(listeners "$2")
  [[ -n $sockets ]] || return 1
  find "/proc/$(pid_of "$1")/fd" -lname 'socket:*' -printf '%l\n' 2>/dev/null |
    grep -xF -- "$sockets" >/dev/null
}

# wait_for_port NAME PORT: fails when NAME has ended because the port was taken.
wait_for_port() {
  local name=$1 port=$2 deadline=$((SECONDS + WAIT_SECONDS))
  until owns_port "$name" "$port"; do
    if ! runs "$name"; then
      ! grep -q 'address already in use' "$DIR/logs/$name.log" || return 1
      fail_with_log "$name" "ended"
    fi
    ((SECONDS < deadline)) || fail_with_log "$name" "does not listen after $WAIT_SECONDS s"
    sleep 0.02
  done
}

# on_free_ports FUNCTION...: calls it until it does not fail for a port that somebody else took.
on_free_ports() {
  local attempt
  for ((attempt = 1; attempt <= ATTEMPTS; ++attempt)); do
    if "$@"; then return; fi
    say "a port was taken in between, trying others ($attempt of $ATTEMPTS)"
  done
  die "found no free ports for $1 in $ATTEMPTS attempts"
}
