#include "reconcilers/pod.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/text.h"
#include "crds/keys.h"
#include "reconcilers/conditions.h"
#include "reconcilers/pod_partitions.h"
#include "reconcilers/reserved.h"
#include "reconcilers/view/node_fit.h"

namespace vdcu::reconcilers {

namespace {

constexpr std::string_view kSchedulerError = "SchedulerError";
// So often a binding that is refused is tried with the slices that are there.
constexpr int kMostBinds = 3;

bool Refused(const PartitionEntry& entry) {
  return IsFalse(entry.object(), crds::kPrepared) || IsFalse(entry.object(), crds::kReady);
}

// The name of a needed partition is taken by an object that is not this pod's.
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

void AppendDeletes(Plan& plan, const std::vector<PartitionEntryPtr>& partitions) {
  for (const PartitionEntryPtr& entry : partitions) {
    plan.writes.push_back(DeletePartition(entry->object()));
  }
}

// Gives up this try: the partitions go.
Plan Withdraw(const kclient::Pod& pod, const std::vector<PartitionEntryPtr>& partitions,
              const std::string& reason, const std::string& note) {
  Plan plan;
  AppendDeletes(plan, partitions);
  plan.events.push_back(PodEvent(pod, kclient::EventType::kWarning, reason, "Placing", note));
  return plan;
}

std::string RefusalOf(const std::vector<PartitionEntryPtr>& partitions) {
  for (const PartitionEntryPtr& entry : partitions) {
    if (!Refused(*entry)) continue;
    const crds::VdcuPartition& partition = entry->object();
    const auto* condition = FindCurrent(
        partition, IsFalse(partition, crds::kPrepared) ? crds::kPrepared : crds::kReady);
    return "node " + partition.spec.assignment->node + " refused a slice of " +
           partition.spec.assignment->device + ": " + condition->reason + ": " + condition->message;
  }
  return {};
}

Plan AwaitPrepared(const View& view, const kclient::Pod& pod,
                   const std::vector<PartitionEntryPtr>& partitions, const Instant& at) {
  base::TimePoint oldest = at.now;
  for (const PartitionEntryPtr& entry : partitions) oldest = std::min(oldest, entry->assigned_at);
  const auto left = oldest + view.settings().prepare_timeout - at.now;
  if (left > base::Duration(0)) {
    Plan plan;
    plan.requeue_after = left;
    return plan;
  }
  const std::string& node = partitions.front()->object().spec.assignment->node;
  Plan plan = Withdraw(pod, partitions, "NodeSilent",
                       "the vdcu daemon of node " + node + " did not prepare the slice in time");
  plan.notes.push_back(NodeSilent{node});
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
    if (!Refused(*entry)) continue;
    plan.notes.push_back(PodRefused{pod.meta.key(), entry->object().spec.assignment->node});
  }
  return plan;
}

// Since the pod was placed there: it would be bound to a node that is gone, or shall get no more
// pods.
std::optional<std::string> WhyNoLonger(const View& view, const kclient::Pod& pod,
                                       const std::string& node) {
  const NodeLoad* load = view.ledger().Find(node);
  if (load == nullptr) return "node " + node + " is gone: placing the pod anew";
  const auto why = WhyKeptOut(*load, pod);
  if (!why) return {};
  return "node " + node + " does not fit any more (" + *why + "): placing the pod anew";
}

bool IsComplete(const std::vector<PartitionEntryPtr>& partitions, size_t needed) {
  const auto& first = partitions.front()->object().spec.assignment;
  return partitions.size() == needed &&
         std::all_of(partitions.begin(), partitions.end(), [&](const PartitionEntryPtr& p) {
           return p->object().assigned() && p->object().spec.assignment->node == first->node;
         });
}

// While the pod is set back: slices that it cannot use soon go back.
Plan HoldBack(const View& view, const PodEntry& entry, const Setback& setback,
              const std::vector<PartitionEntryPtr>& partitions, bool complete, const Instant& at) {
  Plan plan = AwaitSetback(entry, setback, at);
  if (partitions.empty() || AnyUnsettled(partitions)) return plan;
  const bool soon = complete && setback.failed_binds < kMostBinds &&
                    *plan.requeue_after <= view.settings().prepare_timeout;
  if (!soon) AppendDeletes(plan, partitions);
  return plan;
}

Plan ReconcileOwnPartitions(const View& view, const PodEntry& entry,
                            const std::vector<NeededPartition>& needed, const Instant& at) {
  const kclient::Pod& pod = *entry.pod;
  const auto partitions = view.PartitionsOfPod(pod.meta.uid);
  const bool complete = !partitions.empty() && IsComplete(partitions, needed.size());
  const Setback* setback = view.FindSetback(PodKey(pod.meta.key()));
  // A create that failed, and is shown to have been stored, holds up nothing.
  if (setback && at.now < (complete ? setback->bind_at : setback->until)) {
    return HoldBack(view, entry, *setback, partitions, complete, at);
  }
  Plan plan;
  if (partitions.empty()) {
    plan.place = true;
    plan.requeue_after = NextRetry(entry.avoided, at.now);
    return plan;
  }
  // The watch brings the pod back.
  if (AnyUnsettled(partitions)) return plan;
  if (std::any_of(partitions.begin(), partitions.end(),
                  [](const auto& p) { return Refused(*p); })) {
    return GoElsewhere(pod, partitions);
  }
  if (!complete) {
    // A crash between two creates, or one create that failed for good.
    return Withdraw(pod, partitions, "SlicesIncomplete",
                    "only " + std::to_string(partitions.size()) + " of " +
                        std::to_string(needed.size()) + " slices exist: placing the pod anew");
  }
  const std::string node = partitions.front()->object().spec.assignment->node;
  if (const auto why = WhyNoLonger(view, pod, node)) {
    return Withdraw(pod, partitions, "NodeUnfit", *why);
  }
  const bool ready = std::all_of(partitions.begin(), partitions.end(),
                                 [](const auto& p) { return IsTrue(p->object(), crds::kReady); });
  return ready ? BindPod(pod, node, "") : AwaitPrepared(view, pod, partitions, at);
}

// Slices that were made before the pod's annotations were edited, and are not what it asks for now.
// Nothing: it has none.
std::optional<Plan> WithdrawUnasked(const View& view, const kclient::Pod& pod) {
  const auto partitions = view.PartitionsOfPod(pod.meta.uid);
  if (partitions.empty()) return {};
  if (AnyUnsettled(partitions)) return Plan{};
  return Withdraw(pod, partitions, "RequestChanged",
                  "the pod's annotations ask for something else now: its slices are given back");
}

Plan NeverPlaced(const PodEntry& entry, const std::string& why, const Instant& at) {
  Plan plan;
  plan.waits = Wait{WaitReason::kInvalid, entry.pod->meta.creation_timestamp};
  AppendUnscheduled(plan, entry, kSchedulerError, why, at);
  return plan;
}

// The answer to an edit that changes nothing: what a pod has is what it was bound with.
Plan TellWhatItHas(const kclient::Pod& pod) {
  const std::string named(crds::NamedPartition(pod.meta));
  const std::string has(crds::BoundPartition(pod.meta));
  Plan plan;
  plan.notes.push_back(MisnamingReported{pod.meta.key()});
  plan.events.push_back(
      PodEvent(pod, kclient::EventType::kWarning, "AnnotationIgnored", "Binding",
               "annotation " + std::string(crds::kPartitionAnnotation) + " " +
                   (named.empty() ? "is gone" : "names VDCUPartition " + named) +
                   ", which changes nothing: the pod was bound " +
                   (has.empty() ? "for no reserved partition" : "for VDCUPartition " + has) +
                   " and keeps what it has until it ends; make a new pod for another"));
  return plan;
}

}  // namespace

