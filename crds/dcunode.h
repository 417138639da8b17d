// DCUNode: the cards of one node, cluster-scoped, named as its node. spec is the administrator's,
// status the node daemon's.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "crds/vdcupartition.h"
#include "dcu/assignment.h"
#include "dcu/device.h"
#include "kclient/core/json.h"
#include "kclient/core/meta.h"

namespace vdcu::crds {

struct DcuNodeSpec {
  std::vector<std::string> unschedulable_devices;     // uuids: no new slices there
  dcu::MiB memory_reserve;                            // of each card, never granted to slices
  dcu::Sharing share_cards = dcu::Sharing::kCluster;  // of new slices

  friend auto operator<=>(const DcuNodeSpec&, const DcuNodeSpec&) = default;
};

// A slice that is still in use on the node though no object names it any more.
struct HeldSlice {
  std::string partition_uid;
  dcu::Assignment assignment;  // assignment.node is this node; not written out
  std::string pod_uid;
  std::string since;    // RFC 3339
  std::string ns = "";  // of the VDCUPartition; empty: a daemon of before did not say

  friend auto operator<=>(const HeldSlice&, const HeldSlice&) = default;
};

inline constexpr size_t kMostOccupiedVdevs = 1024;

// What tells, beside its own word, that a node's daemon lives.
enum class Heartbeat {
  kNone,
  kKubelet,  // the kubelet offers its resources for as long as it is connected
  kLease,    // it renews the Lease of its node
};

struct DcuNodeStatus {
  std::string driver_version;
  std::vector<dcu::Device> devices;
  std::vector<HeldSlice> held;
  std::vector<int> occupied_vdevs;             // numbers that no slice may have, ascending
  std::vector<kclient::Condition> conditions;  // Ready
  Heartbeat heartbeat = Heartbeat::kNone;
  // RFC 3339: since when the kubelet gives out this daemon's devices, so that each start of either
  // is seen.
  std::string serving_since;
  // For the printer columns, which cannot count: "K100_AI", "3/32", "8/8".
  std::string models;
  std::string vdcus;
  std::string healthy;

  friend auto operator<=>(const DcuNodeStatus&, const DcuNodeStatus&) = default;
};

struct DcuNode {
  kclient::ObjectMeta meta;
  DcuNodeSpec spec;
  DcuNodeStatus status;
  // What of the spec cannot be read: field, value and what would be right; empty: all can.
  std::string spec_unread = "";

  bool ready() const { return ready_status() == "True"; }
  // Of the condition Ready; empty: there is none. True: its daemon has published what it holds.
  std::string_view ready_status() const;
  friend auto operator<=>(const DcuNode&, const DcuNode&) = default;

  static base::Result<DcuNode> FromJson(kclient::JsonView object);
  // What stands for an object of which FromJson is an error. A field of its spec that cannot be
  // read counts as absent, shareCards as "namespace"; a status that cannot be read is empty.
  // Errors: kCorrupt, of metadata.
  static base::Result<DcuNode> Unreadable(kclient::JsonView object);
};

// Also deviceCount, which the printer columns need. For a merge patch: null where servingSince is
// not set.
nlohmann::json ToJson(const DcuNodeStatus& status);
nlohmann::json ToJson(const dcu::Device& device);

}  // namespace vdcu::crds
