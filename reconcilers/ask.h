// What a waiting request asks for: of a pod, or of a reserved partition.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "dcu/allocator.h"
#include "reconcilers/plan.h"
#include "reconcilers/pod.h"
#include "reconcilers/view/view.h"

namespace vdcu::reconcilers {

// Higher priority first, then the older, then by key. Who was refused by the API server goes to the
// end of its priority's line.
using Order = std::tuple<int, std::string, Key>;

struct Ask {
  Order order;
  dcu::Request request;
  std::string ns;
  bool minds_pods = false;  // where it may go depends on where other pods are
  std::string alike;        // two asks with the same text have the same answer
};

// Nothing: it does not wait for cards (any more).
std::optional<Ask> DescribeAsk(const View& view, const Key& key, base::TimePoint now);

// Which nodes may serve it, cards aside. Holds until the cluster changes. Errors: kInvalid, where
// no node can (its volumes).
base::Result<dcu::NodeFilter> FilterFor(const View& view, const Key& key, base::TimePoint now);

// The writes that give it these cards.
Plan Grant(const View& view, const Key& key, const dcu::Placement& placement);

// Says on the object, and in an event, why it waits.
Plan Explain(const View& view, const Key& key, const std::string& message, const Instant& at);

}  // namespace vdcu::reconcilers
