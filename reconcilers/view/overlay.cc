#include "reconcilers/view/overlay.h"

#include <utility>
#include <variant>
#include <vector>

namespace vdcu::reconcilers {

namespace {

Sent Sending(Sent before) {
  const bool again = before == Sent::kUnknown || before == Sent::kRepeated;
  return again ? Sent::kRepeated : Sent::kInFlight;
}

Sent Settled(Outcome outcome) {
  return outcome == Outcome::kCommitted ? Sent::kCommitted : Sent::kUnknown;
}

// The object that is shown is of a try before, or may be.
bool MayStoreAnother(const PartitionEntry& created, const std::string& shown_uid) {
  const std::string& stored = created.assumed->meta.uid;
  if (created.sent == Sent::kCommitted) return !stored.empty() && stored != shown_uid;
  return created.sent == Sent::kInFlight || created.sent == Sent::kRepeated;
}

}  // namespace

// This very pod.
PodEntryPtr Overlay::FindShown(std::string_view pod_key, std::string_view uid) const {
  PodEntryPtr entry = objects_.FindPod(pod_key);
  return entry && entry->pod->meta.uid == uid ? entry : nullptr;
}

void Overlay::Assume(const Assumption& assumption, base::TimePoint now) {
  std::visit([&](const auto& assumed) { AssumeOne(assumed, now); }, assumption);
}

void Overlay::AssumeOne(const AssumeCreated& created, base::TimePoint now) {
  const std::string key = created.partition.meta.key();
  const PartitionEntryPtr found = objects_.FindPartition(key);
  PartitionEntry entry = found ? *found : PartitionEntry();
  if (entry.shown) return;
  entry.assumed = std::make_shared<const crds::VdcuPartition>(created.partition);
  entry.sent = Sending(entry.sent);
  objects_.SetPartition(key, std::move(entry), now);
}

void Overlay::AssumeOne(const AssumeAssigned& assigned, base::TimePoint now) {
  const PartitionEntryPtr found = objects_.FindPartition(assigned.partition);
  if (!found || !found->shown) return;
  auto object = std::make_shared<crds::VdcuPartition>(*found->shown);
  object->spec.assignment = assigned.assignment;
  ++object->meta.generation;  // so that no condition speaks of it yet
  PartitionEntry entry = *found;
  entry.assumed = std::move(object);
  entry.sent = Sending(entry.sent);
  objects_.SetPartition(assigned.partition, std::move(entry), now);
}

void Overlay::AssumeOne(const AssumeWritten& written, base::TimePoint /*now*/) {
  objects_.EditPartition(written.partition, [&](PartitionEntry& entry) {
    if (entry.Is(written.resource_version)) entry.sent = Sent::kInFlight;
  });
}

void Overlay::AssumeOne(const AssumeBound& bound, base::TimePoint /*now*/) {
  const PodEntryPtr found = FindShown(bound.pod, bound.uid);
  if (!found) return;
  PodEntry entry = *found;
  entry.assumed_node = bound.node;
  entry.assumed_partition = bound.partition;
  entry.sent = Sending(entry.sent);
  objects_.SetPod(bound.pod, std::move(entry));
}

void Overlay::AssumeOne(const AssumeReported& reported, base::TimePoint /*now*/) {
  if (!FindShown(reported.pod, reported.uid)) return;
  objects_.EditPod(reported.pod, [&](PodEntry& entry) { entry.reported = reported.message; });
}

void Overlay::AssumeOne(const AssumeDoubted& doubted, base::TimePoint /*now*/) {
  dcu_nodes_.NoteWrite(doubted.node, doubted.resource_version);
}

void Overlay::AssumeOne(const AssumeTainted& tainted, base::TimePoint /*now*/) {
  dcu_nodes_.NoteTaint(tainted.node, tainted.resource_version);
}

void Overlay::AssumeOne(const AssumeNudged& nudged, base::TimePoint /*now*/) {
  holds_.SetNudge(nudged.uid, Hold::Nudge::kSent);
}

void Overlay::AssumeOne(const AssumeEvicted& evicted, base::TimePoint /*now*/) {
  evictions_.Ask(evicted.victim);
}

void Overlay::AssumeOne(const AssumeNominated& nominated, base::TimePoint /*now*/) {
  claims_.SetTold(nominated.uid, true);
}

void Overlay::Settle(const Assumption& assumption, Outcome outcome, base::TimePoint now) {
  std::visit([&](const auto& assumed) { SettleOne(assumed, outcome, now); }, assumption);
}

void Overlay::SettleOne(const AssumeCreated& created, Outcome outcome, base::TimePoint /*now*/) {
  const std::string key = created.partition.meta.key();
  const PartitionEntryPtr found = objects_.FindPartition(key);
  if (!found) return;
  const bool committed = outcome == Outcome::kCommitted;
  const std::string& uid = created.partition.meta.uid;
  const auto stored = std::make_shared<const crds::VdcuPartition>(created.partition);
  // The watch was faster than the answer.
  if (found->shown) {
    const bool another = committed && !uid.empty() && uid != found->shown->meta.uid;
    return objects_.EditPartition(key, [&](PartitionEntry& entry) {
      if (entry.behind) entry.behind = another ? stored : nullptr;
    });
  }
  const bool refused = outcome == Outcome::kRefused && found->sent != Sent::kRepeated;
  if (refused || (committed && !uid.empty() && uid == found->gone)) {
    const auto erased = objects_.ErasePartition(key);
    if (committed) objects_.MarkPartition(key, *erased);
    return;
  }
  objects_.EditPartition(key, [&](PartitionEntry& entry) {
    entry.sent = Settled(outcome);
    if (committed) entry.assumed = stored;
  });
  if (WasDeletedUnseen(*objects_.FindPartition(key))) objects_.ForgetPartition(key);
}

void Overlay::SettleOne(const AssumeAssigned& assigned, Outcome outcome, base::TimePoint now) {
  const PartitionEntryPtr found = objects_.FindPartition(assigned.partition);
  if (!found || !found->assumed || !found->shown) return;
  PartitionEntry entry = *found;
  if (outcome != Outcome::kRefused || entry.sent == Sent::kRepeated) {
    return objects_.EditPartition(assigned.partition,
                                  [&](PartitionEntry& edited) { edited.sent = Settled(outcome); });
  }
  entry.assumed = nullptr;
  entry.sent = Sent::kNothing;
  objects_.SetPartition(assigned.partition, std::move(entry), now);
}

void Overlay::SettleOne(const AssumeWritten& written, Outcome outcome, base::TimePoint /*now*/) {
  objects_.EditPartition(written.partition, [&](PartitionEntry& entry) {
    // Where the watch has shown a change since, that is what counts.
    if (!entry.Is(written.resource_version)) return;
    entry.sent = outcome == Outcome::kCommitted ? Sent::kCommitted : Sent::kNothing;
  });
}

void Overlay::SettleOne(const AssumeBound& bound, Outcome outcome, base::TimePoint /*now*/) {
  const PodEntryPtr found = FindShown(bound.pod, bound.uid);
  if (!found || found->assumed_node.empty()) return;
  if (outcome == Outcome::kRefused && found->sent != Sent::kRepeated) return Unassume(*found);
  objects_.EditPod(bound.pod, [&](PodEntry& entry) { entry.sent = Settled(outcome); });
}

// Our binding did not happen.
void Overlay::Unassume(const PodEntry& bound) {
  PodEntry entry = bound;
  entry.assumed_node.clear();
  entry.assumed_partition.clear();
  entry.sent = Sent::kNothing;
  objects_.SetPod(bound.pod->meta.key(), std::move(entry));
}

void Overlay::SettleOne(const AssumeReported& reported, Outcome outcome, base::TimePoint /*now*/) {
  if (outcome == Outcome::kCommitted) return;
  objects_.EditPod(reported.pod, [](PodEntry& entry) { entry.reported.clear(); });
}

// Of unknown end it is sent again: as its version has gone then, it does no harm.
void Overlay::SettleOne(const AssumeDoubted& doubted, Outcome outcome, base::TimePoint /*now*/) {
  if (outcome != Outcome::kCommitted) dcu_nodes_.ForgetWrite(doubted.node);
}

void Overlay::SettleOne(const AssumeTainted& tainted, Outcome outcome, base::TimePoint /*now*/) {
  if (outcome != Outcome::kCommitted) dcu_nodes_.ForgetTaint(tainted.node);
}

void Overlay::SettleOne(const AssumeNudged& nudged, Outcome outcome, base::TimePoint /*now*/) {
  if (outcome != Outcome::kCommitted) holds_.SetNudge(nudged.uid, Hold::Nudge::kDue);
}

// Until the watch shows that it goes it counts as going: it is not looked at again meanwhile.
void Overlay::SettleOne(const AssumeEvicted& evicted, Outcome outcome, base::TimePoint now) {
  if (outcome == Outcome::kUnknown) evictions_.Forget(evicted.victim);
  if (outcome != Outcome::kRefused) return;
  evictions_.Spare(evicted.victim, settings_, now);
  changes_.MarkPod(evicted.pod);
}

void Overlay::SettleOne(const AssumeNominated& nominated, Outcome outcome,
                        base::TimePoint /*now*/) {
  if (outcome != Outcome::kCommitted) claims_.SetTold(nominated.uid, false);
}

void Overlay::SetBack(const Key& request, Setback setback, base::TimePoint now) {
  setbacks_.Set(request, std::move(setback), now);
  const std::string key = request.object();
  if (request.kind != kPod) return changes_.MarkPartition(key);
  // Others may have the reserved partition that it names.
  if (const PodEntryPtr entry = objects_.FindPod(key)) objects_.MarkPod(*entry);
}

// --- what the watches say of them ---

PartitionEntry Overlay::WithShown(const std::string& key,
                                  const std::shared_ptr<const crds::VdcuPartition>& shown,
                                  base::TimePoint now) const {
  const PartitionEntryPtr found = objects_.FindPartition(key);
  PartitionEntry entry = found ? *found : PartitionEntry();
  const bool created_by_us = entry.assumed && !entry.shown;
  if (created_by_us && MayStoreAnother(entry, shown->meta.uid)) entry.behind = entry.assumed;
  entry.shown = shown;
  const bool settled = shown->assigned() || shown->meta.deleting() || shown->unread;
  if (created_by_us || settled) entry.assumed = nullptr;
  if (!entry.assumed) entry.sent = Sent::kNothing;
  if (created_by_us) entry.assigned_at = now;
  return entry;
}

std::optional<PartitionEntry> Overlay::BroughtForward(const std::string& key) const {
  const PartitionEntryPtr found = objects_.FindPartition(key);
  if (!found || !found->behind) return {};
  PartitionEntry entry = *found;
  entry.gone = entry.shown->meta.uid;
  entry.shown = nullptr;
  entry.assumed = std::exchange(entry.behind, nullptr);
  entry.sent = entry.assumed->meta.uid.empty() ? Sent::kRepeated : Sent::kCommitted;
  return entry;
}

// Our create was stored and deleted while the watch was away: nothing will ever tell of it.
bool Overlay::WasDeletedUnseen(const PartitionEntry& entry) const {
  return !entry.shown && entry.sent == Sent::kCommitted &&
         kclient::IsSameOrOlder(entry.assumed->meta.resource_version, partitions_listed_);
}

void Overlay::OnPartitionsListBegin() {
  committed_before_list_.clear();
  objects_.partitions().ForEachOpen([&](std::string_view key, const PartitionEntry& entry) {
    if (entry.assumed && entry.sent == Sent::kCommitted && !entry.behind) {
      committed_before_list_.emplace(key, entry.assumed);
    }
  });
}

// The list does not show what was committed before it: etcd has been restored to a state before.
void Overlay::Withdraw(const std::string& key) {
  const PartitionEntryPtr found = objects_.FindPartition(key);
  if (!found->shown) return objects_.ForgetPartition(key);
  PartitionEntry entry = *found;
  entry.assumed = nullptr;
  entry.sent = Sent::kNothing;
  objects_.SetPartition(key, std::move(entry), found->assigned_at);
  objects_.MarkPartition(key, *found->shown);
}

void Overlay::OnPartitionsListed(std::string_view version) {
  for (const auto& [key, assumed] : std::exchange(committed_before_list_, {})) {
    const PartitionEntryPtr entry = objects_.FindPartition(key);
    if (entry && entry->assumed == assumed && entry->sent == Sent::kCommitted) Withdraw(key);
  }
  partitions_listed_ = version;
  std::vector<std::string> gone;
  objects_.partitions().ForEachOpen([&](std::string_view key, const PartitionEntry& entry) {
    if (WasDeletedUnseen(entry)) gone.emplace_back(key);
  });
  for (const std::string& key : gone) objects_.ForgetPartition(key);
}

void Overlay::OnPodsListBegin() {
  bound_before_list_.clear();
  objects_.pods().ForEachOpen([&](std::string_view key, const PodEntry& entry) {
    if (!entry.assumed_node.empty() && entry.sent == Sent::kCommitted) {
      bound_before_list_.emplace(key, entry.pod->meta.uid);
    }
  });
}

// A binding that was committed before the list and that it does not show is gone: etcd has been
// restored to a state before.
void Overlay::OnPodsListed() {
  for (const auto& [key, uid] : std::exchange(bound_before_list_, {})) {
    const PodEntryPtr found = objects_.FindAnyPod(key);
    const bool still = found && found->pod->meta.uid == uid && !found->pod->bound() &&
                       found->sent == Sent::kCommitted;
    if (!still) continue;
    Unassume(*found);
    changes_.MarkPod(key);
  }
}

}  // namespace vdcu::reconcilers
