#include "reconcilers/pod.h"

#include <optional>
#include <utility>
#include <vector>

#include "base/text.h"
#include "crds/keys.h"
#include "crds/pod_group.h"
#include "reconcilers/adoption.h"
#include "reconcilers/asked.h"
#include "reconcilers/own_partitions.h"
#include "reconcilers/pod_group.h"
#include "reconcilers/pod_partitions.h"
#include "reconcilers/reserved.h"

namespace vdcu::reconcilers {

namespace {

constexpr std::string_view kSchedulerError = "SchedulerError";

// While the pod is set back: slices that it cannot use soon go back.
Plan HoldBack(const View& view, const PodEntry& entry, const Setback& setback,
              const OwnPartitions& partitions, const Instant& at) {
  Plan plan = AwaitSetback(entry, setback, at);
  if (partitions.entries.empty() || partitions.unsettled) return plan;
  const bool kept = AreKept(view, setback, partitions.complete, *plan.requeue_after);
  if (!kept) AppendDeletes(plan, partitions.entries);
  return plan;
}

Plan ReconcileOwnPartitions(const View& view, const PodEntry& entry,
                            const std::vector<NeededPartition>& needed, const Instant& at) {
  const auto partitions = FindOwnPartitions(view, *entry.pod, needed.size());
  const Setback* setback = view.FindSetback(PodKey(entry.pod->meta.key()));
  if (setback && IsHeldUp(*setback, partitions, at)) {
    return HoldBack(view, entry, *setback, partitions, at);
  }
  return Advance(view, entry, partitions, needed.size(), at);
}

// Slices that were made before the pod's annotations were edited, and are not what it asks for now.
// Nothing: it has none.
std::optional<Plan> WithdrawUnasked(const View& view, const kclient::Pod& pod) {
  const auto partitions = FindOwnPartitions(view, pod, 0);
  if (partitions.entries.empty()) return {};
  if (partitions.unsettled) return Plan{};
  return Withdraw(pod, partitions.entries, "RequestChanged",
                  "the pod's annotations ask for something else now: its slices are given back");
}

Plan NeverPlaced(const PodEntry& entry, const std::string& why, const Instant& at) {
  Plan plan;
  plan.waits = Wait{WaitReason::kInvalid, entry.pod->meta.creation_timestamp};
  AppendUnscheduled(plan, entry, kSchedulerError, why, at);
  return plan;
}

// The answer to an edit that changes nothing: what a pod has is what it was bound with.
void AppendWhatItHas(Plan& plan, const kclient::Pod& pod) {
  const std::string named(crds::NamedPartition(pod.meta));
  const std::string has(crds::BoundPartition(pod.meta));
  plan.notes.emplace_back(MisnamingReported{pod.meta.key()});
  plan.events.push_back(
      PodEvent(pod, kclient::EventType::kWarning, "AnnotationIgnored", "Binding",
               "annotation " + std::string(crds::kPartitionAnnotation) + " " +
                   (named.empty() ? "is gone" : "names VDCUPartition " + named) +
                   ", which changes nothing: the pod was bound " +
                   (has.empty() ? "for no reserved partition" : "for VDCUPartition " + has) +
                   " and keeps what it has until it ends; make a new pod for another"));
}

}  // namespace

bool WaitsForUs(const View& view, const kclient::Pod& pod) {
  return pod.scheduler_name == view.settings().scheduler_name && !pod.bound() &&
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
  const auto group = crds::ParsePodGroup(entry.pod->meta);
  if (!group) return group.error().message;
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
  if (entry->pod->bound()) {
    Plan plan = ReconcileBound(view, *entry, at);
    if (entry->misnames) AppendWhatItHas(plan, *entry->pod);
    return plan;
  }
  if (IsAnothers(view, *entry->pod)) return ReconcileAsked(view, *entry, at);
  if (!WaitsForUs(view, *entry->pod)) return {};
  if (!entry->assumed_node.empty()) {
    if (entry->sent != Sent::kUnknown) return {};
    const Setback* setback = view.FindSetback(PodKey(key));
    if (setback && setback->Holds(at.now)) return AwaitSetback(*entry, *setback, at);
    return BindPod(view, *entry->pod, entry->assumed_node, entry->assumed_partition, at);
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
  if (IsPlacedTogether(view, *entry)) return {};
  return ReconcileOwnPartitions(view, *entry, needed, at);
}

}  // namespace vdcu::reconcilers
