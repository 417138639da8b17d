// The containers that run on a simulated machine, as the kernel shows them outside: whatever any
// component of the system believes.
#pragma once

#include <sys/types.h>

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/e2e/machine.h"

namespace vdcu::e2e {

struct RunningContainer {
  std::string pod_uid;
  std::string id;          // containerd's
  pid_t pid = -1;          // of its first process
  std::string slice = "";  // UID of the partition whose folder it has; empty: none
  std::optional<std::string> vdev = std::nullopt;  // what it reads at /etc/vdev/docker/vdev0.conf
  std::set<std::string> dri = {};                  // what is in its /dev/dri
};

// Sandboxes and containers that are only being made are left out. Those returned were all alive at
// one instant, and read before it.
std::vector<RunningContainer> RunningContainers(const Machine& machine);

// All processes in the pod's cgroup, its sandbox among them.
std::vector<pid_t> ProcessesOf(const Machine& machine, const std::string& pod_uid);

// The cgroup of a pod in each hierarchy.
std::vector<std::string> CgroupsOf(const Machine& machine, const std::string& pod_uid);

}  // namespace vdcu::e2e
