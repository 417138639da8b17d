#include "reconcilers/own_partitions.h"

#include <algorithm>
#include <utility>

#include "crds/keys.h"
#include "reconcilers/conditions.h"
#include "reconcilers/view/node_fit.h"

namespace vdcu::reconcilers {

namespace {

// So often a binding that is refused is tried with the slices that are there.
constexpr int kMostBinds = 3;

Plan AwaitPrepared(const View& view, const kclient::Pod& pod,
                   const std::vector<PartitionEntryPtr>& partitions, const Instant& at) {
  const auto left = TimeToPrepare(view, partitions, at.now);
  if (left > base::Duration(0)) {
    Plan plan;
    plan.requeue_after = left;
    return plan;
  }
  const std::string& node = partitions.front()->object().spec.assignment->node;
  Plan plan = Withdraw(pod, partitions, "NodeSilent",
                       "the vdcu daemon of node " + node + " did not prepare the slice in time");
  plan.notes.emplace_back(NodeSilent{node});
  return plan;
}

// A write to one of them is not yet shown, or one is going.
bool AnyUnsettled(const std::vector<PartitionEntryPtr>& partitions) {
  return std::any_of(partitions.begin(), partitions.end(), [](const PartitionEntryPtr& entry) {
    return !entry->shown || entry->sent != Sent::kNothing || entry->shown->meta.deleting();
  });
}

// The node's daemon refused a slice: the pod goes elsewhere for a while.
Plan GoElsewhere(const kclient::Pod& pod, const std::vector<PartitionEntryPtr>& partitions) {
  Plan plan = Withdraw(pod, partitions, "SliceRefused", RefusalOf(partitions));
  for (const PartitionEntryPtr& entry : partitions) {
    if (!IsTurnedDown(*entry)) continue;
    plan.notes.emplace_back(PodRefused{pod.meta.key(), entry->object().spec.assignment->node});
  }
  return plan;
}

bool IsComplete(const std::vector<PartitionEntryPtr>& partitions, size_t needed) {
  if (partitions.empty()) return false;
  const auto& first = partitions.front()->object().spec.assignment;
  return partitions.size() == needed &&
         std::all_of(partitions.begin(), partitions.end(), [&](const PartitionEntryPtr& p) {
           return p->object().assigned() && p->object().spec.assignment->node == first->node;
         });
}

}  // namespace

OwnPartitions FindOwnPartitions(const View& view, const kclient::Pod& pod, size_t needed) {
  OwnPartitions own;
  own.entries = view.PartitionsOfPod(pod.meta.uid);
  own.complete = IsComplete(own.entries, needed);
  own.unsettled = AnyUnsettled(own.entries);
  return own;
}

std::optional<std::string> WhyNameTaken(const View& view, const kclient::Pod& pod,
                                        const std::vector<NeededPartition>& needed) {
  for (const NeededPartition& partition : needed) {
    const PartitionEntryPtr entry = view.FindPartition(pod.meta.ns + "/" + partition.name);
    if (entry == nullptr) continue;
    const auto& ref = entry->object().spec.pod_ref;
    if (!ref || ref->uid != pod.meta.uid) {
      return "VDCUPartition " + partition.name + " exists and is not this pod's: delete it";
    }
  }
  return {};
}

bool IsTurnedDown(const PartitionEntry& entry) {
  return IsFalse(entry.object(), crds::kPrepared) || IsFalse(entry.object(), crds::kReady);
}

std::string RefusalOf(const std::vector<PartitionEntryPtr>& partitions) {
  for (const PartitionEntryPtr& entry : partitions) {
    if (!IsTurnedDown(*entry)) continue;
    const crds::VdcuPartition& partition = entry->object();
    const auto* condition = FindCurrent(
        partition, IsFalse(partition, crds::kPrepared) ? crds::kPrepared : crds::kReady);
    return "node " + partition.spec.assignment->node + " refused a slice of " +
           partition.spec.assignment->device + ": " + condition->reason + ": " + condition->message;
  }
  return {};
}

base::Duration TimeToPrepare(const View& view, const std::vector<PartitionEntryPtr>& partitions,
                             base::TimePoint now) {
  base::TimePoint oldest = now;
  for (const PartitionEntryPtr& entry : partitions) oldest = std::min(oldest, entry->assigned_at);
  return oldest + view.settings().prepare_timeout - now;
}

std::optional<std::string> WhyNoLonger(const View& view, const kclient::Pod& pod,
                                       const std::string& node) {
  const NodeLoad* load = view.ledger().Find(node);
  if (load == nullptr) return "node " + node + " is gone: placing the pod anew";
  const auto why = WhyKeptOut(*load, pod);
  if (!why) return {};
  return "node " + node + " does not fit any more (" + *why + "): placing the pod anew";
}

bool AreKept(const View& view, const Setback& setback, bool complete, base::Duration wait) {
  return complete && setback.failed_binds < kMostBinds && wait <= view.settings().prepare_timeout;
}

void AppendDeletes(Plan& plan, const std::vector<PartitionEntryPtr>& partitions) {
  for (const PartitionEntryPtr& entry : partitions) {
    plan.writes.push_back(DeletePartition(entry->object()));
  }
}

Plan Withdraw(const kclient::Pod& pod, const std::vector<PartitionEntryPtr>& partitions,
              const std::string& reason, const std::string& note) {
  Plan plan;
  AppendDeletes(plan, partitions);
  plan.notes.emplace_back(CommitFailed{pod.meta.uid, note});
  plan.events.push_back(PodEvent(pod, kclient::EventType::kWarning, reason, "Placing", note));
  return plan;
}

// A create that failed, and is shown to have been stored, holds up nothing.
bool IsHeldUp(const Setback& setback, const OwnPartitions& partitions, const Instant& at) {
  return at.now < (partitions.complete ? setback.bind_at : setback.until);
}

Plan Advance(const View& view, const PodEntry& entry, const OwnPartitions& partitions,
             size_t needed, const Instant& at) {
  const kclient::Pod& pod = *entry.pod;
  const auto& entries = partitions.entries;
  Plan plan;
  if (entries.empty()) {
    plan.place = true;
    plan.requeue_after = NextRetry(entry.avoided, at.now);
    return plan;
  }
  // The watch brings the pod back.
  if (partitions.unsettled) return plan;
  if (std::any_of(entries.begin(), entries.end(), [](const auto& p) { return IsTurnedDown(*p); })) {
    return GoElsewhere(pod, entries);
  }
  if (!partitions.complete) {
    // A crash between two creates, or one create that failed for good.
    return Withdraw(pod, entries, "SlicesIncomplete",
                    "only " + std::to_string(entries.size()) + " of " + std::to_string(needed) +
                        " slices exist: placing the pod anew");
  }
  const std::string node = entries.front()->object().spec.assignment->node;
  if (const auto why = WhyNoLonger(view, pod, node)) {
    return Withdraw(pod, entries, "NodeUnfit", *why);
  }
  const bool ready = std::all_of(entries.begin(), entries.end(),
                                 [](const auto& p) { return IsTrue(p->object(), crds::kReady); });
  return ready ? BindPod(view, pod, node, "", at) : AwaitPrepared(view, pod, entries, at);
}

}  // namespace vdcu::reconcilers
