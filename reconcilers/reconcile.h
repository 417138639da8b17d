// One key of the workqueue, looked at by the reconciler of its kind.
#pragma once

#include <string>

#include "reconcilers/partition.h"
#include "reconcilers/plan.h"
#include "reconcilers/view/view.h"

namespace vdcu::reconcilers {

Plan Reconcile(const View& view, const Key& key, const PartitionInstant& at);

}  // namespace vdcu::reconcilers
