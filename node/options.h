// The flags of vdcu-node.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "base/flags.h"
#include "crds/hami.h"
#include "crds/memory_unit.h"

namespace vdcu::node {

struct Options {
  base::CommonFlags common;
  std::string node_name;
  std::string host_root = "/";
  std::string kubelet_dir = "/var/lib/kubelet";  // empty: no kubelet runs here
  std::string kubelet_root_dir;                  // empty: kubelet_dir
  std::string cgroup_root = "/";
  std::string dtk_dir = "/opt/dtk";
  bool take_over = false;
  bool advertise = false;
  bool advertise_parts = false;
  crds::MemoryUnit memory_unit = crds::MemoryUnit::kMi;
  bool pod_metrics = false;
  std::vector<std::string> metric_names;
  crds::Hami hami = crds::Hami::kOff;
  std::vector<std::string> resource_names{"hygon.com/dcunum"};
};

// The options, or the exit code to end with (0 after --help and --version).
std::variant<Options, int> ParseOptions(int argc, const char* const* argv);

}  // namespace vdcu::node
