// Which keys a change concerns: the only place that knows.
#pragma once

#include <set>
#include <string>

#include "node/changes.h"
#include "node/node_state.h"

namespace vdcu::node {

// Keys of the queue: these two, and a partition's "namespace/name".
inline constexpr char kDcuNodeKey[] = "dcunode";
inline constexpr char kNodeKey[] = "node";

// Whether the object is assigned, is to be held and is not.
bool IsWaiting(const crds::VdcuPartition& partition, const Holdings& holdings);

// What is to be processed, as things are now. A pod concerns the partitions that it uses or may
// use; a release those that wait; cards, disk and kubelet concern all.
std::set<std::string> KeysOf(const Noted& noted, const NodeState& state);

}  // namespace vdcu::node
