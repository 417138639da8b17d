// A node with its daemon, for the simulation of the whole controller: the fence of its cards. It
// takes what does not overlap with what it holds, prepares it, and lets go when nobody uses it.
//
// Step() does what a daemon would do in a moment of its own; a daemon that is down, or whose node
// is cut off, does nothing, but what it holds stays on its disk. What becomes of the Node object is
// what kubelet, kube-controller-manager and people do to it.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "crds/vdcupartition.h"
#include "tests/reconcilers/simulated_api.h"

namespace vdcu::reconcilers {

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

  // kubelet: that tells of its daemon.
  SimulatedNode(SimulatedApi& api, std::string name, int cards, bool kubelet);

  // The Node object goes and comes; the DCUNode stays. One after the other at once: it was made
  // anew under the same name.
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

  void SetUp(bool up);
  // Its daemon works and is heard.
  bool works() const { return there_ && up_ && ready_ != "Unknown"; }
  bool ready() const { return there_ && ready_ == "True"; }
  void SetSick(int card, bool sick);
  // Each slice is refused, or ignored, with such a chance, and with `linger` the last process of a
  // pod outlives a look at it; 0 ends all that is ignored.
  void SetMood(double chance, double linger);
  void Step(const std::function<double()>& draw);
  base::TimePoint worked_at() const { return worked_at_; }  // when its daemon last did a step

  const std::string& name() const { return name_; }
  int cards() const { return cards_; }
  // Partition UID -> what is held for it.
  const std::map<std::string, dcu::Assignment>& held() const { return held_; }

 private:
  void LetGo(const std::vector<crds::VdcuPartition>& partitions,
             const std::function<double()>& draw);
  void Admit(const crds::VdcuPartition& partition, const std::function<double()>& draw);
  void Report(const crds::VdcuPartition& partition, const std::string& refusal);
  bool InUse(const crds::VdcuPartition& partition) const;
  std::string UserOf(const crds::VdcuPartition& partition) const;
  void Publish(const std::vector<crds::VdcuPartition>& partitions);

  SimulatedApi& api_;
  const std::string name_;
  const int cards_;
  const bool kubelet_;
  std::string serving_since_;
  bool there_ = false;
  std::string ready_ = "True";
  bool cordoned_ = false;
  bool out_of_service_ = false;
  bool up_ = true;
  double mood_ = 0;
  double linger_ = 0;
  base::TimePoint worked_at_{};
  int64_t seen_ = -1;  // the API's version after the last step
  std::set<int> sick_;
  std::map<std::string, dcu::Assignment> held_;
  std::map<std::string, std::string> users_;  // partition UID -> pod UID, of those held
  std::set<std::string> ignored_;             // partition UIDs
};

}  // namespace vdcu::reconcilers
