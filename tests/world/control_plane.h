// What the worlds of all tests and benchmarks have in common: a real control plane with what an
// administrator applies, and the real vdcu-controller. Each adds its nodes: simulated hosts with
// the real vdcu-node (Worker), a machine with kubelet and containerd (tests/e2e), many daemons in
// one process (bench/).
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/world/api.h"
#include "tests/world/background.h"
#include "tests/world/cluster.h"

namespace vdcu::world {

struct ControlPlane {
  struct Options {
    std::vector<std::string> with = {};  // as Cluster takes them
    std::string config = "plain";        // of tests/world/config
    bool audit = false;                  // for RequestsAbout
    std::string apiserver_flags = "";
  };

  explicit ControlPlane(const Options& options);

  Cluster cluster;
  Api api;
  std::string kubeconfig;  // the controller's
  std::unique_ptr<Background> controller;

  // Its output goes to NAME.log below the cluster's folder. `with`: another kubeconfig.
  std::unique_ptr<Background> MakeController(const std::string& name,
                                             const std::vector<std::string>& flags = {},
                                             const std::string& with = "") const;
  // `controller`, where it does not run or runs no more; whether that was so.
  bool StartController();
  // The end of NAME.log.
  std::string LogOf(const std::string& name = "controller") const;
  // What controller and daemons have asked for about the pods and partitions of these names, as in
  // "vdcu-controller create pods/binding"; lists and watches are left out.
  std::vector<std::string> RequestsAbout(const std::set<std::string>& names) const;
};

}  // namespace vdcu::world
