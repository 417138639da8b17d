// A pod that names a reserved partition (annotation vdcu.io/partition) goes to its node and takes
// it; one pod at a time.
#pragma once

#include "crds/pod_request.h"
#include "reconcilers/cluster.h"
#include "reconcilers/plan.h"
#include "reconcilers/pod.h"

namespace vdcu::reconcilers {

// Binds the pod, or says what it waits for.
Plan ReconcileReserved(const Cluster& cluster, const PodEntry& entry,
                       const crds::PodRequest& request, const Instant& at);

// Has those who wait for the partition looked at again, down to the first that may have it: what
// becomes of it concerns nobody behind.
Plan ReconcileLine(const Cluster& cluster, const std::string& key, const Instant& at);

// Higher priority first, then the older, then by key.
bool GoesBefore(const kclient::Pod& a, const kclient::Pod& b);

}  // namespace vdcu::reconcilers
