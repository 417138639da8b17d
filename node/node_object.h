// This node's own objects: its DCUNode, and with --advertise or --advertise-parts the resources of
// its Node.
//
// Promises: the DCUNode is made if it does not exist and written only where it differs; a change of
// nothing but the number of slices in use waits up to two seconds, so that a burst of placements
// costs one write; a Node's resources are written only where they are absent or other.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/loop.h"
#include "crds/dcunode.h"
#include "crds/memory_unit.h"
#include "crds/pod_request.h"
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

// What the Node is to offer. Numbers of slices are for where no kubelet writes them; schedulers
// that count what pods ask for need the sums of memory and cores, too. What is given out changes
// nothing.
struct Advertised {
  std::vector<std::string> counts = {};                  // resources, such as "hygon.com/dcunum"
  std::vector<crds::ResourceNames> parts = {};           // whose memory and cores are offered
  crds::MemoryUnit memory_unit = crds::MemoryUnit::kMi;  // of the memory

  bool empty() const { return counts.empty() && parts.empty(); }
};
std::map<std::string, int64_t> AmountsOf(const Advertised& advertised,
                                         const std::vector<dcu::Device>& cards);

// The patch that makes the Node offer these amounts; none where it does, or where there is no such
// Node.
kclient::WorkPlan Advertise(const kclient::Store<kclient::Node>& store, const std::string& node,
                            const std::map<std::string, int64_t>& amounts);

}  // namespace vdcu::node
