// Pods that are on a node without having passed us: bound by hand (spec.nodeName), or by a
// scheduler that asks nobody, or that asked while no controller answered. They get slices of that
// node at once, while its kubelet waits for them (node/plugin/admission.h).
//
// Promises: a pod is given what it lacks, and keeps what it has; nothing is given to one that its
// kubelet has taken in, that is being deleted, or whose node has no daemon of ours; one that gets
// nothing says why.
#pragma once

#include <cstdint>
#include <tuple>

#include "base/clock.h"
#include "reconcilers/plan.h"
#include "reconcilers/view/view.h"

namespace vdcu::reconcilers {

// For a pod that is bound.
Plan ReconcileBound(const View& view, const PodEntry& entry, const Instant& at);

// The cards of a plan with `commit`. Of what is held for the pod nothing may count any more.
Plan GrantBound(const View& view, const PodEntry& entry, const Instant& at);

// In which order plans with `commit` are granted: first those for which a kubelet waits, and of
// these the larger, so that those that fit together do, whoever came first.
using Turn = std::tuple<int, int, int, int64_t, Key>;
Turn TurnOf(const View& view, const Key& key);

}  // namespace vdcu::reconcilers
