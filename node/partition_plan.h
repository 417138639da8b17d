// What is to be done about one VDCUPartition of this node: pure, from what is known.
//
// Promises: status is patched only where it differs (times aside), with the object's UID and
// resourceVersion; a change of health or a refusal is reported by one event, when it is first
// written; the finalizer goes only after the pod that uses the slice is gone or terminal, with its
// last process, and after the files. Of what is not held it goes at once while the pod has not
// begun, so that it can be given another.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "crds/vdcupartition.h"
#include "dcu/device.h"
#include "kclient/event.h"
#include "kclient/write.h"
#include "node/node_pod.h"
#include "node/slices.h"

namespace vdcu::node {

// Of the pod that uses a slice.
enum class PodState {
  kNone,     // no pod is named
  kWaiting,  // on this node, not taken in by its kubelet, without a process: it gets what is held
  kUsing,    // on this node and not terminal
  kGone,     // terminal, or the API says that it is not on this node; and no process of it is left
  kEnding,   // as kGone or kWaiting, but processes of it are left
  kUnknown,  // not among this node's pods: the watch may lag, ask the API
};

struct PartitionView {
  const crds::VdcuPartition& partition;
  bool held = false;                              // admitted, files written
  std::optional<Refusal> refusal = std::nullopt;  // why it is not held
  const dcu::Device* device = nullptr;  // the card as seen now; null: the node never had it
  PodState pod = PodState::kNone;       // of podRef, else of usedBy
  std::optional<crds::PodRef> used_by = std::nullopt;  // of a reserved one: who holds it now
  std::optional<Refusal> device_lost = std::nullopt;   // its container cannot be started again
};

struct PartitionPlan {
  bool ask_for_pod = false;  // GET the pod that uses it, then plan again
  bool release = false;      // remove what is held, before the write
  std::optional<kclient::Write> write;
  std::vector<kclient::Event> events;  // once the write is done
};

PartitionPlan PlanPartition(const PartitionView& view, base::WallTime now);

// Who of the node's pods holds the reserved partition: who does already, else the oldest that was
// bound for it, by name where they are of one age. Terminal pods and those that ask for no DCU do
// not.
std::optional<crds::PodRef> PickUser(const crds::VdcuPartition& partition,
                                     const std::vector<const NodePod*>& pods);

// For one that has `unread`: refused with that as the message, and let go when it is deleted, since
// nothing is granted for it.
PartitionPlan PlanUnread(const crds::VdcuPartition& partition, base::WallTime now);

}  // namespace vdcu::node
