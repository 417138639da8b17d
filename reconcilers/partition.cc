#include "reconcilers/partition.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "crds/keys.h"
#include "crds/writes.h"
#include "reconcilers/conditions.h"
#include "reconcilers/pod_partitions.h"

namespace vdcu::reconcilers {

namespace {

PlannedWrite PatchPartition(const crds::VdcuPartition& partition, nlohmann::json patch) {
  return {crds::PatchPartition(partition.meta, "", std::move(patch)),
          AssumeWritten{partition.meta.key(), partition.meta.resource_version}};
}

// For a merge patch of one that is assigned to the node; "": to none.
nlohmann::json NodeLabelPatch(const std::string& node) {
  nlohmann::json value;
  if (!node.empty()) value = crds::NodeLabel(node);
  return {{crds::kNodeLabel, value}};
}

std::string NodeOf(const crds::VdcuPartition& partition) {
  if (partition.unread) return partition.unread->node;
  return partition.assigned() ? partition.spec.assignment->node : "";
}

// Somebody has changed the label, or it was made before there was one.
bool IsMislabelled(const crds::VdcuPartition& partition) {
  if (partition.meta.deleting() && !partition.meta.HasFinalizer(crds::kFinalizer)) return false;
  const auto label = partition.meta.labels.find(crds::kNodeLabel);
  const std::string node = NodeOf(partition);
  if (node.empty()) return label != partition.meta.labels.end();
  return label == partition.meta.labels.end() || label->second != crds::NodeLabel(node);
}

// The pod that the partition was made for can never use it (any more).
bool PodIsDone(const View& view, const crds::VdcuPartition& partition) {
  const PodEntryPtr entry = view.FindPodByUid(partition.spec.pod_ref->uid);
  if (entry == nullptr || entry->pod->terminal()) return true;
  if (entry->node().empty()) return entry->pod->meta.deleting();
  return partition.assigned() && entry->node() != partition.spec.assignment->node;
}

// No process of a pod can be left that uses the slice, as far as the API tells.
bool NobodyUses(const View& view, const crds::VdcuPartition& partition) {
  const auto lives = [&](const std::optional<crds::PodRef>& ref) {
    if (!ref) return false;
    const PodEntryPtr entry = view.FindPodByUid(ref->uid);
    return entry != nullptr && !entry->pod->terminal() && !entry->node().empty();
  };
  if (lives(partition.spec.pod_ref) || lives(partition.status.used_by)) return false;
  const auto& naming = view.PodsNaming(partition.meta.key());
  return std::none_of(naming.begin(), naming.end(), [&](const std::string& key) {
    const PodEntryPtr entry = view.FindPod(key);
    return entry != nullptr && !entry->pod->terminal() && !entry->node().empty();
  });
}

// What is left of `wait`, which began then; all of it where `since` is no time.
base::Duration Left(base::Duration wait, const std::string& since, const PartitionInstant& at) {
  const auto begin = base::ParseTime(since);
  if (!begin) return wait;
  const auto passed = std::chrono::duration_cast<base::Duration>(at.wall_time - *begin);
  return std::clamp(wait - passed, base::Duration(0), wait);
}

// The pod that the partition was made for waits unbound: nothing ever used the slice.
bool NeverUsed(const View& view, const crds::VdcuPartition& partition) {
  if (!partition.spec.pod_ref) return false;
  const PodEntryPtr entry = view.FindPodByUid(partition.spec.pod_ref->uid);
  return entry != nullptr && entry->node().empty();
}

// How long until the controller lets go in the node's place: 0 is now, nothing is never (as things
// stand).
std::optional<base::Duration> LetGoIn(const View& view, const crds::VdcuPartition& partition,
                                      const PartitionInstant& at) {
  const NodeLoad* load = view.ledger().Find(partition.spec.assignment->node);
  if (load == nullptr) return base::Duration(0);
  const kclient::Node node = load->node->Unpack(load->name);
  if (kclient::HasTaint(node.taints, kclient::kOutOfService)) return base::Duration(0);
  // Its daemon does not answer, and the pod shall go elsewhere.
  if (NeverUsed(view, partition)) {
    if (view.IsSilent(node.meta.name, at.now)) return base::Duration(0);
    return Left(view.settings().prepare_timeout, partition.meta.deletion_timestamp, at);
  }
  if (node.ready || !NobodyUses(view, partition)) return {};
  return Left(view.settings().not_ready_grace, node.ready_changed, at);
}

// The daemon of a dead node cannot lift the finalizer.
Plan LetGoInItsPlace(const View& view, const crds::VdcuPartition& partition,
                     const PartitionInstant& at) {
  Plan plan;
  if (!partition.meta.HasFinalizer(crds::kFinalizer)) return plan;
  const auto wait = partition.assigned() ? LetGoIn(view, partition, at) : base::Duration(0);
  if (!wait) return plan;
  if (*wait > base::Duration(0)) {
    plan.requeue_after = wait;
    return plan;
  }
  plan.writes.push_back(PatchPartition(
      partition, {{"metadata", {{"finalizers", crds::FinalizersWithoutOurs(partition.meta)}}}}));
  if (partition.assigned()) {
    plan.events.push_back(
        crds::PartitionEvent(partition.meta, kclient::EventType::kWarning, "NodeGone", "LettingGo",
                             "node " + partition.spec.assignment->node +
                                 " is gone or does not answer: the slice is free"));
  }
  return plan;
}

Plan Unassign(const crds::VdcuPartition& partition, const std::string& reason,
              const std::string& why) {
  Plan plan;
  const nlohmann::json patch = {{"metadata",
                                 {{"finalizers", crds::FinalizersWithoutOurs(partition.meta)},
                                  {"labels", NodeLabelPatch("")}}},
                                {"spec", {{"assignment", nullptr}}}};
  plan.writes.push_back(PatchPartition(partition, patch));
  plan.events.push_back(crds::PartitionEvent(partition.meta, kclient::EventType::kWarning, reason,
                                             "Unassigning", why + ": it is placed anew"));
  return plan;
}

// A reserved partition is placed anew when its node is gone, when the node's daemon refused it and
// so holds nothing of it, or when the daemon did not prepare it in time: no pod can have it then,
// and a daemon that holds it all the same publishes or releases what no object names.
Plan ReconcileReservedAssignment(const View& view, const PartitionEntry& entry, const Instant& at) {
  const crds::VdcuPartition& partition = entry.object();
  const std::string& node = partition.spec.assignment->node;
  const bool gone = view.ledger().Find(node) == nullptr;
  const auto* prepared = FindCurrent(partition, crds::kPrepared);
  const bool refused = prepared != nullptr && prepared->status == "False";
  if ((!gone && prepared != nullptr && !refused) || !NobodyUses(view, partition)) return {};
  if (!gone && !refused) {
    const auto left = entry.assigned_at + view.settings().prepare_timeout - at.now;
    if (left > base::Duration(0)) {
      Plan plan;
      plan.requeue_after = left;
      return plan;
    }
    Plan plan = Unassign(partition, "NodeSilent",
                         "the vdcu daemon of node " + node + " did not prepare the slice in time");
    plan.notes.emplace_back(NodeSilent{node});
    return plan;
  }
  Plan plan = gone ? Unassign(partition, "NodeGone", "node " + node + " is gone")
                   : Unassign(partition, "SliceRefused", "node " + node + " refused the slice");
  plan.notes.emplace_back(PartitionRefused{partition.meta.key(), node});
  return plan;
}

// Whether its daemon says what is wrong with it: status has one writer.
bool IsOfADaemon(const View& view, const crds::Unread& unread) {
  return !unread.node.empty() && view.ledger().Find(unread.node) != nullptr;
}

// Of one whose spec cannot be read nothing is placed, and nobody is granted anything.
Plan ReconcileUnread(const View& view, const crds::VdcuPartition& partition,
                     const PartitionInstant& at) {
  Plan plan;
  if (IsOfADaemon(view, *partition.unread)) return plan;
  if (partition.meta.deleting()) return LetGoInItsPlace(view, partition, at);
  AppendUnassigned(plan, partition, crds::kInvalid, partition.unread->why, at);
  return plan;
}

// What may have been done is not done again before the request's setback is over.
Plan Repeat(const View& view, PlannedWrite planned, const Instant& at) {
  Plan plan;
  const Setback* setback = view.FindSetback(RequestKeyOf(planned.assumption));
  if (setback && setback->Holds(at.now)) {
    plan.requeue_after = setback->until - at.now;
  } else {
    plan.writes.push_back(std::move(planned));
  }
  return plan;
}

// A reserved one without a card.
Plan AwaitCard(const View& view, const PartitionEntry& entry, const Instant& at) {
  const crds::VdcuPartition& partition = entry.object();
  const Setback* setback = view.FindSetback(PartitionKey(partition.meta.key()));
  Plan plan;
  if (setback == nullptr || !setback->Holds(at.now)) {
    plan.place = true;
    plan.requeue_after = NextRetry(entry.avoided, at.now);
    return plan;
  }
  plan.requeue_after = setback->until - at.now;
  plan.waits = Wait{WaitReason::kRefused, partition.meta.creation_timestamp};
  if (!setback->message.empty()) {
    AppendUnassigned(plan, partition, setback->reason, setback->message, at);
  }
  return plan;
}

// Of one as the watch shows it, without a write of ours under way.
Plan ReconcileShown(const View& view, const PartitionEntry& entry, const PartitionInstant& at) {
  const crds::VdcuPartition& partition = *entry.shown;
  if (partition.unread) return ReconcileUnread(view, partition, at);
  if (partition.meta.deleting()) return LetGoInItsPlace(view, partition, at);
  if (partition.spec.pod_ref) {
    Plan plan;
    if (PodIsDone(view, partition)) plan.writes.push_back(DeletePartition(partition));
    return plan;
  }
  if (partition.assigned()) return ReconcileReservedAssignment(view, entry, at);
  return AwaitCard(view, entry, at);
}

}  // namespace

Plan ReconcilePartition(const View& view, std::string_view key, const PartitionInstant& at) {
  const PartitionEntryPtr entry = view.FindPartition(key);
  if (entry == nullptr) return {};
  const crds::VdcuPartition& partition = entry->object();
  Plan plan;
  if (!entry->shown) {
    // Its name makes a second try safe; what it makes for a pod that is gone is deleted when shown.
    if (entry->sent == Sent::kUnknown) return Repeat(view, CreatePartition(partition), at);
    return plan;
  }
  if (entry->assumed) {
    if (entry->sent == Sent::kUnknown) {
      return Repeat(view, AssignPartition(*entry->shown, *partition.spec.assignment), at);
    }
    return plan;
  }
  if (entry->sent != Sent::kNothing) return plan;
  plan = ReconcileShown(view, *entry, at);
  if (plan.writes.empty() && IsMislabelled(partition)) {
    plan.writes.push_back(
        PatchPartition(partition, {{"metadata", {{"labels", NodeLabelPatch(NodeOf(partition))}}}}));
    plan.place = false;  // until that is shown
  }
  return plan;
}

void AppendUnassigned(Plan& plan, const crds::VdcuPartition& partition, std::string_view reason,
                      const std::string& message, const Instant& at) {
  std::vector<kclient::Condition> conditions = partition.status.conditions;
  if (!kclient::SetCondition(
          conditions, {std::string(crds::kAssigned), "False", std::string(reason), message, at.wall,
                       partition.meta.generation})) {
    return;
  }
  plan.writes.push_back(
      {crds::PatchPartition(partition.meta, "status",
                            {{"status", {{"conditions", kclient::ToJson(conditions)}}}}),
       AssumeWritten{partition.meta.key(), partition.meta.resource_version}});
  plan.events.push_back(crds::PartitionEvent(partition.meta, kclient::EventType::kWarning,
                                             std::string(reason), "Assigning", message));
}

PlannedWrite AssignPartition(const crds::VdcuPartition& partition,
                             const dcu::Assignment& assignment) {
  nlohmann::json finalizers = partition.meta.finalizers;
  if (!partition.meta.HasFinalizer(crds::kFinalizer)) finalizers.push_back(crds::kFinalizer);
  nlohmann::json patch = {
      {"metadata", {{"finalizers", finalizers}, {"labels", NodeLabelPatch(assignment.node)}}},
      {"spec", {{"assignment", crds::ToJson(assignment)}}}};
  return {crds::PatchPartition(partition.meta, "", std::move(patch)),
          AssumeAssigned{partition.meta.key(), assignment}};
}

}  // namespace vdcu::reconcilers
