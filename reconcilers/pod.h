// Brings one pod of ours from pending to bound: its partitions are created (by the placer),
// prepared by the node's daemon, then the pod is bound. One that is placed with its group only is
// left to that (reconcilers/pod_group.h).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "reconcilers/plan.h"
#include "reconcilers/view/view.h"

namespace vdcu::reconcilers {

// A pod is placed by us when it has our scheduler's name, no node, no gates, and is not being
// deleted.
bool WaitsForUs(const View& view, const kclient::Pod& pod);

// `key` is "namespace/name". A pod that is absent, or that its kubelet has taken in, needs nothing.
Plan ReconcilePod(const View& view, std::string_view key, const Instant& at);

// Why no node and no time would help: what the pod says is wrong, or needs what this scheduler does
// not do. For a pod that WaitsForUs.
std::optional<std::string> WhyNeverPlaced(const View& view, const PodEntry& entry);

// Until the setback, which holds, is over; the pod says why.
Plan AwaitSetback(const PodEntry& entry, const Setback& setback, const Instant& at);

// Of PodScheduled where no node has room, as kube-scheduler says it.
inline constexpr std::string_view kUnschedulable = "Unschedulable";

// PodScheduled=False and an event, where the pod does not say so already.
void AppendUnscheduled(Plan& plan, const PodEntry& entry, std::string_view reason,
                       const std::string& why, const Instant& at);

}  // namespace vdcu::reconcilers
