// What a reconciler decides: writes and events as data, carried out by the runner.
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
#include "kclient/event.h"
#include "kclient/write.h"

namespace vdcu::reconcilers {

// What a decision needs of time: `now` for deadlines, `wall` for what goes into objects (RFC 3339).
struct Instant {
  base::TimePoint now;
  std::string wall;
};

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
using Assumption = std::variant<AssumeCreated, AssumeAssigned, AssumeWritten, AssumeBound,
                                AssumeReported, AssumeDoubted>;

// What is known of a write that has ended.
enum class Outcome {
  kCommitted,
  kRefused,  // it did not happen
  kUnknown,  // it may have happened: the watch tells, or the same write again
};

struct PlannedWrite {
  kclient::Write write;
  Assumption assumption;
};

struct Plan {
  std::vector<PlannedWrite> writes;
  std::vector<kclient::Event> events;
  std::optional<base::Duration> requeue_after;
  bool place = false;  // it waits for cards: give it to the placer
};

// Workqueue keys: "pod/team-a/p1", "partition/team-a/p1", "dcunode/node-1",
// "line/team-a/p1".
std::string PodKey(std::string_view object_key);
std::string PartitionKey(std::string_view object_key);
std::string DcuNodeKey(std::string_view name);
std::string LineKey(std::string_view partition_key);  // those who wait for it
// Of the object that is written to: who finds out what became of a write whose answer was lost.
std::string KeyOf(const Assumption& assumption);
// Of the request that the write was for: who decides anew when it was refused.
std::string RequestKeyOf(const Assumption& assumption);

}  // namespace vdcu::reconcilers
