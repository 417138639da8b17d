// Cluster's overlay: our own writes, from their start until the watch shows them or they fail.
#include <type_traits>
#include <utility>

#include "reconcilers/cluster.h"

namespace vdcu::reconcilers {

namespace {

Sent Sending(Sent before) {
  const bool again = before == Sent::kUnknown || before == Sent::kRepeated;
  return again ? Sent::kRepeated : Sent::kInFlight;
}

Sent Settled(Outcome outcome) {
  return outcome == Outcome::kCommitted ? Sent::kCommitted : Sent::kUnknown;
}

}  // namespace

bool Cluster::IsShown(std::string_view pod_key, std::string_view uid) const {
  const PodEntryPtr entry = FindPod(pod_key);
  return entry && entry->pod->meta.uid == uid;
}

void Cluster::Assume(const Assumption& assumption, base::TimePoint now) {
  std::visit([&](const auto& assumed) { AssumeOne(assumed, now); }, assumption);
}

void Cluster::AssumeOne(const AssumeCreated& created, base::TimePoint now) {
  const std::string key = created.partition.meta.key();
  const PartitionEntryPtr found = partitions_.Find(key);
  PartitionEntry entry = found ? *found : PartitionEntry();
  if (entry.shown) return;
  entry.assumed = std::make_shared<const crds::VdcuPartition>(created.partition);
  entry.sent = Sending(entry.sent);
  ReplacePartition(key, std::move(entry), now);
}

void Cluster::AssumeOne(const AssumeAssigned& assigned, base::TimePoint now) {
  const PartitionEntryPtr found = partitions_.Find(assigned.partition);
  if (!found || !found->shown) return;
  auto object = std::make_shared<crds::VdcuPartition>(*found->shown);
  object->spec.assignment = assigned.assignment;
  ++object->meta.generation;  // so that no condition speaks of it yet
  PartitionEntry entry = *found;
  entry.assumed = std::move(object);
  entry.sent = Sending(entry.sent);
  ReplacePartition(assigned.partition, std::move(entry), now);
}

void Cluster::AssumeOne(const AssumeWritten& written, base::TimePoint /*now*/) {
  partitions_.Change(written.partition, [&](PartitionEntry& entry) {
    if (entry.Is(written.resource_version)) entry.sent = Sent::kInFlight;
  });
}

void Cluster::AssumeOne(const AssumeBound& bound, base::TimePoint /*now*/) {
  if (!IsShown(bound.pod, bound.uid)) return;
  PodEntry entry = *pods_.Find(bound.pod);
  EraseFrom(pods_naming_, entry.reserved(), bound.pod);
  entry.assumed_node = bound.node;
  entry.assumed_partition = bound.partition;
  IndexReserved(entry);
  entry.sent = Sending(entry.sent);
  const std::string node = NodeToCharge(entry);
  ReplacePod(bound.pod, std::move(entry), node);
}

void Cluster::AssumeOne(const AssumeReported& reported, base::TimePoint /*now*/) {
  if (!IsShown(reported.pod, reported.uid)) return;
  pods_.Change(reported.pod, [&](PodEntry& entry) { entry.reported = reported.message; });
}

void Cluster::AssumeOne(const AssumeDoubted& doubted, base::TimePoint /*now*/) {
  doubted_[doubted.node] = doubted.resource_version;
}

// What fails is not marked dirty here: the runner tries its key again, after a while.
void Cluster::Settle(const Assumption& assumption, Outcome outcome, base::TimePoint now) {
  std::visit([&](const auto& assumed) { SettleOne(assumed, outcome, now); }, assumption);
}

void Cluster::SettleOne(const AssumeCreated& created, Outcome outcome, base::TimePoint /*now*/) {
  const std::string key = created.partition.meta.key();
  const PartitionEntryPtr found = partitions_.Find(key);
  if (!found) return;
  const bool committed = outcome == Outcome::kCommitted;
  const std::string& uid = created.partition.meta.uid;
  const auto stored = std::make_shared<const crds::VdcuPartition>(created.partition);
  PartitionEntry entry = *found;
  // The watch was faster than the answer.
  if (entry.shown) {
    const bool another = committed && !uid.empty() && uid != entry.shown->meta.uid;
    if (entry.behind) entry.behind = another ? stored : nullptr;
    return partitions_.Set(key, std::move(entry));
  }
  const bool refused = outcome == Outcome::kRefused && entry.sent != Sent::kRepeated;
  if (refused || (committed && !uid.empty() && uid == entry.gone)) {
    if (const auto erased = ErasePartition(key); committed) MarkPartitionDirty(key, *erased);
    return;
  }
  entry.sent = Settled(outcome);
  if (committed) entry.assumed = stored;
  const bool deleted_unseen = WasDeletedUnseen(entry);
  partitions_.Set(key, std::move(entry));
  if (deleted_unseen) ForgetPartition(key);
}

void Cluster::SettleOne(const AssumeAssigned& assigned, Outcome outcome, base::TimePoint now) {
  const PartitionEntryPtr found = partitions_.Find(assigned.partition);
  if (!found || !found->assumed || !found->shown) return;
  PartitionEntry entry = *found;
  if (outcome != Outcome::kRefused || entry.sent == Sent::kRepeated) {
    entry.sent = Settled(outcome);
    return partitions_.Set(assigned.partition, std::move(entry));
  }
  entry.assumed = nullptr;
  entry.sent = Sent::kNothing;
  ReplacePartition(assigned.partition, std::move(entry), now);
}

void Cluster::SettleOne(const AssumeWritten& written, Outcome outcome, base::TimePoint /*now*/) {
  partitions_.Change(written.partition, [&](PartitionEntry& entry) {
    // Where the watch has shown a change since, that is what counts.
    if (!entry.Is(written.resource_version)) return;
    entry.sent = outcome == Outcome::kCommitted ? Sent::kCommitted : Sent::kNothing;
  });
}

// Our binding did not happen.
void Cluster::Unassume(const PodEntryPtr& found) {
  const std::string key = found->pod->meta.key();
  PodEntry entry = *found;
  EraseFrom(pods_naming_, entry.reserved(), key);
  entry.assumed_node.clear();
  entry.assumed_partition.clear();
  entry.sent = Sent::kNothing;
  IndexReserved(entry);
  const std::string node = NodeToCharge(entry);
  ReplacePod(key, std::move(entry), node);
}

void Cluster::SettleOne(const AssumeBound& bound, Outcome outcome, base::TimePoint /*now*/) {
  if (!IsShown(bound.pod, bound.uid)) return;
  const PodEntryPtr found = pods_.Find(bound.pod);
  if (found->assumed_node.empty()) return;
  if (outcome == Outcome::kRefused && found->sent != Sent::kRepeated) {
    const bool was_dirty = dirty_pods_.contains(base::Symbol(bound.pod));
    Unassume(found);
    if (!was_dirty) dirty_pods_.erase(base::Symbol(bound.pod));
    return;
  }
  pods_.Change(bound.pod, [&](PodEntry& entry) { entry.sent = Settled(outcome); });
}

void Cluster::SettleOne(const AssumeReported& reported, Outcome outcome, base::TimePoint /*now*/) {
  if (outcome == Outcome::kCommitted) return;
  pods_.Change(reported.pod, [](PodEntry& entry) { entry.reported.clear(); });
}

// Of unknown end it is sent again: as its version has gone then, it does no harm.
void Cluster::SettleOne(const AssumeDoubted& doubted, Outcome outcome, base::TimePoint /*now*/) {
  if (outcome != Outcome::kCommitted) doubted_.erase(doubted.node);
}

void Cluster::SetBack(const Key& request, Setback setback, base::TimePoint now) {
  setbacks_.Set(request, std::move(setback), now);
  const std::string key = request.object();
  if (request.kind != kPod) return MarkDirtyPartition(key);
  // Others may have the reserved partition that it names.
  if (const PodEntryPtr entry = FindPod(key)) MarkPodDirty(*entry);
}

}  // namespace vdcu::reconcilers
