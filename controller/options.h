// The command line of vdcu-controller; see --help.
#pragma once

#include <string>
#include <variant>

#include "base/flags.h"
#include "dcu/assignment.h"

namespace vdcu::controller {

struct Options {
  base::CommonFlags common;
  std::string scheduler_name = "vdcu-scheduler";
  dcu::Policy policy = dcu::Policy::kBinPack;
  dcu::Sharing share_cards = dcu::Sharing::kCluster;
  bool leader_elect = false;
  std::string lease_namespace;  // empty: the pod's own, else "vdcu-system"
};

// The options, or the exit code to end with (0 after --help and --version).
std::variant<Options, int> ParseOptions(int argc, const char* const* argv);

}  // namespace vdcu::controller
