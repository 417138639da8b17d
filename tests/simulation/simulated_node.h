// A node for the simulation of the whole system: the machine with its cards and its disk, the real
// daemon on it (node::Daemon), a simulated kubelet, and the Node object.
//
// What is wrong with it has a real cause where there is one: a card without driver, with errors or
// gone, somebody's files in the way of ours, processes that outlive their pod, a kubelet that is
// not ready to give out devices, a daemon that is cut off or has ended (its files stay). What
// becomes of the Node object is what kubelet, kube-controller-manager and people do to it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "crds/vdcupartition.h"
#include "tests/fakes/simulated_loop.h"
#include "tests/hosts/simulated_host.h"
#include "tests/simulation/simulated_api.h"
#include "tests/simulation/simulated_folder.h"
#include "tests/simulation/simulated_kubelet.h"

namespace vdcu::simulation {

// Why the two slices of one node cannot stand together; empty: they can.
std::string Overlap(const dcu::Assignment& a, const dcu::Assignment& b);
// Why the slices cannot all stand together.
std::string WhyOverbooked(const std::vector<dcu::Assignment>& slices);
// Whether a pod of that UID is bound to the node (any node, if empty) and not terminal.
bool Runs(SimulatedApi& api, const std::string& pod_uid, const std::string& node);
// All VDCUPartitions.
std::vector<crds::VdcuPartition> Partitions(SimulatedApi& api);

class SimulatedNode {
 public:
  static constexpr int64_t kCardMemory = 16384;
  static constexpr int kCpu = 8;

  SimulatedNode(base::Loop& loop, SimulatedApi& api, std::string name, int cards, uint64_t seed);
  ~SimulatedNode();
  SimulatedNode(const SimulatedNode&) = delete;
  SimulatedNode& operator=(const SimulatedNode&) = delete;

  // The Node object goes and comes, and the machine cannot be reached meanwhile; the DCUNode stays.
  // One after the other at once: it was made anew under the same name.
  void Remove();
  void Return();
  bool there() const { return there_; }

  // The condition Ready: "True", "False" (its kubelet says so), "Unknown" (it is cut off).
  void SetReady(const std::string& status);
  void SetCordoned(bool cordoned);
  // Its pods are removed too, as kube-controller-manager does; ends with the next SetReady.
  void SetOutOfService();
  // The taints follow, some time later.
  void Taint();
  // Its kubelet tells whether the daemon is connected with it, by what it offers.
  void Offer();

  // Its daemon runs, as a new process; or has ended.
  void SetUp(bool up);
  // All its processes end; the daemon runs anew.
  void Reboot();
  // Its daemon cannot reach the API though its kubelet can.
  void SetDeaf(bool deaf);
  // Its kubelet is not ready to give out devices.
  void SetAdmits(bool admits) { kubelet_.SetAdmits(admits); }
  // In one of several ways; it may also be gone.
  void SetSick(int card, bool sick);
  // At each step something comes into the way of our files with such a chance, and with `linger`
  // the last process of a pod outlives it; 0 ends all that is in the way.
  void SetMood(double chance, double linger);
  // What kubelet and people do in a moment.
  void Step(const std::function<double()>& draw);

  // Its daemon works and is heard.
  bool works() const { return connected() && daemon_ && !deaf_; }
  bool ready() const { return there_ && ready_ == "True"; }
  base::TimePoint worked_at() const { return worked_at_; }  // when it was last seen to

  const std::string& name() const { return name_; }
  int cards() const { return static_cast<int>(host_.cards().size()); }
  // Partition UID -> what is held for it, as the disk says: also where no daemon runs.
  SimulatedKubelet::Assignments held() const;
  const SimulatedKubelet& kubelet() const { return kubelet_; }
  // Why what is on disk is not this slice as containers need it; empty: it is.
  std::string WhyNotOnDisk(const std::string& uid, const dcu::Assignment& slice) const;
  // Why its daemon would not start; empty: it did.
  const std::string& fatal() const { return fatal_; }

 private:
  struct Process;

  bool connected() const { return there_ && ready_ != "Unknown"; }
  void Connect();
  void Occupy(const std::function<double()>& draw);
  void ClearTheWay();

  base::Loop& loop_;
  SimulatedApi& api_;
  const std::string name_;
  std::mt19937_64 random_;
  SimulatedFolder folder_;
  hosts::SimulatedHost host_;
  SimulatedKubelet kubelet_;
  bool there_ = false;
  std::string ready_ = "True";
  bool cordoned_ = false;
  bool out_of_service_ = false;
  bool deaf_ = false;
  double mood_ = 0;
  double linger_ = 0;
  std::string in_the_way_;  // a folder where a vdev file of ours may be wanted; empty: nothing is
  std::string fatal_;
  base::TimePoint worked_at_{};
  std::unique_ptr<Process> daemon_;  // null: it does not run
};

}  // namespace vdcu::simulation
