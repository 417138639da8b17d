#!/usr/bin/env bash
# Installs the Debian packages that building, testing and checking need. Says what is missing first; does nothing when all is there.
set -euo pipefail

packages=(
  # build
  g++ make cmake ninja-build ccache pkg-config git ca-certificates
  # libraries
  libuv1-dev libcurl4-openssl-dev nlohmann-json3-dev libsimdjson-dev libspdlog-dev libssl-dev libyaml-cpp-dev
  libexpected-dev libcli11-dev libmicrohttpd-dev libgnutls28-dev prometheus-cpp-dev
  # the kubelet's APIs
  libgrpc++-dev libprotobuf-dev protobuf-compiler protobuf-compiler-grpc
  # tests, benches, checks
  libgtest-dev libgmock-dev libbenchmark-dev clang-19 clang-format-19 clang-tidy-19 libclang-rt-19-dev shellcheck systemd
  # the control plane for development, and the demo
  openssl curl jq
  # simulated machines
  runc busybox-static
  # images
  buildah
  # the documentation site
  python3-venv
)

missing=()
for package in "${packages[@]}"; do
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
  echo "install-deps: all ${#packages[@]} Debian packages are installed"
  exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "install-deps: missing ${missing[*]}: run this as root, or install sudo" >&2; exit 1; }
  as_root=(sudo)
fi
echo "install-deps: installing ${missing[*]}"
"${as_root[@]}" apt-get update -qq
DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
echo "install-deps: done"
