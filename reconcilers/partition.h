// Keeps one VDCUPartition true: places a reserved one, releases one whose pod has ended, and lets
// go in the place of a node that cannot any more.
#pragma once

#include <string>
#include <string_view>

#include "reconcilers/plan.h"
#include "reconcilers/pod.h"
#include "reconcilers/view/view.h"

namespace vdcu::reconcilers {

// `wall` as a time, for how long a node has been NotReady.
struct PartitionInstant : Instant {
  base::WallTime wall_time{};
};

// `key` is "namespace/name".
Plan ReconcilePartition(const View& view, std::string_view key, const PartitionInstant& at);

// Assigned=False with the reason, and an event, where the partition does not say so already.
void AppendUnassigned(Plan& plan, const crds::VdcuPartition& partition, std::string_view reason,
                      const std::string& message, const Instant& at);

// The assignment of a reserved partition, with our finalizer, only if nobody has changed it since.
PlannedWrite AssignPartition(const crds::VdcuPartition& partition,
                             const dcu::Assignment& assignment);

}  // namespace vdcu::reconcilers
