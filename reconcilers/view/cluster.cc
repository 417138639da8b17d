#include "reconcilers/view/cluster.h"

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

std::optional<base::TimePoint> Cluster::ExpireSilent(base::TimePoint now) {
  return silence_.Expire(now, [this](const std::string& node) { rooms_.Improve(node); });
}

std::vector<Key> Cluster::TakeDirty(size_t most) {
  if (changes_.TakeAllDirty()) {
    objects_.MarkAll();
    dcu_nodes_.MarkDoubted();
  }
  return changes_.TakeDirty(most);
}

}  // namespace vdcu::reconcilers
