# Checks with a sentence each: sourced by the shell tests of tests/cluster and tests/machine.
# shellcheck shell=bash

PASSED=0
FAILED=0

# check SENTENCE COMMAND...
check() {
  local sentence=$1 output
  shift
  if output=$("$@" 2>&1); then
    PASSED=$((PASSED + 1))
    echo "ok: $sentence"
  else
    FAILED=$((FAILED + 1))
    printf 'FAILED: %s\n%s\n' "$sentence" "$output"
  fi
}

exits_with() { local want=$1 got=0; shift; "$@" || got=$?; ((got == want)); }
prints() { local want=$1 got; shift; got=$("$@") && echo "$got" && [[ $got == *"$want"* ]]; }
prints_no() { local bad=$1 got; shift; got=$("$@") && echo "$got" && [[ $got != *"$bad"* ]]; }
# fails_with TEXT COMMAND...: fails, and says TEXT
fails_with() {
  local want=$1 got
  shift
  ! got=$("$@" 2>&1) && echo "$got" && [[ $got == *"$want"* ]]
}

sum_up() {
  echo "$PASSED passed, $FAILED failed"
  ((FAILED == 0))
}
