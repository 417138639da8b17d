// The kubelet of a simulated node: it runs the pods that are bound there, each in its cgroup on the
// node's disk, and offers what the daemon's front says. The calls between both are what is
// imitated: which pod asks, and when, is the simulation's choice. It is another process than the
// daemon, and outlives it.
//
// Promises: a pod starts with the slices that the daemon holds for it then, and only with all that
// it needs; its processes end at a step after its end in the API.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "base/file.h"
#include "node/frontend.h"
#include "tests/simulation/simulated_api.h"

namespace vdcu::simulation {

class SimulatedKubelet {
 public:
  // Partition UID -> slice.
  using Assignments = std::map<std::string, dcu::Assignment>;

  SimulatedKubelet(SimulatedApi& api, const base::Root& host, std::string node);
  SimulatedKubelet(const SimulatedKubelet&) = delete;
  SimulatedKubelet& operator=(const SimulatedKubelet&) = delete;

  // What the daemon of this node is to be made with, each time.
  node::MakeFrontend front();
  // Until it does, it gives out nothing, and would fail each pod.
  void SetAdmits(bool admits);
  // It does, and a daemon is connected with it.
  bool serves() const;

  // The machine starts anew: no process is left.
  void Reboot();
  // With the chance `linger` the last process of a pod outlives this look at it.
  void Step(const std::function<double()>& draw, double linger);
  // Pod UID -> what its processes have.
  const std::map<std::string, Assignments>& running() const { return running_; }

 private:
  class Front;

  void EndPods(const std::function<double()>& draw, double linger);
  void StartPods();
  std::string CgroupOf(const std::string& pod_uid) const;
  void RemoveCgroup(const std::string& pod_uid) const;

  SimulatedApi& api_;
  const base::Root& host_;
  const std::string node_;
  bool admits_ = true;
  Front* front_ = nullptr;  // of the daemon that is there
  std::map<std::string, Assignments> running_;
};

}  // namespace vdcu::simulation
