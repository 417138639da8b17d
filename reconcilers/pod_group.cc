#include "reconcilers/pod_group.h"

#include <algorithm>
#include <optional>
#include <tuple>

#include "crds/keys.h"
#include "crds/pod_group.h"
#include "reconcilers/conditions.h"
#include "reconcilers/pod.h"
#include "reconcilers/pod_partitions.h"

namespace vdcu::reconcilers {

namespace {

// Pods of a group are made one after the other: that some are missing is told when it lasts.
constexpr base::Duration kGathering{5'000};

using Members = std::vector<GroupMember>;

// What a pod says of its group, as far as it can be one of it.
struct Said {
  PodEntryPtr entry;
  size_t size = 0;
  bool there = false;
};

// It was placed, and that was not in vain.
bool IsThere(const PodEntry& entry) {
  const kclient::Pod& pod = *entry.pod;
  if (pod.meta.deleting() || pod.phase == "Failed") return false;
  return !entry.node().empty();
}

std::optional<size_t> SizeSaid(const kclient::Pod& pod) {
  const auto group = crds::ParsePodGroup(pod.meta);
  if (!group || !*group) return {};
  return static_cast<size_t>((*group)->size);
}

// Pods that can never be placed are told so themselves (ReconcilePod).
bool MayBePlaced(const View& view, const PodEntry& entry) {
  return WaitsForUs(view, *entry.pod) && !WhyNeverPlaced(view, entry) &&
         !WhyNameTaken(view, *entry.pod, NeededPartitions(*entry.pod, **entry.request));
}

std::vector<Said> AllSaid(const View& view, std::string_view key) {
  std::vector<Said> all;
  for (const std::string& pod_key : view.PodsOfGroup(key)) {
    const PodEntryPtr entry = view.FindPod(pod_key);
    const auto size = entry ? SizeSaid(*entry->pod) : std::nullopt;
    if (!size) continue;
    const bool there = IsThere(*entry);
    if (there || MayBePlaced(view, *entry)) all.push_back({entry, *size, there});
  }
  return all;
}

// Those that are there were placed by what they say, and the oldest was there before the others.
bool SpeaksBefore(const Said& a, const Said& b) {
  const auto order = [](const Said& said) {
    const kclient::ObjectMeta& meta = said.entry->pod->meta;
    return std::tuple<bool, const std::string&, const std::string&>(
        !said.there, meta.creation_timestamp, meta.name);
  };
  return order(a) < order(b);
}

// --- what follows ---

std::vector<PartitionEntryPtr> SlicesOf(const Members& members) {
  std::vector<PartitionEntryPtr> slices;
  for (const GroupMember& member : members) {
    slices.insert(slices.end(), member.slices.entries.begin(), member.slices.entries.end());
  }
  return slices;
}

void TellAll(Plan& plan, const PodGroup& group, std::string_view reason, const std::string& what,
             const Instant& at) {
  for (const GroupMember& member : group.waiting) {
    AppendUnscheduled(plan, *member.entry, reason, group.Tell(what), at);
  }
}

Plan WithdrawAll(const PodGroup& group, const std::string& reason, const std::string& what) {
  Plan plan;
  for (const GroupMember& member : group.waiting) {
    if (member.slices.entries.empty()) continue;
    Append(plan, Withdraw(member.pod(), member.slices.entries, reason, group.Tell(what)));
  }
  return plan;
}

std::string Newest(const Members& members) {
  std::string newest;
  for (const GroupMember& member : members) {
    newest = std::max(newest, member.pod().meta.creation_timestamp);
  }
  return newest;
}

Plan AwaitPods(const PodGroup& group, const PartitionInstant& at) {
  Plan plan;
  const std::string newest = Newest(group.waiting);
  plan.waits = Wait{WaitReason::kGroup, newest, group.waiting.size()};
  const auto came = base::ParseTime(newest);
  const base::Duration since =
      came ? std::chrono::duration_cast<base::Duration>(at.wall_time - *came) : kGathering;
  // Clocks that differ by more make no sense of it: then it is told at once.
  if (-kGathering < since && since < kGathering) {
    plan.requeue_after = kGathering - since;
    return plan;
  }
  const std::string counted = std::to_string(group.there + group.waiting.size()) + " of " +
                              std::to_string(group.size) +
                              " pods exist that can be placed: waiting for the others";
  TellAll(plan, group, kUnschedulable, counted, at);
  return plan;
}

Plan AwaitCards(const PodGroup& group, const PartitionInstant& at) {
  if (!group.exists()) return AwaitPods(group, at);
  Plan plan;
  plan.place = true;
  for (const GroupMember& member : group.waiting) {
    Plan retry;
    retry.requeue_after = NextRetry(member.entry->avoided, at.now);
    Append(plan, std::move(retry));
  }
  return plan;
}

// While one of them is set back all are. Nothing: none is.
std::optional<Plan> AwaitSetbacks(const View& view, const PodGroup& group, const Instant& at) {
  const GroupMember* last = nullptr;
  const Setback* longest = nullptr;
  for (const GroupMember& member : group.waiting) {
    const Setback* setback = view.FindSetback(PodKey(member.pod().meta.key()));
    if (setback == nullptr || !IsHeldUp(*setback, member.slices, at)) continue;
    if (longest != nullptr && longest->until >= setback->until) continue;
    last = &member;
    longest = setback;
  }
  if (longest == nullptr) return {};
  Plan plan;
  plan.requeue_after = std::max(longest->until - at.now, base::Duration(1));
  plan.waits = Wait{WaitReason::kRefused, Newest(group.waiting), group.waiting.size()};
  if (!longest->message.empty()) {
    TellAll(plan, group, longest->reason, "pod " + last->pod().meta.name + ": " + longest->message,
            at);
  }
  const bool complete = std::all_of(group.waiting.begin(), group.waiting.end(),
                                    [](const GroupMember& m) { return m.slices.complete; });
  if (!AreKept(view, *longest, complete, *plan.requeue_after)) {
    AppendDeletes(plan, SlicesOf(group.waiting));
  }
  return plan;
}

// A node's daemon has refused a slice: none of them goes there for a while.
Plan GoElsewhere(const PodGroup& group, const std::vector<PartitionEntryPtr>& slices) {
  Plan plan = WithdrawAll(group, "SliceRefused", RefusalOf(slices));
  for (const PartitionEntryPtr& slice : slices) {
    if (!IsTurnedDown(*slice)) continue;
    for (const GroupMember& member : group.waiting) {
      plan.notes.emplace_back(
          PodRefused{member.pod().meta.key(), slice->object().spec.assignment->node});
    }
  }
  return plan;
}

Plan AwaitPrepared(const View& view, const PodGroup& group,
                   const std::vector<PartitionEntryPtr>& unready, const Instant& at) {
  Plan plan;
  const base::Duration left = TimeToPrepare(view, unready, at.now);
  if (left > base::Duration(0)) {
    plan.requeue_after = left;
    return plan;
  }
  std::set<std::string> silent;
  for (const PartitionEntryPtr& slice : unready) {
    if (TimeToPrepare(view, {slice}, at.now) > base::Duration(0)) continue;
    silent.insert(slice->object().spec.assignment->node);
  }
  std::string nodes;
  for (const std::string& node : silent) nodes += (nodes.empty() ? "" : ", ") + node;
  plan = WithdrawAll(group, "NodeSilent",
                     "the vdcu daemon of node " + nodes + " did not prepare a slice in time");
  for (const std::string& node : silent) plan.notes.emplace_back(NodeSilent{node});
  return plan;
}

std::optional<std::string> WhyAnyNoLonger(const View& view, const PodGroup& group) {
  for (const GroupMember& member : group.waiting) {
    if (!member.slices.complete) continue;
    const std::string& node = member.slices.entries.front()->object().spec.assignment->node;
    if (auto why = WhyNoLonger(view, member.pod(), node)) return why;
  }
  return {};
}

Plan BindAll(const View& view, const Members& members, const Instant& at) {
  Plan plan;
  for (const GroupMember& member : members) {
    if (!member.slices.complete) continue;
    const auto& assignment = member.slices.entries.front()->object().spec.assignment;
    Append(plan, BindPod(view, member.pod(), assignment->node, "", at));
  }
  return plan;
}

// Some have slices, and all that was written of them is shown.
Plan AdvanceSlices(const View& view, const PodGroup& group, const Instant& at) {
  const std::vector<PartitionEntryPtr> slices = SlicesOf(group.waiting);
  if (std::any_of(slices.begin(), slices.end(), [](const auto& s) { return IsTurnedDown(*s); })) {
    return GoElsewhere(group, slices);
  }
  size_t with = 0;
  size_t complete = 0;
  for (const GroupMember& member : group.waiting) {
    with += member.slices.entries.empty() ? 0 : 1;
    complete += member.slices.complete ? 1 : 0;
  }
  if (complete < with || group.there + complete < group.size) {
    // A crash between two creates, or a pod that has gone since.
    return WithdrawAll(group, "SlicesIncomplete",
                       "only " + std::to_string(group.there + complete) + " of " +
                           std::to_string(group.size) +
                           " pods have their slices: placing all anew");
  }
  if (const auto why = WhyAnyNoLonger(view, group)) return WithdrawAll(group, "NodeUnfit", *why);
  std::vector<PartitionEntryPtr> unready;
  for (const PartitionEntryPtr& slice : slices) {
    if (!IsTrue(slice->object(), crds::kReady)) unready.push_back(slice);
  }
  return unready.empty() ? BindAll(view, group.waiting, at)
                         : AwaitPrepared(view, group, unready, at);
}

Plan AdvanceTogether(const View& view, const PodGroup& group, const PartitionInstant& at) {
  bool any = false;
  bool unsettled = false;
  for (const GroupMember& member : group.waiting) {
    any |= !member.slices.entries.empty();
    unsettled |= member.slices.unsettled;
  }
  // The watch brings them back.
  if (group.waiting.empty() || unsettled) return {};
  if (auto plan = AwaitSetbacks(view, group, at)) return std::move(*plan);
  return any ? AdvanceSlices(view, group, at) : AwaitCards(group, at);
}

}  // namespace

PodGroup FindPodGroup(const View& view, std::string_view key) {
  PodGroup group;
  group.name = key.substr(key.find('/') + 1);
  const std::vector<Said> all = AllSaid(view, key);
  const auto first = std::min_element(all.begin(), all.end(), SpeaksBefore);
  if (first == all.end()) return group;
  group.size = first->size;
  for (const Said& said : all) {
    const kclient::Pod& pod = *said.entry->pod;
    if (said.size == group.size && said.there) {
      ++group.there;
    } else if (said.size == group.size) {
      const size_t needed = NeededPartitions(pod, **said.entry->request).size();
      group.waiting.push_back({said.entry, needed, FindOwnPartitions(view, pod, needed)});
    } else if (!said.there) {
      group.refused.emplace_back(
          said.entry, "annotation " + std::string(crds::kGroupSizeAnnotation) + ": \"" +
                          std::to_string(said.size) + "\": must be " + std::to_string(group.size) +
                          ", as pod " + first->entry->pod->meta.name + " of the same group says");
    }
  }
  return group;
}

bool IsPlacedTogether(const View& view, const PodEntry& entry) {
  const std::string key = GroupKeyOf(*entry.pod, view.settings().scheduler_name);
  const auto size = key.empty() ? std::nullopt : SizeSaid(*entry.pod);
  if (!size) return false;
  size_t there = 0;
  for (const std::string& pod_key : view.PodsOfGroup(key)) {
    const PodEntryPtr other = view.FindPod(pod_key);
    if (other && IsThere(*other) && SizeSaid(*other->pod) == size && ++there == *size) return false;
  }
  return true;
}

Plan ReconcilePodGroup(const View& view, std::string_view key, const PartitionInstant& at) {
  const PodGroup group = FindPodGroup(view, key);
  Plan plan;
  if (group.complete()) {
    GroupComplete complete;
    for (const GroupMember& member : group.waiting) {
      complete.pods.push_back(member.pod().meta.key());
    }
    if (!complete.pods.empty()) plan.notes.emplace_back(std::move(complete));
  } else {
    plan = AdvanceTogether(view, group, at);
  }
  for (const auto& [entry, why] : group.refused) {
    if (IsPlacedTogether(view, *entry)) AppendUnscheduled(plan, *entry, "SchedulerError", why, at);
  }
  return plan;
}

}  // namespace vdcu::reconcilers
