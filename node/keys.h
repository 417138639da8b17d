// Which keys a change concerns: the only place that knows.
#pragma once

#include <set>
#include <string_view>

#include "kclient/engine/key.h"
#include "node/changes.h"
#include "node/node_state.h"

namespace vdcu::node {

// Kinds of keys: what is assigned to this node, and its own two objects.
inline constexpr std::string_view kPartition = "partition";
inline constexpr std::string_view kDcuNode = "dcunode";
inline constexpr std::string_view kNode = "node";
inline constexpr std::string_view kHamiRegister = "hami-register";  // annotations of its Node

// Whether the object is assigned, is to be held and is not.
bool IsWaiting(const crds::VdcuPartition& partition, const Holdings& holdings);

// What is to be reconciled, as things are now. A pod concerns the partitions that it uses or may
// use; a release those that wait; cards, disk and kubelet concern all.
// The register, where there is one, is the daemon's to add.
inline bool ConcernsRegister(const Noted& noted) { return noted.cards || noted.node; }
std::set<kclient::Key> KeysOf(const Noted& noted, const NodeState& state);

}  // namespace vdcu::node
