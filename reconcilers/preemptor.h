// Has pods of a lower priority evicted for one that fits on no node: when that is tried, what is
// written, and which room is kept for it until they are gone.
//
// Promises: nobody goes for a pod whose preemptionPolicy is Never, that is placed with its group,
// whose scheduler is another, or to which the API server has refused its slices or its binding of
// late; nor while the end of those that are going is enough. What is found is claimed
// (view/claims.h) in the same turn. A search has a bound: what it has not looked at it looks at
// when it is tried again.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "reconcilers/plan.h"
#include "reconcilers/preemption.h"
#include "reconcilers/view/cluster.h"

namespace vdcu::reconcilers {

class Preemptor {
 public:
  struct Attempt {
    Plan plan;
    std::string told;      // for the pod's condition; empty: nothing of priorities is to be said
    bool news = false;     // it waits for others to end now, or does not any more
    bool in_vain = false;  // nor would it help one that asks alike and has no higher priority
    std::optional<base::TimePoint> again_at;  // it is to be tried then
  };

  explicit Preemptor(Cluster& cluster) : cluster_(cluster), view_(cluster.view()) {}

  // For the pod, which fits on no node: by evictions on these nodes, or (null) on any.
  Attempt Try(const Key& key, const std::vector<std::string>* nodes, const Instant& at);
  // The same where evictions would not help.
  Attempt Stop(const Key& key) const;
  // Whether others go for the pod, or its status says so; and whether they may be asked to.
  bool IsNominated(const Key& key) const;
  bool MayTry(const Key& key) const;
  // A pod that begins to wait may have waited before, under another leader: what its status says of
  // that is claimed again, where it is still so.
  void Recall(const Key& key, base::TimePoint now);
  // It does not wait any more.
  void Forget(const Key& key);

 private:
  PodEntryPtr FindWaitingPod(const Key& key) const;
  std::string NominatedFor(const PodEntry& pod) const;
  // Notes where it has not come to an end.
  PreemptionSearch Find(const Key& key, const PodEntry& pod, const std::vector<std::string>* only,
                        Attempt& attempt, base::TimePoint now);
  std::vector<dcu::Assignment> RoomOn(const Key& key, const PodEntry& pod, const std::string& node,
                                      base::TimePoint now);
  bool KeepsWaiting(const Key& key, const PodEntry& pod, Attempt& attempt, base::TimePoint now);
  void Carry(const PodEntry& pod, const Preemption& found, Attempt& attempt) const;
  void GiveUp(const PodEntry& pod, Attempt& attempt) const;

  Cluster& cluster_;
  const View& view_;
  // How many of all nodes the search for a pod has looked at, where it has not come to an end.
  std::map<Key, size_t> looked_;
};

}  // namespace vdcu::reconcilers
