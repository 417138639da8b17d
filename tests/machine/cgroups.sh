# The control groups of one simulated machine: sourced by tests/machine/machine, which sets DIR.
# shellcheck shell=bash

# CGROUP: one and the same for DIR always, so that what a crash left behind is found.
set_cgroup() {
  CGROUP="/vdcu-machine-$(sha256sum <<<"$DIR" | cut -c1-10)"
  readonly CGROUP
}

# The mounts of all hierarchies: the one of version 2, and those of the controllers of version 1.
hierarchies() {
  awk '($3 == "cgroup" || $3 == "cgroup2") && $2 ~ "^/sys/fs/cgroup" {print $2}' /proc/mounts
}

make_cgroups() {
  local folder controllers controller setting
  while read -r folder; do
    mkdir -p "$folder$CGROUP"
    if [[ -e $folder/cgroup.controllers ]]; then
      read -r -a controllers <"$folder/cgroup.controllers" || true
      for controller in "${controllers[@]}"; do
        echo "+$controller" 2>/dev/null >"$folder/cgroup.subtree_control" || true
      done
      continue
    fi
    # A new cpuset of version 1 has no processor and no memory.
    for setting in cpuset.cpus cpuset.mems; do
      [[ ! -e $folder/$setting ]] || cat "$folder/$setting" >"$folder$CGROUP/$setting"
    done
  done < <(hierarchies)
}

# In version 1 a frozen process does not end by SIGKILL.
thaw_cgroups() {
  local folder state
  while read -r folder; do
    [[ -d $folder$CGROUP ]] || continue
    while read -r state; do
      echo THAWED 2>/dev/null >"$state" || true
    done < <(find "$folder$CGROUP" -name freezer.state 2>/dev/null)
  done < <(hierarchies)
}

# The kernel gives a group free a moment after its last process has ended.
remove_cgroups() {
  local folder deadline=$((SECONDS + END_SECONDS))
  while read -r folder; do
    while [[ -d $folder$CGROUP ]]; do
      find "$folder$CGROUP" -depth -type d -exec rmdir {} + 2>/dev/null || true
      [[ -d $folder$CGROUP ]] || break
      ((SECONDS < deadline)) || die "$folder$CGROUP cannot be removed: processes are left in it"
      sleep 0.02
    done
  done < <(hierarchies)
}
