// Cluster's overlay: our own writes, from their start until the watch shows them or they fail.
#include <type_traits>
#include <utility>

#include "reconcilers/cluster.h"

namespace vdcu::reconcilers {

void Cluster::Assume(const Assumption& assumption, base::TimePoint now) {
  std::visit([&](const auto& assumed) { AssumeOne(assumed, now); }, assumption);
}

void Cluster::AssumeOne(const AssumeCreated& created, base::TimePoint now) {
  const std::string key = created.partition.meta.key();
  PartitionEntry& entry = partitions_[key];
  if (entry.shown) return;
  const auto before =
      std::exchange(entry.assumed, std::make_shared<const crds::VdcuPartition>(created.partition));
  entry.sent = Sent::kInFlight;
  PartitionChanged(key, before.get(), now);
}

void Cluster::AssumeOne(const AssumeAssigned& assigned, base::TimePoint now) {
  const auto found = partitions_.find(assigned.partition);
  if (found == partitions_.end() || !found->second.shown) return;
  PartitionEntry& entry = found->second;
  auto object = std::make_shared<crds::VdcuPartition>(*entry.shown);
  object->spec.assignment = assigned.assignment;
  ++object->meta.generation;  // so that no condition speaks of it yet
  const auto before = entry.assumed ? entry.assumed : entry.shown;
  entry.assumed = std::move(object);
  entry.sent = Sent::kInFlight;
  PartitionChanged(assigned.partition, before.get(), now);
}

void Cluster::AssumeOne(const AssumeWritten& written, base::TimePoint /*now*/) {
  const auto found = partitions_.find(written.partition);
  if (found != partitions_.end() && found->second.Is(written.resource_version)) {
    found->second.sent = Sent::kInFlight;
  }
}

void Cluster::AssumeOne(const AssumeBound& bound, base::TimePoint /*now*/) {
  const auto found = pods_.find(bound.pod);
  if (found == pods_.end() || found->second.pod->meta.uid != bound.uid) return;
  found->second.assumed_node = bound.node;
  found->second.sent = Sent::kInFlight;
  Recharge(bound.pod);
}

void Cluster::AssumeOne(const AssumeReported& reported, base::TimePoint /*now*/) {
  const auto found = pods_.find(reported.pod);
  if (found == pods_.end() || found->second.pod->meta.uid != reported.uid) return;
  found->second.reported = reported.message;
}

// What fails is not marked dirty here: the runner tries its key again, after a while.
void Cluster::Settle(const Assumption& assumption, Outcome outcome, base::TimePoint now) {
  std::visit([&](const auto& assumed) { SettleOne(assumed, outcome, now); }, assumption);
}

void Cluster::SettleOne(const AssumeCreated& created, Outcome outcome, base::TimePoint /*now*/) {
  const std::string key = created.partition.meta.key();
  const auto found = partitions_.find(key);
  // The watch was faster than the answer.
  if (found == partitions_.end() || found->second.shown) return;
  if (outcome == Outcome::kRefused) {
    ErasePartition(key);
    return;
  }
  found->second.sent = outcome == Outcome::kCommitted ? Sent::kCommitted : Sent::kUnknown;
}

void Cluster::SettleOne(const AssumeAssigned& assigned, Outcome outcome, base::TimePoint now) {
  const auto found = partitions_.find(assigned.partition);
  if (found == partitions_.end() || !found->second.assumed || !found->second.shown) return;
  PartitionEntry& entry = found->second;
  if (outcome != Outcome::kRefused) {
    entry.sent = outcome == Outcome::kCommitted ? Sent::kCommitted : Sent::kUnknown;
    return;
  }
  const auto before = std::exchange(entry.assumed, nullptr);
  entry.sent = Sent::kNothing;
  PartitionChanged(assigned.partition, before.get(), now);
}

void Cluster::SettleOne(const AssumeWritten& written, Outcome outcome, base::TimePoint /*now*/) {
  const auto found = partitions_.find(written.partition);
  // Where the watch has shown a change since, that is what counts.
  if (found == partitions_.end() || !found->second.Is(written.resource_version)) return;
  found->second.sent = outcome == Outcome::kCommitted ? Sent::kCommitted : Sent::kNothing;
}

void Cluster::SettleOne(const AssumeBound& bound, Outcome outcome, base::TimePoint /*now*/) {
  const auto found = pods_.find(bound.pod);
  if (found == pods_.end() || found->second.pod->meta.uid != bound.uid) return;
  PodEntry& entry = found->second;
  if (entry.assumed_node.empty()) return;
  if (outcome == Outcome::kRefused) {
    entry.assumed_node.clear();
    entry.sent = Sent::kNothing;
    const bool was_dirty = dirty_.contains(PodKey(bound.pod));
    Recharge(bound.pod);
    if (!was_dirty) dirty_.erase(PodKey(bound.pod));
    return;
  }
  entry.sent = outcome == Outcome::kCommitted ? Sent::kCommitted : Sent::kUnknown;
}

void Cluster::SettleOne(const AssumeReported& reported, Outcome outcome, base::TimePoint /*now*/) {
  const auto found = pods_.find(reported.pod);
  if (found == pods_.end() || outcome == Outcome::kCommitted) return;
  found->second.reported.clear();
}

}  // namespace vdcu::reconcilers
