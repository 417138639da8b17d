# A table of requests to a kube-apiserver, each with a sentence, and the users who send them: sourced
# by tests that set WORK (a folder for credentials) and CLUSTER (of tests/cluster).
# shellcheck shell=bash
PASSED=0
FAILED=0

# ---- requests ----

# request USER METHOD PATH [BODY]: the response; its HTTP code is its last line.
request() {
  local user=$1 method=$2 path=$3 body=${4:-} type=application/yaml
  [[ $method != PATCH ]] || type=application/merge-patch+json
  curl --silent --show-error --config "$WORK/$user.curl" --request "$method" \
    --header "Content-Type: $type" ${body:+--data-binary "$body"} \
    --write-out '\n%{http_code}\n' "$(cat "$CLUSTER/apiserver.url")$path"
}

dry() { if [[ $1 == *\?* ]]; then echo "$1&dryRun=All"; else echo "$1?dryRun=All"; fi; }

row() {
  local ok=$1 sentence=$2 answer=$3
  if [[ $ok == yes ]]; then
    PASSED=$((PASSED + 1))
    echo "ok: $sentence"
  else
    FAILED=$((FAILED + 1))
    printf 'FAILED: %s\n%s\n' "$sentence" "$answer"
  fi
}

# takes SENTENCE USER METHOD PATH [BODY]
takes() {
  local sentence=$1 user=$2 method=$3 path=$4 body=${5:-} answer ok=no
  answer=$(request "$user" "$method" "$(dry "$path")" "$body")
  [[ $(tail -n 1 <<<"$answer") != 2?? ]] || ok=yes
  row $ok "$sentence" "$answer"
}

# refuses SENTENCE MESSAGE-PART USER METHOD PATH [BODY]
refuses() {
  local sentence=$1 want=$2 user=$3 method=$4 path=$5 body=${6:-} answer ok=no
  answer=$(request "$user" "$method" "$(dry "$path")" "$body")
  if [[ $(tail -n 1 <<<"$answer") == 4?? && $answer == *"$want"* ]]; then ok=yes; fi
  row $ok "refused: $sentence" "$answer"$'\n'"wanted: $want"
}

# given SENTENCE USER METHOD PATH BODY: really done
given() {
  local sentence=$1 answer
  shift
  answer=$(request "$@")
  [[ $(tail -n 1 <<<"$answer") == 2?? ]] ||
    { printf 'not possible: %s\n%s\n' "$sentence" "$answer" >&2; exit 1; }
}

# ---- users ----

# The curl configurations of the users: a certificate of system:masters, or a token.
user_by_certificate() {
  local part
  for part in certificate key; do
    sed -n "s/.*client-$part-data: //p" "$CLUSTER/admin.kubeconfig" | base64 -d >"$WORK/$1.$part"
  done
  printf 'cacert = "%s"\ncert = "%s"\nkey = "%s"\n' "$CLUSTER/pki/ca.crt" \
    "$WORK/$1.certificate" "$WORK/$1.key" >"$WORK/$1.curl"
}

# user_by_token USER NAMESPACE SERVICEACCOUNT [NODE]
user_by_token() {
  local user=$1
  shift
  tests/cluster/cluster token-kubeconfig "$CLUSTER" "$WORK/$user" "$@"
  printf 'cacert = "%s"\nheader = "Authorization: Bearer %s"\n' "$CLUSTER/pki/ca.crt" \
    "$(cat "$WORK/$user.token")" >"$WORK/$user.curl"
}

# as the garbage collector of kube-controller-manager
user_by_impersonation() {
  { cat "$WORK/admin.curl"; echo "header = \"Impersonate-User: $2\""; } >"$WORK/$1.curl"
}
