# Files of a simulated machine's /etc: sourced by tests/machine/machine, which sets DIR, NODE,
# KUBELET_MINOR (of Kubernetes 1) and CONTAINERD_MAJOR.
# shellcheck shell=bash

write_system_files() {
  local etc="$DIR/etc"
  mkdir -p "$etc"/{cni/net.d,containerd,kubernetes/kubelet.d,vdev,alternatives,ssl}
  cp -L /etc/resolv.conf /etc/os-release "$etc/"
  printf '%s\n' root:x:0:0:root:/:/bin/sh nobody:x:65534:65534::/:/bin/false >"$etc/passwd"
  printf '%s\n' root:x:0: nogroup:x:65534: >"$etc/group"
  printf '%s\n' "127.0.0.1 localhost" "::1 localhost" >"$etc/hosts"
  echo "$NODE" >"$etc/hostname"
  tr -d - </proc/sys/kernel/random/uuid >"$etc/machine-id"
  : >"$etc/ld.so.cache"
}

# containerd wants a network for pods of their own; those with hostNetwork use none.
write_network_config() {
  cat >"$DIR/etc/cni/net.d/10-loopback.conflist" <<'EOF'
{"cniVersion": "1.0.0", "name": "loopback", "plugins": [{"type": "loopback"}]}
EOF
}

# restrict_oom_score_adj: a negative score is refused where this process has no CAP_SYS_RESOURCE.
write_containerd_config() {
  local runc
  runc=$(command -v runc)
  if ((CONTAINERD_MAJOR < 2)); then
    write_containerd_1_config "$runc"
    return
  fi
  cat >"$DIR/etc/containerd/config.toml" <<EOF
version = 3
root = "/var/lib/containerd"
state = "/run/containerd"
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins.'io.containerd.cri.v1.images']
  snapshotter = "native"
  [plugins.'io.containerd.cri.v1.images'.pinned_images]
    sandbox = "localhost/pause:1"
[plugins.'io.containerd.cri.v1.runtime']
  enable_cdi = true
  restrict_oom_score_adj = true
  [plugins.'io.containerd.cri.v1.runtime'.cni]
    bin_dirs = ["$DIR/bin"]
    conf_dir = "/etc/cni/net.d"
  [plugins.'io.containerd.cri.v1.runtime'.containerd]
    default_runtime_name = "runc"
    [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      runtime_path = "$(realpath "$DIR/bin/containerd-shim-runc-v2")"
      snapshotter = "native"
      [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
        BinaryName = "$runc"
        SystemdCgroup = false
EOF
}

# The same in the words of containerd 1. It finds its shim beside itself.
write_containerd_1_config() {
  local cri='io.containerd.grpc.v1.cri'
  cat >"$DIR/etc/containerd/config.toml" <<EOF
version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins.'$cri']
  sandbox_image = "localhost/pause:1"
  restrict_oom_score_adj = true
  [plugins.'$cri'.cni]
    bin_dir = "$DIR/bin"
    conf_dir = "/etc/cni/net.d"
  [plugins.'$cri'.containerd]
    snapshotter = "native"
    default_runtime_name = "runc"
    [plugins.'$cri'.containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins.'$cri'.containerd.runtimes.runc.options]
        BinaryName = "$1"
        SystemdCgroup = false
EOF
}

# Fields of KubeletConfiguration that came later than others.
later_fields() {
  ((KUBELET_MINOR < 25)) || echo 'localStorageCapacityIsolation: false'
  ((KUBELET_MINOR < 27)) || echo 'containerRuntimeEndpoint: unix:///run/containerd/containerd.sock'
  ((KUBELET_MINOR < 31)) || echo 'failCgroupV1: false'
}

# write_kubelet_config CGROUP PORT HEALTHZ_PORT
write_kubelet_config() {
  cat >"$DIR/etc/kubernetes/kubelet.yaml" <<EOF
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication:
  anonymous: {enabled: false}
  webhook: {enabled: false}
  x509: {clientCAFile: /etc/kubernetes/ca.crt}
authorization: {mode: AlwaysAllow}
port: $2
healthzBindAddress: 127.0.0.1
healthzPort: $3
volumePluginDir: /var/lib/kubelet/volumeplugins
cgroupDriver: cgroupfs
cgroupRoot: $1
failSwapOn: false
enforceNodeAllocatable: []
makeIPTablesUtilChains: false
maxPods: 250
evictionHard:
  memory.available: 0%
  nodefs.available: 0%
  nodefs.inodesFree: 0%
  imagefs.available: 0%
  imagefs.inodesFree: 0%
imageGCHighThresholdPercent: 100
nodeStatusUpdateFrequency: 1s
syncFrequency: 10s
eventRecordQPS: 0
registryPullQPS: 0
$(later_fields)
EOF
}

# The kubelet reads this after its own file, and merges it field by field.
write_given_kubelet_config() {
  local header='apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration'
  { grep -q '^kind:' "$1" || echo "$header"; cat "$1"; } >"$DIR/etc/kubernetes/kubelet.d/given.conf"
}
