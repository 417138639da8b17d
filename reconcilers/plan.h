// What a reconciler decides: notes, writes and events as data, carried out by the runner.
//
// A write comes with what it makes true once it is sent (Assumption), so that the next decision
// counts it although no watch has shown it yet.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "crds/vdcupartition.h"
#include "kclient/engine/key.h"
#include "kclient/engine/outcome.h"
#include "kclient/engine/setback.h"
#include "kclient/event.h"
#include "kclient/write.h"
#include "reconcilers/waits.h"

namespace vdcu::reconcilers {

using base::Instant;
using kclient::Key;
using kclient::MakeKey;
using kclient::Outcome;
using kclient::Setback;

// The partition exists, with its assignment. When it settles as committed, its UID is that of the
// object that was stored.
struct AssumeCreated {
  crds::VdcuPartition partition;
};
// The existing partition has this assignment.
struct AssumeAssigned {
  std::string partition;  // key
  dcu::Assignment assignment;
};
// A write to the existing partition, as this resourceVersion, is under way: wait until the watch
// shows it.
struct AssumeWritten {
  std::string partition;
  std::string resource_version;
};
// The pod runs on this node.
struct AssumeBound {
  std::string pod;  // key
  std::string uid;
  std::string node;
  std::string partition = {};  // name of the reserved one that it is for; empty: it has its own
};
// The pod's PodScheduled condition has this message.
struct AssumeReported {
  std::string pod;
  std::string uid;
  std::string message;
};
// A write to the DCUNode, as this resourceVersion, is under way: wait until the watch shows it.
struct AssumeDoubted {
  std::string node;
  std::string resource_version;
};
// A write of the Node's taints, as this resourceVersion, is under way: wait until the watch shows
// it.
struct AssumeTainted {
  std::string node;
  std::string resource_version;
};
// The pod says that a slice is held for it.
struct AssumeNudged {
  std::string pod;
  std::string uid;
};
// The victim is asked to go, so that the pod gets room.
struct AssumeEvicted {
  std::string pod;     // key
  std::string victim;  // UID
};
// The status of the pod names the node where others end for it, or none any more.
struct AssumeNominated {
  std::string pod;
  std::string uid;
};
using Assumption =
    std::variant<AssumeCreated, AssumeAssigned, AssumeWritten, AssumeBound, AssumeReported,
                 AssumeDoubted, AssumeTainted, AssumeNudged, AssumeEvicted, AssumeNominated>;

// What a decision has found out and later ones have to know. The runner notes it in the cluster
// when the decision is made, before any of its writes is sent.
//
// The node's daemon did not prepare a slice in time.
struct NodeSilent {
  std::string node;
};
// The node refused a slice of the pod, or of the partition: it is not placed there for a while.
struct PodRefused {
  std::string pod;  // key
  std::string node;
};
struct PartitionRefused {
  std::string partition;  // key
  std::string node;
};
// The event that the annotation of the bound pod changes nothing is being sent.
struct MisnamingReported {
  std::string pod;
};
// Of those who wait for the reserved partition this one may have it, if any; and these, down to it,
// are to be looked at again.
struct LineSeen {
  std::string partition;
  std::string head;  // key of a pod; empty: nobody
  std::vector<std::string> pods;
};
// These slices are kept for the pod of another scheduler: they were offered to it, or (`nudges`) it
// is to be told that it may ask again.
struct SliceHeld {
  std::string pod;  // key
  std::string uid;
  std::vector<dcu::Assignment> assignments;
  bool nudges = false;
};
// Another scheduler has asked for the pod in vain, and waits for a slice.
struct SliceSought {
  std::string pod;
};
// What another scheduler has asked for this pod will not be.
struct CommitFailed {
  std::string uid;
  std::string why;
};
// The slices of the pod are prepared: whoever has asked for it may bind it.
struct CommitReady {
  std::string uid;
};
// The group of these waiting pods is placed without them: each is placed for itself.
struct GroupComplete {
  std::vector<std::string> pods;
};
// On their node others end for the pod, which is to have these slices then.
struct RoomClaimed {
  std::string pod;  // key
  std::vector<dcu::Assignment> assignments;
};
// Nowhere do any.
struct RoomUnclaimed {
  std::string uid;
};
using Note =
    std::variant<NodeSilent, PodRefused, PartitionRefused, MisnamingReported, LineSeen, SliceHeld,
                 SliceSought, CommitFailed, CommitReady, GroupComplete, RoomClaimed, RoomUnclaimed>;

struct PlannedWrite {
  kclient::Write write;
  Assumption assumption;
};

struct Plan {
  std::vector<PlannedWrite> writes;
  std::vector<kclient::Event> events;
  std::optional<base::Duration> requeue_after;
  bool place = false;  // it waits for cards: give it to the placer
  // It gets cards of the node that it is on, or that its scheduler has asked for, or none, before
  // others are placed.
  bool commit = false;
  std::vector<Note> notes = {};
  std::optional<Wait> waits = {};  // for something else than the placer
};

// What both plan.
void Append(Plan& plan, Plan more);

// Kinds of keys.
inline constexpr std::string_view kPod = "pod";
inline constexpr std::string_view kPartition = "partition";
inline constexpr std::string_view kDcuNode = "dcunode";
inline constexpr std::string_view kLine = "line";  // those who wait for a partition, by its name
inline constexpr std::string_view kPodGroup = "group";  // pods that are placed together

// Of the object's "namespace/name", or name.
inline Key PodKey(std::string_view object) { return MakeKey(kPod, object); }
inline Key PartitionKey(std::string_view object) { return MakeKey(kPartition, object); }
inline Key DcuNodeKey(std::string_view name) { return MakeKey(kDcuNode, name); }
// Of the object that is written to: who finds out what became of a write whose answer was lost.
Key KeyOf(const Assumption& assumption);
// Of the request that the write was for: who decides anew when it was refused.
Key RequestKeyOf(const Assumption& assumption);
// What the object gives as the reason where a rule refuses the write.
std::string_view RefusedReasonOf(const Assumption& assumption);

}  // namespace vdcu::reconcilers