bool WaitsForUs(const View& view, const kclient::Pod& pod) {
  return pod.scheduler_name == view.settings().scheduler_name && pod.scheduling != nullptr &&
         !pod.scheduling->gated && !pod.meta.deleting() && !pod.terminal();
}

std::optional<std::string> WhyNeverPlaced(const View& view, const PodEntry& entry) {
  const kclient::PodScheduling& wants = *entry.pod->scheduling;
  if (!entry.request->has_value()) return entry.request->error().message;
  if ((*entry.request)->empty()) {
    return "no container asks for hygon.com/dcunum or hygon.com/hcunum: set it in its limits, or "
           "use another scheduler than " +
           view.settings().scheduler_name;
  }
  if (wants.unsupported.empty()) return {};
  std::string fields;
  for (const std::string& field : wants.unsupported) fields += (fields.empty() ? "" : ", ") + field;
  return fields + ": not understood by " + view.settings().scheduler_name +
         ", which leaves this pod alone";
}

void AppendUnscheduled(Plan& plan, const PodEntry& entry, std::string_view reason,
                       const std::string& why, const Instant& at) {
  const kclient::Pod& pod = *entry.pod;
  const std::string message = base::Cut(why);
  const kclient::Condition& shown = pod.scheduling->scheduled;
  const bool shows = shown.status == "False" && shown.reason == reason && shown.message == message;
  // Our last report may not be shown yet.
  if (entry.reported.empty() ? shows : entry.reported == message) return;
  plan.writes.push_back(ReportUnscheduled(pod, reason, message, at.wall));
  plan.events.push_back(
      PodEvent(pod, kclient::EventType::kWarning, "FailedScheduling", "Scheduling", message));
}

Plan AwaitSetback(const PodEntry& entry, const Setback& setback, const Instant& at) {
  Plan plan;
  plan.requeue_after = setback.until - at.now;
  plan.waits = Wait{WaitReason::kRefused, entry.pod->meta.creation_timestamp};
  if (!setback.message.empty()) {
    AppendUnscheduled(plan, entry, setback.reason, setback.message, at);
  }
  return plan;
}

Plan ReconcilePod(const View& view, std::string_view key, const Instant& at) {
  const PodEntryPtr entry = view.FindPod(key);
  if (entry == nullptr) return {};
  if (entry->misnames) return TellWhatItHas(*entry->pod);
  if (!WaitsForUs(view, *entry->pod)) return {};
  if (!entry->assumed_node.empty()) {
    if (entry->sent != Sent::kUnknown) return {};
    const Setback* setback = view.FindSetback(PodKey(key));
    if (setback && setback->Holds(at.now)) return AwaitSetback(*entry, *setback, at);
    return BindPod(*entry->pod, entry->assumed_node, entry->assumed_partition);
  }
  const auto why_never = WhyNeverPlaced(view, *entry);
  if (why_never || !(*entry->request)->partition.empty()) {
    if (auto plan = WithdrawUnasked(view, *entry->pod)) return std::move(*plan);
  }
  if (why_never) return NeverPlaced(*entry, *why_never, at);
  const crds::PodRequest& request = **entry->request;
  if (!request.partition.empty()) return ReconcileReserved(view, *entry, request, at);
  const auto needed = NeededPartitions(*entry->pod, request);
  if (const auto why = WhyNameTaken(view, *entry->pod, needed)) {
    return NeverPlaced(*entry, *why, at);
  }
  return ReconcileOwnPartitions(view, *entry, needed, at);
}

}  // namespace vdcu::reconcilers
