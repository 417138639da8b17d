#include "reconcilers/view/cluster.h"

#include <algorithm>
#include <variant>

namespace vdcu::reconcilers {

void Cluster::Take(const Note& note, base::TimePoint now) {
  std::visit([&](const auto& noted) { TakeOne(noted, now); }, note);
}

void Cluster::TakeOne(const NodeSilent& silent, base::TimePoint now) {
  dcu_nodes_.OnMissed(silent.node, now);
  silence_.Note(silent.node, now);
}

void Cluster::TakeOne(const PodRefused& refused, base::TimePoint now) {
  objects_.EditPod(refused.pod,
                   [&](PodEntry& entry) { Avoid(entry.avoided, refused.node, settings_, now); });
}

void Cluster::TakeOne(const PartitionRefused& refused, base::TimePoint now) {
  objects_.EditPartition(refused.partition, [&](PartitionEntry& entry) {
    Avoid(entry.avoided, refused.node, settings_, now);
  });
}

void Cluster::TakeOne(const MisnamingReported& reported, base::TimePoint /*now*/) {
  objects_.EditPod(reported.pod, [](PodEntry& entry) { entry.misnames = false; });
}

void Cluster::TakeOne(const LineSeen& seen, base::TimePoint /*now*/) {
  for (const std::string& pod : seen.pods) changes_.MarkPod(pod);
  const std::string before = lines_.SetHead(seen.partition, seen.head);
  if (!before.empty()) changes_.MarkPod(before);
}

void Cluster::TakeOne(const SliceHeld& held, base::TimePoint now) {
  Keep(held, settings_.hold_timeout, now);
}

void Cluster::Keep(const SliceHeld& held, base::Duration length, base::TimePoint now) {
  holds_.Set(held.uid, {.pod = held.pod,
                        .assignments = held.assignments,
                        .until = now + length,
                        .nudge = held.nudges ? Hold::Nudge::kDue : Hold::Nudge::kNone});
  objects_.EditPod(held.pod, [](PodEntry& entry) { entry.sought = false; });
  objects_.NoteSharing();
  changes_.MarkPod(held.pod);
}

void Cluster::TakeOne(const SliceSought& sought, base::TimePoint /*now*/) {
  objects_.EditPod(sought.pod, [](PodEntry& entry) { entry.sought = true; });
  changes_.MarkPod(sought.pod);
}

void Cluster::TakeOne(const CommitFailed& failed, base::TimePoint /*now*/) {
  commits_.Fail(failed.uid, failed.why);
}

void Cluster::TakeOne(const CommitReady& ready, base::TimePoint now) {
  commits_.SetReady(ready.uid, now + settings_.unbound_timeout);
}

void Cluster::TakeOne(const GroupComplete& complete, base::TimePoint /*now*/) {
  for (const std::string& pod : complete.pods) changes_.MarkPodAlone(pod);
}

void Cluster::TakeOne(const RoomClaimed& claimed, base::TimePoint /*now*/) { Claim(claimed); }

void Cluster::TakeOne(const RoomUnclaimed& unclaimed, base::TimePoint /*now*/) {
  claims_.Drop(unclaimed.uid);
}

void Cluster::Claim(const RoomClaimed& claimed) {
  if (const PodEntryPtr entry = objects_.FindPod(claimed.pod)) {
    claims_.Set({.pod = entry->pod, .assignments = claimed.assignments});
  }
}

void Cluster::Ask(const kclient::Pod& pod, const std::string& node, base::TimePoint now) {
  commits_.Ask(pod.meta.uid,
               {.node = node, .until = now + settings_.commit_timeout, .failure = ""});
  changes_.MarkPod(pod.meta.key());
}

void Cluster::Prepare(const kclient::Pod& pod, const std::string& node, base::TimePoint now) {
  commits_.Ask(
      pod.meta.uid,
      {.node = node, .until = now + settings_.gate_timeout, .failure = "", .caller_binds = true});
  changes_.MarkPod(pod.meta.key());
}

std::optional<base::TimePoint> Cluster::Expire(base::TimePoint now) {
  const auto spoken =
      silence_.Expire(now, [this](const std::string& node) { rooms_.Improve(node); });
  const auto dropped = holds_.Expire(now);
  plans_.Expire(now);
  if (!spoken || !dropped) return spoken ? spoken : dropped;
  return std::min(*spoken, *dropped);
}

std::vector<Key> Cluster::TakeDirty(size_t most) {
  if (changes_.TakeAllDirty()) {
    objects_.MarkAll();
    dcu_nodes_.MarkDue();
  }
  return changes_.TakeDirty(most);
}

}  // namespace vdcu::reconcilers
