// Which pods of a lower priority would have to go so that a pod gets its cards, and all else that
// it needs, on which node. Decided as kube-scheduler does (framework/preemption, pickOneNode): the
// node where the most important victim is the least important; then where all of them together are;
// then where they are fewer; then where that most important one is the youngest; then the first. Of
// each node the fewest go: who need not, the most important first, stays.
//
// Promises: a victim is bound, has slices of its own there, is of a lower priority, is not static,
// not going already, not of a group (reconcilers/pod_group.h), not spared (Evictions). Who is going
// counts as gone and as no victim. Where a node is found the pod fits there, quotas included, once
// the victims and those that are going are gone.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/symbol.h"
#include "dcu/assignment.h"
#include "reconcilers/view/trial.h"
#include "reconcilers/view/view.h"
#include "reconcilers/waiting.h"

namespace vdcu::reconcilers {

struct Preemption {
  std::vector<PodEntryPtr> victims;   // the most important first; none: it only has to wait
  std::vector<dcu::Assignment> room;  // what it would get; all on one node

  const std::string& node() const { return room.front().node; }
};

struct PreemptionSearch {
  std::optional<Preemption> found;
  size_t looked = 0;  // at so many of the nodes, until what one search may cost was spent
  // Until then a pod that could have been one of the victims is spared.
  std::optional<base::TimePoint> spared_until = {};
};

// For a pod of ours that waits (`request`) and fits on no node, of these nodes those from `first`
// on. Claims of pods that it may push aside must not count (Trial::Outrank).
PreemptionSearch FindPreemption(const View& view, Trial& trial, const WaitingOne& request,
                                const std::vector<base::Symbol>& nodes, size_t first,
                                base::TimePoint now);

// What it would get on that node once those that are going are gone, without any victim; empty:
// that is not enough.
std::vector<dcu::Assignment> RoomOfGoing(const View& view, Trial& trial, const WaitingOne& request,
                                         const std::string& node, base::TimePoint now);

}  // namespace vdcu::reconcilers
