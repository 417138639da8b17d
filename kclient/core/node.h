// A Node, trimmed to what placement reads.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "kclient/core/meta.h"
#include "kclient/core/quantity.h"
#include "kclient/core/selector.h"

namespace vdcu::kclient {

struct Node {
  ObjectMeta meta;  // no annotations
  bool unschedulable = false;
  std::vector<Taint> taints;
  ResourceList allocatable;
  bool ready = false;
  bool not_ready = false;     // its condition Ready is there and not True
  std::string ready_changed;  // lastTransitionTime of the condition Ready, RFC 3339

  friend auto operator<=>(const Node&, const Node&) = default;
  static base::Result<Node> FromJson(JsonView object);
};

}  // namespace vdcu::kclient
