#include "kclient/core/node.h"

#include <utility>

namespace vdcu::kclient {

base::Result<Node> Node::FromJson(JsonView object) {
  Node node;
  ASSIGN_OR_RETURN(node.meta, ParseMeta(object, {.labels = true, .annotation_prefixes = {}}));
  if (const auto spec = Get(object, "spec")) {
    node.unschedulable = GetBool(*spec, "unschedulable").value_or(false);
    node.taints = ParseTaints(*spec);
  }
  if (const auto status = Get(object, "status")) {
    node.allocatable = ParseResourceList(*status, "allocatable");
    const auto conditions = ParseConditions(*status);
    if (const Condition* ready = FindCondition(conditions, "Ready")) {
      node.ready = ready->status == "True";
      node.not_ready = !node.ready;
      node.ready_changed = ready->last_transition_time;
    }
  }
  return node;
}

}  // namespace vdcu::kclient
