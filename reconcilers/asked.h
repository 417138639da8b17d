// Pods that another scheduler places, which asks us for their slices (controller/extender): their
// partitions are made when it asks for the pod on a node, and the pod is bound when those are
// Ready.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "reconcilers/plan.h"
#include "reconcilers/view/trial.h"
#include "reconcilers/view/view.h"

namespace vdcu::reconcilers {

// It waits for another scheduler than ours.
bool IsAnothers(const View& view, const kclient::Pod& pod);

// Why no slice can be given to the pod of another scheduler, wherever it goes.
std::optional<std::string> WhyNotServed(const View& view, const PodEntry& entry);

// For a pod that IsAnothers. What was made for it and nobody asks for (any more) goes after a
// while.
Plan ReconcileAsked(const View& view, const PodEntry& entry, const Instant& at);

// The cards of a plan with `commit`, of any pod. Of what is held for the pod nothing may count any
// more, nor may claims of less important pods; or of any, where the pod is on its node already.
void OutrankFor(const View& view, const Key& key, Trial& trial);
Plan GrantAsked(const View& view, const Key& key, const Instant& at);

// The end of asking for the pod on that node. Nothing: it is under way. Errors: why the pod is not
// bound there, for whoever has asked.
std::optional<base::Status> WhatBecameOf(const View& view, std::string_view pod_uid,
                                         const std::string& node, base::TimePoint now);

}  // namespace vdcu::reconcilers
