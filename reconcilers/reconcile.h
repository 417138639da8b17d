// One key of the workqueue, looked at by the reconciler of its kind.
#pragma once

#include <string>

#include "reconcilers/cluster.h"
#include "reconcilers/partition.h"
#include "reconcilers/plan.h"

namespace vdcu::reconcilers {

Plan Reconcile(const Cluster& cluster, const Key& key, const PartitionInstant& at);

}  // namespace vdcu::reconcilers
