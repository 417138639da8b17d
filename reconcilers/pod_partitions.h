// The partitions that a pod needs: one for each slice, and for each whole card, of its containers;
// and the objects for them.
#pragma once

#include <string>
#include <vector>

#include "crds/pod_request.h"
#include "crds/vdcupartition.h"
#include "dcu/assignment.h"
#include "kclient/core/pod.h"
#include "kclient/event.h"
#include "reconcilers/plan.h"
#include "reconcilers/view/view.h"

namespace vdcu::reconcilers {

struct NeededPartition {
  std::string name;
  std::string container;
  dcu::SliceRequest slice;
};

// In the order of containers, and of their cards.
std::vector<NeededPartition> NeededPartitions(const kclient::Pod& pod,
                                              const crds::PodRequest& request);

// Assignment, podRef, finalizer and owner reference included.
crds::VdcuPartition MakePartition(const kclient::Pod& pod, const NeededPartition& needed,
                                  const dcu::Assignment& assignment);

PlannedWrite CreatePartition(const crds::VdcuPartition& partition);
// Only this very object, and only as it was seen.
PlannedWrite DeletePartition(const crds::VdcuPartition& partition);

// The binding, with the UID as precondition, and the event that kubectl describe shows for it.
// `partition` is the reserved one that it is bound for; empty: it has its own. In the same write
// the pod is told that, and what HAMi's tools read.
Plan BindPod(const View& view, const kclient::Pod& pod, const std::string& node,
             const std::string& partition, const Instant& at);

// An event about the pod.
kclient::Event PodEvent(const kclient::Pod& pod, kclient::EventType type, std::string reason,
                        std::string action, std::string note);

// PodScheduled=False, as kube-scheduler reports it. reason: "Unschedulable" (cluster-autoscaler
// reads it) or "SchedulerError" (no node would help).
PlannedWrite ReportUnscheduled(const kclient::Pod& pod, std::string_view reason,
                               const std::string& message, std::string_view now);

}  // namespace vdcu::reconcilers
