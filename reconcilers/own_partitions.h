// The partitions that were made for one pod: from their creation until the pod is bound, or they
// are withdrawn. The same for pods of ours and for those that another scheduler has asked for.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "reconcilers/plan.h"
#include "reconcilers/pod_partitions.h"
#include "reconcilers/view/view.h"

namespace vdcu::reconcilers {

struct OwnPartitions {
  std::vector<PartitionEntryPtr> entries;
  bool complete = false;   // each that is needed has its slice, all on one node
  bool unsettled = false;  // a write to one of them is not yet shown, or one is going
};
OwnPartitions FindOwnPartitions(const View& view, const kclient::Pod& pod, size_t needed);

// The name of a needed partition is taken by an object that is not this pod's.
std::optional<std::string> WhyNameTaken(const View& view, const kclient::Pod& pod,
                                        const std::vector<NeededPartition>& needed);

// What follows next: the pod is placed where it has none; they are awaited while they are prepared;
// it is bound once all are Ready; they are withdrawn where they can never serve it.
Plan Advance(const View& view, const PodEntry& entry, const OwnPartitions& partitions,
             size_t needed, const Instant& at);

// Whether the pod's setback keeps it from that for now.
bool IsHeldUp(const Setback& setback, const OwnPartitions& partitions, const Instant& at);

// The node's daemon has refused the slice, and what it says; nothing where none is refused.
bool IsTurnedDown(const PartitionEntry& entry);
std::string RefusalOf(const std::vector<PartitionEntryPtr>& partitions);
// How long their daemon may still take; not positive: it is silent.
base::Duration TimeToPrepare(const View& view, const std::vector<PartitionEntryPtr>& partitions,
                             base::TimePoint now);
// Since the pod was placed there: it would be bound to a node that is gone, or shall get no more
// pods.
std::optional<std::string> WhyNoLonger(const View& view, const kclient::Pod& pod,
                                       const std::string& node);
// Whether a pod that is set back keeps its slices for that time: it is to be bound soon.
bool AreKept(const View& view, const Setback& setback, bool complete, base::Duration wait);

// Gives up this try: the partitions go, and whoever has asked for the pod is told.
Plan Withdraw(const kclient::Pod& pod, const std::vector<PartitionEntryPtr>& partitions,
              const std::string& reason, const std::string& note);
void AppendDeletes(Plan& plan, const std::vector<PartitionEntryPtr>& partitions);

}  // namespace vdcu::reconcilers
