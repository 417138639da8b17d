// This node's own objects: its DCUNode, and with --advertise the resources of its Node.
//
// Promises: the DCUNode is made if it does not exist and written only where it differs; a change of
// nothing but the number of slices in use waits up to two seconds, so that a burst of placements
// costs one write; a Node's resources are written only where they are absent or other.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/loop.h"
#include "crds/dcunode.h"
#include "kclient/core/node.h"
#include "kclient/engine/plan.h"
#include "kclient/store.h"
#include "node/node_state.h"

namespace vdcu::node {

class NodeObject {
 public:
  NodeObject(const NodeState& state, base::Loop& loop);

  kclient::WorkPlan Reconcile();
  // Whether the API has had, since the start, what this node holds.
  bool published() const { return published_; }

 private:
  const NodeState& state_;
  base::Loop& loop_;
  const base::TimerPtr use_timer_;
  bool use_is_due_ = false;  // the timer has fired since the last write
  bool published_ = false;
};

// The patch that makes the Node offer `slots` of each resource; none where it does, or where there
// is no such Node.
kclient::WorkPlan Advertise(const kclient::Store<kclient::Node>& store, const std::string& node,
                            const std::vector<std::string>& resources, size_t slots);

}  // namespace vdcu::node
