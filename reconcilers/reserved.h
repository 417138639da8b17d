// A pod that names a reserved partition (annotation vdcu.io/partition) goes to its node and takes
// it; one pod at a time.
#pragma once

#include "crds/pod_request.h"
#include "reconcilers/plan.h"
#include "reconcilers/pod.h"
#include "reconcilers/view/view.h"

namespace vdcu::reconcilers {

// Binds the pod, or says what it waits for.
Plan ReconcileReserved(const View& view, const PodEntry& entry, const crds::PodRequest& request,
                       const Instant& at);

// Has those who wait for the partition looked at again, down to the first that may have it: what
// becomes of it concerns nobody behind.
Plan ReconcileLine(const View& view, const std::string& key, const Instant& at);

}  // namespace vdcu::reconcilers
