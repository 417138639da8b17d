// Keeps a DCUNode's condition Ready true where its daemon cannot: one that is dead does not say so.
// And gives its Node the taint of the settings, if there is one, beside those that it has.
//
// Promises: no taint is taken away; the controller only turns True into Unknown, when a doubt is
// due, and keeps the reason of Unknown true; what else the condition says is the daemon's. A daemon
// that is heard of again says True, with all that it holds; but not while the reason is
// NodeNotReady, for that is not its to judge: once the node is back, the controller says
// AwaitingDaemon.
#pragma once

#include <string_view>

#include "reconcilers/plan.h"
#include "reconcilers/pod.h"
#include "reconcilers/view/view.h"

namespace vdcu::reconcilers {

// One without the condition Ready, or of which our last write is not shown yet, needs nothing.
Plan ReconcileDcuNode(const View& view, std::string_view name, const Instant& at);

}  // namespace vdcu::reconcilers
