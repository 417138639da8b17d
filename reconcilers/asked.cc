#include "reconcilers/asked.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <variant>

#include "crds/keys.h"
#include "reconcilers/adoption.h"
#include "reconcilers/own_partitions.h"
#include "reconcilers/pod_partitions.h"
#include "reconcilers/waiting.h"

namespace vdcu::reconcilers {

namespace {

void AppendDeletesOfSettled(Plan& plan, const OwnPartitions& partitions) {
  if (!partitions.unsettled) AppendDeletes(plan, partitions.entries);
}

// Whoever has asked is told, and what was made goes.
Plan Refuse(const kclient::Pod& pod, const OwnPartitions& partitions, std::string why) {
  Plan plan;
  plan.notes.emplace_back(CommitFailed{pod.meta.uid, std::move(why)});
  AppendDeletesOfSettled(plan, partitions);
  return plan;
}

bool Binds(const Plan& plan) {
  return std::any_of(plan.writes.begin(), plan.writes.end(),
                     [](const PlannedWrite& planned) { return planned.write.binds(); });
}

// kube-scheduler writes the event of a binding itself.
Plan BindAsked(Plan plan) {
  if (Binds(plan)) plan.events.clear();
  return plan;
}

// Where the pod would be bound now, whoever waits for that may do it.
Plan LetBind(Plan plan, const std::string& pod_uid) {
  if (!Binds(plan)) return plan;
  Plan ready;
  ready.notes.emplace_back(CommitReady{pod_uid});
  return ready;
}

// After a binding of unknown end.
Plan RepeatBinding(const View& view, const PodEntry& entry, const Instant& at) {
  Plan plan;
  if (entry.sent != Sent::kUnknown) return plan;
  const Setback* setback = view.FindSetback(PodKey(entry.pod->meta.key()));
  if (setback == nullptr || !setback->Holds(at.now)) {
    return BindAsked(BindPod(view, *entry.pod, entry.assumed_node, "", at));
  }
  plan.requeue_after = setback->until - at.now;
  return plan;
}

// The pod's status changes, so that its scheduler tries it again.
Plan Nudge(const kclient::Pod& pod, const Hold& hold, const Instant& at) {
  const std::string message =
      "since " + std::string(at.wall) + " a slice of node " + hold.node() + " is held for the pod";
  const nlohmann::json condition{{"type", crds::kSliceHeld},
                                 {"status", "True"},
                                 {"reason", "Held"},
                                 {"message", message},
                                 {"lastTransitionTime", at.wall}};
  Plan plan;
  plan.writes.push_back(
      {kclient::MakeStrategicPatch(kclient::kPods, pod.meta.ns, pod.meta.name, "status",
                                   {{"status", {{"conditions", {condition}}}}}, pod.meta.uid),
       AssumeNudged{pod.meta.key(), pod.meta.uid}});
  return plan;
}

// Its scheduler may have lost an answer, and ask again.
Plan AwaitScheduler(const View& view, const kclient::Pod& pod, const OwnPartitions& partitions,
                    const Instant& at) {
  Plan plan;
  if (partitions.unsettled) return plan;
  base::TimePoint newest{};
  for (const auto& entry : partitions.entries) newest = std::max(newest, entry->assigned_at);
  const auto left = newest + view.settings().unbound_timeout - at.now;
  if (left <= base::Duration(0)) {
    return Withdraw(pod, partitions.entries, "NotBound",
                    "no scheduler has bound the pod: its slices are given back");
  }
  plan.requeue_after = left;
  return plan;
}

Plan ReconcileUnasked(const View& view, const PodEntry& entry, const Instant& at) {
  const kclient::Pod& pod = *entry.pod;
  const auto partitions = FindOwnPartitions(view, pod, 0);
  if (!partitions.entries.empty()) return AwaitScheduler(view, pod, partitions, at);
  Plan plan;
  if (const Hold* hold = view.FindHold(pod.meta.uid)) {
    return hold->nudge == Hold::Nudge::kDue ? Nudge(pod, *hold, at) : plan;
  }
  if (!entry.sought || WhyNotServed(view, entry)) return plan;
  plan.place = true;
  plan.requeue_after = NextRetry(entry.avoided, at.now);
  return plan;
}

bool IsElsewhere(const OwnPartitions& partitions, const std::string& node) {
  return std::any_of(partitions.entries.begin(), partitions.entries.end(), [&](const auto& entry) {
    const auto& assignment = entry->object().spec.assignment;
    return assignment && assignment->node != node;
  });
}

// What failed because of a rule fails again: whoever asks is told. All else is tried again soon.
Plan AwaitAsked(const kclient::Pod& pod, const Setback& setback, const OwnPartitions& partitions,
                const Instant& at) {
  if (!setback.message.empty()) return Refuse(pod, partitions, setback.message);
  Plan plan;
  plan.requeue_after = (partitions.complete ? setback.bind_at : setback.until) - at.now;
  return plan;
}

Plan ReconcileCommit(const View& view, const PodEntry& entry, const Commit& commit,
                     const Instant& at) {
  const kclient::Pod& pod = *entry.pod;
  const auto needed = NeededPartitions(pod, **entry.request);
  const auto partitions = FindOwnPartitions(view, pod, needed.size());
  if (at.now >= commit.until) {
    return Refuse(pod, partitions, "the pod was not bound to node " + commit.node + " in time");
  }
  if (const auto why = WhyNameTaken(view, pod, needed)) return Refuse(pod, partitions, *why);
  Plan plan;
  const Setback* setback = view.FindSetback(PodKey(pod.meta.key()));
  if (IsElsewhere(partitions, commit.node)) {
    AppendDeletesOfSettled(plan, partitions);
  } else if (setback && IsHeldUp(*setback, partitions, at)) {
    plan = AwaitAsked(pod, *setback, partitions, at);
  } else {
    plan = Advance(view, entry, partitions, needed.size(), at);
    plan =
        commit.caller_binds ? LetBind(std::move(plan), pod.meta.uid) : BindAsked(std::move(plan));
    plan.commit = std::exchange(plan.place, false);
  }
  const base::Duration left = commit.until - at.now;
  plan.requeue_after = std::min(plan.requeue_after.value_or(left), left);
  return plan;
}

}  // namespace

bool IsAnothers(const View& view, const kclient::Pod& pod) {
  return pod.scheduler_name != view.settings().scheduler_name && !pod.bound() &&
         !pod.scheduling->gated && !pod.meta.deleting() && !pod.terminal();
}

std::optional<std::string> WhyNotServed(const View& view, const PodEntry& entry) {
  if (!entry.request->has_value()) return entry.request->error().message;
  if ((*entry.request)->empty()) return "no container asks for a card";
  if ((*entry.request)->partition.empty()) return {};
  return "annotation " + std::string(crds::kPartitionAnnotation) +
         ": reserved partitions are given by " + view.settings().scheduler_name +
         " alone: name it in spec.schedulerName";
}

Plan ReconcileAsked(const View& view, const PodEntry& entry, const Instant& at) {
  if (!entry.assumed_node.empty()) return RepeatBinding(view, entry, at);
  const kclient::Pod& pod = *entry.pod;
  const Commit* commit = view.FindCommit(pod.meta.uid);
  if (commit == nullptr || !commit->failure.empty()) return ReconcileUnasked(view, entry, at);
  if (auto why = WhyNotServed(view, entry)) {
    return Refuse(pod, FindOwnPartitions(view, pod, 0), std::move(*why));
  }
  return ReconcileCommit(view, entry, *commit, at);
}

void OutrankFor(const View& view, const Key& key, Trial& trial) {
  const PodEntryPtr entry = view.FindPod(key.object());
  if (entry == nullptr) return;
  const bool there = entry->pod->bound();
  trial.Outrank(there ? std::numeric_limits<int>::max() : entry->pod->priority,
                entry->pod->meta.uid);
}

Plan GrantAsked(const View& view, const Key& key, const Instant& at) {
  Plan plan;
  const PodEntryPtr entry = view.FindPod(key.object());
  if (entry && entry->pod->bound()) return GrantBound(view, *entry, at);
  if (entry == nullptr || !IsAnothers(view, *entry->pod) || !entry->node().empty()) return plan;
  const kclient::Pod& pod = *entry->pod;
  const Commit* commit = view.FindCommit(pod.meta.uid);
  const bool asked = commit && commit->failure.empty() && !WhyNotServed(view, *entry) &&
                     view.PartitionsOfPod(pod.meta.uid).empty();
  if (!asked) return plan;
  const auto needed = NeededPartitions(pod, **entry->request);
  const auto given = AllocateFor(view, *entry, {commit->node}, at.now);
  if (!given) {
    plan.notes.emplace_back(
        CommitFailed{pod.meta.uid, "node " + commit->node + ": " + given.error().message});
    return plan;
  }
  for (size_t i = 0; i < needed.size(); ++i) {
    plan.writes.push_back(CreatePartition(MakePartition(pod, needed[i], given->assignments[i])));
  }
  return plan;
}

std::optional<base::Status> WhatBecameOf(const View& view, std::string_view pod_uid,
                                         const std::string& node, base::TimePoint now) {
  const PodEntryPtr entry = view.FindPodByUid(pod_uid);
  if (entry == nullptr) return base::Status(base::Invalid("the pod is gone"));
  if (entry->pod->bound()) {
    if (entry->pod->node_name == node) return base::Ok();
    return base::Status(base::Invalid("the pod is bound to node " + entry->pod->node_name));
  }
  if (!IsAnothers(view, *entry->pod)) {
    return base::Status(base::Invalid("the pod has ended, is gated, or is placed by " +
                                      view.settings().scheduler_name));
  }
  if (entry->assumed_node == node && entry->sent == Sent::kCommitted) return base::Ok();
  const Commit* commit = view.FindCommit(pod_uid);
  if (commit == nullptr || commit->node != node) {
    return base::Status(base::Invalid("it was asked for on another node since"));
  }
  if (!commit->failure.empty()) return base::Status(base::Invalid(commit->failure));
  if (commit->ready && !view.PartitionsOfPod(pod_uid).empty()) return base::Ok();
  if (now < commit->until) return {};
  return base::Status(base::Invalid("the pod was not bound to node " + node + " in time"));
}

}  // namespace vdcu::reconcilers
