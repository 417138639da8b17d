# Certificates and kubeconfigs of one cluster: sourced by tests/cluster/cluster, which sets DIR.
# shellcheck shell=bash
# EC keys throughout: an RSA key alone would take longer than all of this.

new_key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>/dev/null; }

# new_certificate OUT SUBJECT OPENSSL-ARGUMENT...: OUT.key and OUT.crt
new_certificate() {
  local out=$1 subject=$2
  shift 2
  new_key "$out.key"
  openssl req -x509 -new -config "$DIR/pki/openssl.cnf" -key "$out.key" -utf8 -subj "$subject" \
    -days 3650 -out "$out.crt" "$@"
}

# sign OUT SUBJECT EXTENDED-KEY-USAGE [OPENSSL-ARGUMENT...]
sign() {
  local out=$1 subject=$2 usage=$3
  shift 3
  new_certificate "$out" "$subject" -CA "$DIR/pki/ca.crt" -CAkey "$DIR/pki/ca.key" \
    -addext basicConstraints=critical,CA:FALSE -addext "extendedKeyUsage=$usage" "$@"
}

sign_apiserver() {
  sign "$DIR/pki/apiserver" /CN=kube-apiserver serverAuth -addext \
    "subjectAltName=IP:127.0.0.1,IP:10.0.0.1,DNS:localhost,DNS:kubernetes.default.svc"
}

make_pki() {
  # The system's openssl.cnf would add extensions of its own.
  printf '%s\n' '[req]' 'distinguished_name = name' '[name]' >"$DIR/pki/openssl.cnf"
  new_certificate "$DIR/pki/ca" /CN=vdcu-test-ca -addext basicConstraints=critical,CA:TRUE \
    -addext keyUsage=critical,keyCertSign,digitalSignature
  sign_apiserver
  # Who the apiserver is to a kubelet: for logs and exec.
  sign "$DIR/pki/kubelet-client" /O=system:masters/CN=kube-apiserver-kubelet-client clientAuth
  new_key "$DIR/pki/service-account.key"
  openssl pkey -in "$DIR/pki/service-account.key" -pubout -out "$DIR/pki/service-account.pub"
}

# A new CA signs from now on; ca.crt holds it and the one before, so that clients of both are known
# and both are trusted. What was signed by the one before stays valid until a server is told.
renew_ca() {
  mv "$DIR/pki/ca.crt" "$DIR/pki/old-ca.crt"
  new_certificate "$DIR/pki/ca" "/CN=vdcu-test-ca-$RANDOM$RANDOM" \
    -addext basicConstraints=critical,CA:TRUE \
    -addext keyUsage=critical,keyCertSign,digitalSignature
  cat "$DIR/pki/old-ca.crt" >>"$DIR/pki/ca.crt"
  sign_apiserver
  certificate_kubeconfig "$DIR/admin.kubeconfig" admin system:masters
}

# kubeconfig FILE LINE...: the lines are the fields of the user.
kubeconfig() {
  local file=$1
  shift
  cat >"$file.new" <<EOF
apiVersion: v1
kind: Config
current-context: test
contexts:
- name: test
  context: {cluster: test, user: test}
clusters:
- name: test
  cluster:
    server: $(cat "$DIR/apiserver.url")
    certificate-authority-data: $(base64 -w0 <"$DIR/pki/ca.crt")
users:
- name: test
  user:
$(printf '    %s\n' "$@")
EOF
  mv "$file.new" "$file"
}

# openssl splits a subject at / and + and takes \ for an escape.
escaped() {
  local text=${1//\\/\\\\}
  text=${text//\//\\/}
  echo "${text//+/\\+}"
}

# certificate_kubeconfig FILE USER [GROUP...]
certificate_kubeconfig() {
  local file=$1 subject group work
  subject="/CN=$(escaped "$2")"
  shift 2
  for group in "$@"; do subject="/O=$(escaped "$group")$subject"; done
  work=$(mktemp -d "$DIR/pki/user.XXXXXX")
  sign "$work/user" "$subject" clientAuth
  kubeconfig "$file" \
    "client-certificate-data: $(base64 -w0 <"$work/user.crt")" \
    "client-key-data: $(base64 -w0 <"$work/user.key")"
  rm -r "$work"
}
