// Whether a node can take a pod, judged as the kubelet will judge it at admission; the cards aside.
// Source: kubernetes pkg/scheduler/framework/plugins and pkg/kubelet/lifecycle/predicate.go.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kclient/core/pod.h"
#include "reconcilers/view/node_ledger.h"
#include "reconcilers/view/volumes.h"

namespace vdcu::reconcilers {

// Nothing: it fits. Else why not, as one countable phrase: "node has taint gpu=yes:NoSchedule",
// "node has too little cpu". Needs pod.scheduling.
std::optional<std::string> WhyUnfit(const NodeLoad& load, const kclient::Pod& pod,
                                    const VolumeAffinities& volumes);

// The part of it that does not ask for room: whether a pod that has its room there may still go.
std::optional<std::string> WhyKeptOut(const NodeLoad& load, const kclient::Pod& pod);

// The part of that which the pod's selectors and affinity say, and which its tolerations do.
std::optional<std::string> WhyNotSelected(const NodeLoad& load,
                                          const kclient::PodScheduling& wants);

// The same for what runs no pod yet: a partition that asks for nothing of the node but its labels,
// and that it lives. Taints are for the pods that will use it.
std::optional<std::string> WhyUnfit(const NodeLoad& load, const kclient::Labels& node_selector);

}  // namespace vdcu::reconcilers
