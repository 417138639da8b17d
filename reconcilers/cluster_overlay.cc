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
  const auto entry = partitions_.Open(key);
  if (entry->shown) return;
  const auto before =
      std::exchange(entry->assumed, std::make_shared<const crds::VdcuPartition>(created.partition));
  entry->sent = Sending(entry->sent);
  PartitionChanged(key, *entry, before.get(), now);
}

void Cluster::AssumeOne(const AssumeAssigned& assigned, base::TimePoint now) {
  if (!partitions_.Contains(assigned.partition)) return;
  const auto entry = partitions_.Open(assigned.partition);
  if (!entry->shown) return;
  auto object = std::make_shared<crds::VdcuPartition>(*entry->shown);
  object->spec.assignment = assigned.assignment;
  ++object->meta.generation;  // so that no condition speaks of it yet
  const auto before = entry->assumed ? entry->assumed : entry->shown;
  entry->assumed = std::move(object);
  entry->sent = Sending(entry->sent);
  PartitionChanged(assigned.partition, *entry, before.get(), now);
}

void Cluster::AssumeOne(const AssumeWritten& written, base::TimePoint /*now*/) {
  if (!partitions_.Contains(written.partition)) return;
  const auto entry = partitions_.Open(written.partition);
  if (entry->Is(written.resource_version)) entry->sent = Sent::kInFlight;
}

void Cluster::AssumeOne(const AssumeBound& bound, base::TimePoint /*now*/) {
  if (!IsShown(bound.pod, bound.uid)) return;
  const auto entry = pods_.Open(bound.pod);
  EraseFrom(pods_naming_, entry->reserved(), bound.pod);
  entry->assumed_node = bound.node;
  entry->assumed_partition = bound.partition;
  IndexReserved(*entry);
  entry->sent = Sending(entry->sent);
  Charge(*entry, entry->pod.get(), NodeToCharge(*entry));
}

void Cluster::AssumeOne(const AssumeReported& reported, base::TimePoint /*now*/) {
  if (IsShown(reported.pod, reported.uid)) pods_.Open(reported.pod)->reported = reported.message;
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
  if (!partitions_.Contains(key)) return;
  const auto entry = partitions_.Open(key);
  const bool committed = outcome == Outcome::kCommitted;
  const std::string& uid = created.partition.meta.uid;
  const auto stored = std::make_shared<const crds::VdcuPartition>(created.partition);
  // The watch was faster than the answer.
  if (entry->shown) {
    const bool another = committed && !uid.empty() && uid != entry->shown->meta.uid;
    if (entry->behind) entry->behind = another ? stored : nullptr;
    return;
  }
  const bool refused = outcome == Outcome::kRefused && entry->sent != Sent::kRepeated;
  if (refused || (committed && !uid.empty() && uid == entry->gone)) {
    if (const auto erased = ErasePartition(key); committed) MarkPartitionDirty(key, *erased);
    return;
  }
  entry->sent = Settled(outcome);
  if (committed) entry->assumed = stored;
  if (WasDeletedUnseen(*entry)) ForgetPartition(key);
}

void Cluster::SettleOne(const AssumeAssigned& assigned, Outcome outcome, base::TimePoint now) {
  if (!partitions_.Contains(assigned.partition)) return;
  const auto entry = partitions_.Open(assigned.partition);
  if (!entry->assumed || !entry->shown) return;
  if (outcome != Outcome::kRefused || entry->sent == Sent::kRepeated) {
    entry->sent = Settled(outcome);
    return;
  }
  const auto before = std::exchange(entry->assumed, nullptr);
  entry->sent = Sent::kNothing;
  PartitionChanged(assigned.partition, *entry, before.get(), now);
}

void Cluster::SettleOne(const AssumeWritten& written, Outcome outcome, base::TimePoint /*now*/) {
  if (!partitions_.Contains(written.partition)) return;
  const auto entry = partitions_.Open(written.partition);
  // Where the watch has shown a change since, that is what counts.
  if (!entry->Is(written.resource_version)) return;
  entry->sent = outcome == Outcome::kCommitted ? Sent::kCommitted : Sent::kNothing;
}

// Our binding did not happen.
void Cluster::Unassume(PodEntry& entry) {
  EraseFrom(pods_naming_, entry.reserved(), entry.pod->meta.key());
  entry.assumed_node.clear();
  entry.assumed_partition.clear();
  entry.sent = Sent::kNothing;
  IndexReserved(entry);
  Charge(entry, entry.pod.get(), NodeToCharge(entry));
}

void Cluster::SettleOne(const AssumeBound& bound, Outcome outcome, base::TimePoint /*now*/) {
  if (!IsShown(bound.pod, bound.uid)) return;
  const auto entry = pods_.Open(bound.pod);
  if (entry->assumed_node.empty()) return;
  if (outcome == Outcome::kRefused && entry->sent != Sent::kRepeated) {
    const bool was_dirty = dirty_pods_.contains(base::Symbol(bound.pod));
    Unassume(*entry);
    if (!was_dirty) dirty_pods_.erase(base::Symbol(bound.pod));
    return;
  }
  entry->sent = Settled(outcome);
}

void Cluster::SettleOne(const AssumeReported& reported, Outcome outcome, base::TimePoint /*now*/) {
  if (outcome == Outcome::kCommitted || !pods_.Contains(reported.pod)) return;
  pods_.Open(reported.pod)->reported.clear();
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
