#include "reconcilers/adoption.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "crds/keys.h"
#include "dcu/units.h"
#include "reconcilers/asked.h"
#include "reconcilers/conditions.h"
#include "reconcilers/own_partitions.h"
#include "reconcilers/pod_partitions.h"
#include "reconcilers/waiting.h"

namespace vdcu::reconcilers {

namespace {

// What the pod says of why it has no slice.
struct NoSlice {
  std::string reason;
  std::string message;
};

bool IsHeldOnNode(const crds::DcuNode& node, const kclient::Pod& pod) {
  return std::any_of(node.status.held.begin(), node.status.held.end(),
                     [&](const crds::HeldSlice& held) { return held.pod_uid == pod.meta.uid; });
}

// Its kubelet has not taken it in.
bool HasArrived(const kclient::Pod& pod) {
  return pod.bound() && pod.scheduling && !pod.terminal() && !pod.meta.deleting();
}

// A reserved partition that it was bound for is all that it gets.
bool AwaitsSlices(const View& view, const kclient::Pod& pod) {
  if (!HasArrived(pod) || !crds::AsksForCards(pod)) return false;
  if (!crds::BoundPartition(pod.meta).empty()) return false;
  const auto node = view.dcu_nodes().Find(pod.node_name);
  return node != nullptr && !IsHeldOnNode(*node, pod);
}

std::optional<NoSlice> WhyNever(const View& view, const PodEntry& entry) {
  if (entry.pod->mirror) {
    return NoSlice{
        "StaticPod",
        "a static pod gets no slice: its kubelet admits it before the API shows it; make "
        "it a pod of the API, of a DaemonSet for instance"};
  }
  if (entry.request->has_value() && !(*entry.request)->partition.empty()) {
    return NoSlice{"NotServed", "annotation " + std::string(crds::kPartitionAnnotation) +
                                    ": a reserved partition is given when " +
                                    view.settings().scheduler_name +
                                    " binds the pod: leave spec.nodeName to it"};
  }
  if (auto why = WhyNotServed(view, entry)) return NoSlice{"NotServed", std::move(*why)};
  auto why = WhyNameTaken(view, *entry.pod, NeededPartitions(*entry.pod, **entry.request));
  if (why) return NoSlice{"NameTaken", std::move(*why)};
  return {};
}

PlannedWrite ReportSlice(const kclient::Pod& pod, const char* status, const NoSlice& why,
                         const kclient::Condition* shown, const Instant& at) {
  nlohmann::json condition{{"type", crds::kSliceAssigned},
                           {"status", status},
                           {"reason", why.reason},
                           {"message", why.message}};
  // The time of the change is that of the status, not of the message.
  if (shown == nullptr || shown->status != status) condition["lastTransitionTime"] = at.wall;
  return {kclient::MakeStrategicPatch(kclient::kPods, pod.meta.ns, pod.meta.name, "status",
                                      {{"status", {{"conditions", {condition}}}}}, pod.meta.uid),
          AssumeReported{pod.meta.key(), pod.meta.uid, why.message}};
}

// Where the pod does not say so already; our last report may not be shown yet.
void AppendReport(Plan& plan, const PodEntry& entry, const char* status, NoSlice why,
                  const Instant& at) {
  why.message = base::Cut(why.message);
  const kclient::Pod& pod = *entry.pod;
  const auto* shown = kclient::FindCondition(pod.scheduling->conditions, crds::kSliceAssigned);
  const bool shows = shown != nullptr && shown->status == status && shown->reason == why.reason &&
                     shown->message == why.message;
  if (entry.reported.empty() ? shows : entry.reported == why.message) return;
  plan.writes.push_back(ReportSlice(pod, status, why, shown, at));
  if (status == std::string_view("True")) return;
  plan.events.push_back(
      PodEvent(pod, kclient::EventType::kWarning, why.reason, "Placing", why.message));
}

// One that said why it had none.
Plan SayThatItHas(const PodEntry& entry, const Instant& at) {
  Plan plan;
  const kclient::Pod& pod = *entry.pod;
  const bool said = kclient::FindCondition(pod.scheduling->conditions, crds::kSliceAssigned);
  if (!said && entry.reported.empty()) return plan;
  AppendReport(plan, entry, "True", {"Assigned", "it has its slices"}, at);
  return plan;
}

bool IsOn(const PartitionEntry& entry, const std::string& node) {
  const auto& assignment = entry.object().spec.assignment;
  return assignment && assignment->node == node;
}

// The daemon holds nothing of it.
bool IsRefused(const PartitionEntry& entry) { return IsFalse(entry.object(), crds::kPrepared); }

// Those that the daemon of its node has refused; another slice is tried a moment later. Also where
// the pod shall have none any more: they would stay with it. Nothing: there are none.
std::optional<Plan> TakeBackRefused(const kclient::Pod& pod, const OwnPartitions& own) {
  std::vector<PartitionEntryPtr> refused;
  std::copy_if(own.entries.begin(), own.entries.end(), std::back_inserter(refused),
               [&](const auto& entry) { return IsOn(*entry, pod.node_name) && IsRefused(*entry); });
  if (refused.empty() || own.unsettled) return {};
  Plan plan = Withdraw(pod, refused, "SliceRefused",
                       "node " + pod.node_name + " refused a slice: another is tried");
  plan.notes.emplace_back(PodRefused{pod.meta.key(), pod.node_name});
  return plan;
}

std::vector<NeededPartition> MissingOf(const PodEntry& entry, const OwnPartitions& own) {
  auto missing = NeededPartitions(*entry.pod, **entry.request);
  std::erase_if(missing, [&](const NeededPartition& needed) {
    return std::any_of(own.entries.begin(), own.entries.end(), [&](const auto& partition) {
      return partition->object().meta.name == needed.name;
    });
  });
  return missing;
}

// Whether what it has stays where it is.
bool IsSettled(const kclient::Pod& pod, const OwnPartitions& own) {
  return !own.unsettled && std::all_of(own.entries.begin(), own.entries.end(), [&](const auto& e) {
    return IsOn(*e, pod.node_name) && !IsRefused(*e);
  });
}

}  // namespace

Plan ReconcileBound(const View& view, const PodEntry& entry, const Instant& at) {
  const kclient::Pod& pod = *entry.pod;
  Plan plan;
  if (!HasArrived(pod)) return plan;
  const auto own = FindOwnPartitions(view, pod, 0);
  if (auto back = TakeBackRefused(pod, own)) return std::move(*back);
  if (!AwaitsSlices(view, pod)) return plan;
  if (entry.request->has_value() && (*entry.request)->empty()) return plan;
  if (auto never = WhyNever(view, entry)) {
    AppendReport(plan, entry, "False", std::move(*never), at);
    return plan;
  }
  // Of one on another node its reconciler lets go, and then the watch brings the pod back.
  if (!IsSettled(pod, own)) return plan;
  if (MissingOf(entry, own).empty()) return SayThatItHas(entry, at);
  const Setback* setback = view.FindSetback(PodKey(pod.meta.key()));
  if (setback == nullptr || !setback->Holds(at.now)) {
    plan.commit = true;
    plan.requeue_after = NextRetry(entry.avoided, at.now);
    return plan;
  }
  plan.requeue_after = setback->until - at.now;
  if (!setback->message.empty()) {
    AppendReport(plan, entry, "False", {setback->reason, setback->message}, at);
  }
  return plan;
}

Plan GrantBound(const View& view, const PodEntry& entry, const Instant& at) {
  const kclient::Pod& pod = *entry.pod;
  Plan plan;
  if (!AwaitsSlices(view, pod) || WhyNever(view, entry)) return plan;
  const auto own = FindOwnPartitions(view, pod, 0);
  const auto missing = MissingOf(entry, own);
  if (missing.empty() || !IsSettled(pod, own)) return plan;
  dcu::Request cards = CardsOf(view, entry);
  cards.slices.clear();
  for (const NeededPartition& needed : missing) cards.slices.push_back(needed.slice);
  const auto given = AllocateOnNodeFor(view, entry, cards, pod.node_name, at.now);
  if (!given) {
    AppendReport(plan, entry, "False", {std::string(crds::kNoRoom), given.error().message}, at);
    return plan;
  }
  for (size_t i = 0; i < missing.size(); ++i) {
    plan.writes.push_back(CreatePartition(MakePartition(pod, missing[i], given->assignments[i])));
  }
  plan.events.push_back(
      PodEvent(pod, kclient::EventType::kNormal, "Adopted", "Placing",
               "it came to node " + pod.node_name + " without a slice, and is given one there"));
  return plan;
}

Turn TurnOf(const View& view, const Key& key) {
  const PodEntryPtr entry = view.FindPod(key.object());
  const bool arrived =
      entry && entry->pod->bound() && entry->request && entry->request->has_value();
  if (!arrived) return {1, 0, 0, 0, key};
  int whole = 0;
  int largest = 0;  // percent of a card
  int64_t memory = 0;
  for (const dcu::SliceRequest& slice : CardsOf(view, *entry).slices) {
    whole += slice.whole_card() ? 1 : 0;
    largest = std::max(largest, slice.percent.value_or(100));
    memory += slice.memory.value_or(dcu::MiB()).value;
  }
  return {0, -whole, -largest, -memory, key};
}

}  // namespace vdcu::reconcilers
