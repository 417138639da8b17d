// A node with its daemon, for the simulation of the whole controller: the fence of its cards. It
// takes what does not overlap with what it holds, prepares it, and lets go when nobody uses it.
//
// Step() does what a daemon would do in a moment of its own; a daemon that is down does nothing,
// but what it holds stays on its disk.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>

#include "crds/vdcupartition.h"
#include "tests/reconcilers/simulated_api.h"

namespace vdcu::reconcilers {

// Why the two slices of one node cannot stand together; empty: they can.
std::string Overlap(const dcu::Assignment& a, const dcu::Assignment& b);
// Whether a pod of that UID is bound to the node (any node, if empty) and not terminal.
bool Runs(SimulatedApi& api, const std::string& pod_uid, const std::string& node);
// All VDCUPartitions.
std::vector<crds::VdcuPartition> Partitions(SimulatedApi& api);

class SimulatedNode {
 public:
  static constexpr int64_t kCardMemory = 16384;

  SimulatedNode(SimulatedApi& api, std::string name, int cards);

  // The Node object goes and comes; the DCUNode stays.
  void Remove();
  void Return();
  bool there() const { return there_; }

  void SetUp(bool up) { up_ = up; }
  void SetSick(int card, bool sick);
  // Each slice is refused, or ignored, with such a chance; 0 ends all that is ignored.
  void SetMood(double chance);
  void Step(const std::function<double()>& draw);

  const std::string& name() const { return name_; }
  int cards() const { return cards_; }
  // Partition UID -> what is held for it.
  const std::map<std::string, dcu::Assignment>& held() const { return held_; }

 private:
  void LetGo(const std::vector<crds::VdcuPartition>& partitions);
  void Admit(const crds::VdcuPartition& partition, const std::function<double()>& draw);
  void Report(const crds::VdcuPartition& partition, const std::string& refusal);
  bool InUse(const crds::VdcuPartition& partition) const;
  std::string UserOf(const crds::VdcuPartition& partition) const;
  void Publish(const std::vector<crds::VdcuPartition>& partitions);

  SimulatedApi& api_;
  const std::string name_;
  const int cards_;
  bool there_ = false;
  bool up_ = true;
  double mood_ = 0;
  int64_t seen_ = -1;  // the API's version after the last step
  std::set<int> sick_;
  std::map<std::string, dcu::Assignment> held_;
  std::map<std::string, std::string> users_;  // partition UID -> pod UID, of those held
  std::set<std::string> ignored_;             // partition UIDs
};

}  // namespace vdcu::reconcilers
