// What the view knows of one pod and of one partition: values.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "crds/hami.h"
#include "crds/pod_request.h"
#include "crds/vdcupartition.h"
#include "kclient/core/pod.h"
#include "reconcilers/view/packed.h"

namespace vdcu::reconcilers {

struct Settings {
  std::string scheduler_name = "vdcu-scheduler";
  std::string lease_namespace = "vdcu-system";  // of the Leases of nodes without a kubelet
  dcu::Policy policy = dcu::Policy::kBinPack;
  dcu::Sharing share = dcu::Sharing::kCluster;  // of new slices; others may only be stricter
  crds::MemoryUnit memory_unit = crds::MemoryUnit::kMi;  // of dcumem, in pods and quotas
  crds::Hami hami = crds::Hami::kOff;  // as what bindings tell HAMi's tools of slices
  bool preemption = true;              // a pod that waits may have pods of a lower priority evicted
  std::string node_taint = {};  // key of the taint that nodes with cards are given; empty: none
  base::Duration prepare_timeout{5'000};  // a daemon that is silent for so long is passed over
  // For how long a node that refused is not tried again at first; it, and a silent one, at most.
  base::Duration avoid_at_first{1'000};
  base::Duration avoid{30'000};
  base::Duration hold_timeout{30'000};     // of a slice that was offered to another scheduler
  base::Duration commit_timeout{20'000};   // of what that has asked for
  base::Duration gate_timeout{8'000};      // of what it binds itself: an API server waits for 10 s
  base::Duration unbound_timeout{10'000};  // of slices that were made for it and are not bound
  // For so long a pod whose eviction was refused is not asked again at first, and at most.
  base::Duration spare_at_first{10'000};
  base::Duration spare{60'000};
  base::Duration not_ready_grace{5 *
                                 60'000};  // after it the controller lets go in a dead node's place
};

// A node that refused a slice of an object: the object is not placed there, each time for longer.
struct Avoidance {
  base::TimePoint until{};
  base::Duration length{0};
};
using Avoided = std::map<std::string, Avoidance>;  // by node

// It has refused (again). Said of one refusal more than once it counts once.
void Avoid(Avoided& avoided, const std::string& node, const Settings& settings,
           base::TimePoint now);

// After how long the next of them may be tried again.
std::optional<base::Duration> NextRetry(const Avoided& avoided, base::TimePoint now);

// How far our last write to an object has come. kRepeated is in flight again after a try of unknown
// end: only success says more, as what refuses the second may have let the first through.
enum class Sent { kNothing, kInFlight, kRepeated, kUnknown, kCommitted };

struct PartitionEntry {
  std::shared_ptr<const crds::VdcuPartition> shown;    // null: our create only
  std::shared_ptr<const crds::VdcuPartition> assumed;  // laid over it
  Sent sent = Sent::kNothing;                          // cleared when the watch shows a change
  // Our create, while another object of its name is shown than the one it has stored, or may store
  // yet: of a try before, deleted since. It takes that one's place when it goes.
  std::shared_ptr<const crds::VdcuPartition> behind;
  std::string gone;               // UID of the one whose place it took
  base::TimePoint assigned_at{};  // since when the node's daemon can have seen the assignment
  Avoided avoided;

  const crds::VdcuPartition& object() const { return assumed ? *assumed : *shown; }
  // Does the watch show it in this version?
  bool Is(std::string_view version) const {
    return shown && shown->meta.resource_version == version;
  }

  // See Table.
  struct Packed {
    PackedPartition shown;
    base::TimePoint assigned_at;
  };
  std::optional<Packed> Pack() const;
  static PartitionEntry Unpack(const Packed& packed, std::string_view key);
};
using PartitionEntryPtr = std::shared_ptr<const PartitionEntry>;

// Where a pod takes room that waits for nothing: empty: nowhere.
const std::string& ChargedAtRest(const kclient::Pod& pod);

struct PodEntry {
  std::shared_ptr<const kclient::Pod> pod;
  base::Symbol charged;  // the node whose room it takes; empty: none
  std::optional<base::Result<crds::PodRequest>> request;  // of a pod with `scheduling`
  std::string assumed_node;                               // our binding
  std::string assumed_partition;                          // the reserved one that it is for
  Sent sent = Sent::kNothing;                             // of the binding
  std::string reported;                                   // message of our last report on it
  bool sought = false;    // another scheduler has asked for it in vain and waits
  bool misnames = false;  // an event has to say that the annotation changes nothing
  Avoided avoided;

  // Where it runs or is about to; empty: nowhere yet.
  const std::string& node() const { return pod->bound() ? pod->node_name : assumed_node; }
  // Key of the reserved partition that it was bound for, or names while it waits; empty: none.
  std::string reserved() const;

  // See Table. At rest it takes room where it is bound.
  using Packed = PackedPod;
  std::optional<Packed> Pack() const;
  static PodEntry Unpack(const Packed& packed, std::string_view key);
};
using PodEntryPtr = std::shared_ptr<const PodEntry>;

}  // namespace vdcu::reconcilers
