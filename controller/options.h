// The command line of vdcu-controller; see --help.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/flags.h"
#include "crds/hami.h"
#include "crds/memory_unit.h"
#include "dcu/assignment.h"

namespace vdcu::controller {

struct Options {
  base::CommonFlags common;
  std::string scheduler_name = "vdcu-scheduler";
  dcu::Policy policy = dcu::Policy::kBinPack;
  dcu::Sharing share_cards = dcu::Sharing::kCluster;
  crds::MemoryUnit memory_unit = crds::MemoryUnit::kMi;
  crds::Hami hami = crds::Hami::kOff;
  bool preemption = true;
  std::string node_taint;  // key of the taint that nodes with cards are given; empty: none
  bool leader_elect = false;
  std::string lease_namespace;  // empty: the pod's own, else "vdcu-system"
  struct Webhook {
    std::string listen;       // as CommonFlags::listen; empty: there is none
    std::string certificate;  // a file; empty: we make one
    std::string key;
    std::string host;  // as the API server calls us; empty: vdcu-webhook.<own namespace>.svc
    std::vector<std::string> schedulers;  // besides ours, that pods with cards may name
    std::string tolerated_taint;          // empty: none
    bool fence = false;                   // hold who writes what of our objects
    std::string controller_account = "vdcu-controller";  // by which the fence knows them
    std::string node_account = "vdcu-node";
    std::string gate_advertise;  // this process's address, for the Service; empty: there is none
  } webhook;
  struct Extender {
    std::string listen;       // as CommonFlags::listen; empty: there is none
    std::string certificate;  // a file; empty: plain HTTP
    std::string key;
    std::string client_ca;  // a file; empty: whoever connects may call
    std::string advertise;  // this process's address, for the Service; empty: there is none
    base::Duration hold_timeout{30'000};
    std::string volcano;  // as CommonFlags::listen, for Volcano; empty: there is none
  } extender;
};

// The options, or the exit code to end with (0 after --help and --version).
std::variant<Options, int> ParseOptions(int argc, const char* const* argv);

}  // namespace vdcu::controller
