// Cluster's partitions: as the watch shows them, and what follows for cards, nodes and pods.
#include <algorithm>
#include <utility>

#include "crds/keys.h"
#include "reconcilers/cluster.h"
#include "reconcilers/conditions.h"

namespace vdcu::reconcilers {

std::optional<PartitionEntry::Packed> PartitionEntry::Pack() const {
  const bool at_rest = shown && !assumed && !behind && sent == Sent::kNothing && avoided.empty();
  if (!at_rest) return {};
  return Packed{PackedPartition(*shown), assigned_at};
}

PartitionEntry PartitionEntry::Unpack(const Packed& packed, std::string_view key) {
  PartitionEntry entry;
  entry.shown = std::make_shared<const crds::VdcuPartition>(packed.shown.Unpack(key));
  entry.assigned_at = packed.assigned_at;
  return entry;
}

namespace {

// The object that is shown is of a try before, or may be.
bool MayStoreAnother(const PartitionEntry& created, const std::string& shown_uid) {
  const std::string& stored = created.assumed->meta.uid;
  if (created.sent == Sent::kCommitted) return !stored.empty() && stored != shown_uid;
  return created.sent == Sent::kInFlight || created.sent == Sent::kRepeated;
}

bool HoldsTheSame(const crds::VdcuPartition* before, const crds::VdcuPartition& object) {
  return before && before->spec.assignment == object.spec.assignment &&
         before->holds() == object.holds();
}

bool BecomesPrepared(const crds::VdcuPartition* before, const crds::VdcuPartition& object) {
  return object.assigned() && IsTrue(object, crds::kPrepared) &&
         !(before && IsTrue(*before, crds::kPrepared));
}

}  // namespace

void Cluster::OnPartition(const std::shared_ptr<const crds::VdcuPartition>& old_object,
                          const std::shared_ptr<const crds::VdcuPartition>& new_object,
                          base::TimePoint now) {
  const std::string key = (new_object ? *new_object : *old_object).meta.key();
  if (!new_object) {
    if (BringForward(key, now)) return;
    ForgetPartition(key);
    return;
  }
  const PartitionEntryPtr found = partitions_.Find(key);
  PartitionEntry entry = found ? *found : PartitionEntry();
  const bool created_by_us = entry.assumed && !entry.shown;
  if (created_by_us && MayStoreAnother(entry, new_object->meta.uid)) entry.behind = entry.assumed;
  entry.shown = new_object;
  if (created_by_us || new_object->assigned() || new_object->meta.deleting()) {
    entry.assumed = nullptr;
  }
  if (!entry.assumed) entry.sent = Sent::kNothing;
  if (created_by_us) entry.assigned_at = now;
  if (new_object->assigned()) setbacks_.Forget(PartitionKey(key));
  ReplacePartition(key, std::move(entry), now);
  if (found && found->object().spec.pod_ref != new_object->spec.pod_ref) {
    RechargePodOf(found->object());
    MarkPartitionDirty(key, found->object());
  }
  MarkPartitionDirty(key, *new_object);
}

// What was shown is gone: counts our create that is behind it. Nothing: there is none.
bool Cluster::BringForward(const std::string& key, base::TimePoint now) {
  const PartitionEntryPtr found = partitions_.Find(key);
  if (!found || !found->behind) return false;
  PartitionEntry entry = *found;
  entry.gone = entry.shown->meta.uid;
  entry.shown = nullptr;
  entry.assumed = std::exchange(entry.behind, nullptr);
  entry.sent = entry.assumed->meta.uid.empty() ? Sent::kRepeated : Sent::kCommitted;
  ReplacePartition(key, std::move(entry), now);
  MarkPartitionDirty(key, found->object());
  return true;
}

// Our create was stored and deleted while the watch was away: nothing will ever tell of it.
bool Cluster::WasDeletedUnseen(const PartitionEntry& entry) const {
  return !entry.shown && entry.sent == Sent::kCommitted &&
         kclient::IsSameOrOlder(entry.assumed->meta.resource_version, partitions_listed_);
}

void Cluster::OnPartitionsListBegin() {
  committed_before_list_.clear();
  partitions_.ForEachOpen([&](std::string_view key, const PartitionEntry& entry) {
    if (entry.assumed && entry.sent == Sent::kCommitted && !entry.behind) {
      committed_before_list_.emplace(key, entry.assumed);
    }
  });
}

// The list does not show what was committed before it: etcd has been restored to a state before.
void Cluster::Withdraw(const std::string& key) {
  const PartitionEntryPtr found = partitions_.Find(key);
  if (!found->shown) return ForgetPartition(key);
  PartitionEntry entry = *found;
  entry.assumed = nullptr;
  entry.sent = Sent::kNothing;
  ReplacePartition(key, std::move(entry), found->assigned_at);
  MarkPartitionDirty(key, *found->shown);
}

void Cluster::OnPartitionsListed(std::string_view version) {
  for (const auto& [key, assumed] : std::exchange(committed_before_list_, {})) {
    const PartitionEntryPtr entry = partitions_.Find(key);
    if (entry && entry->assumed == assumed && entry->sent == Sent::kCommitted) Withdraw(key);
  }
  partitions_listed_ = version;
  std::vector<std::string> gone;
  partitions_.ForEachOpen([&](std::string_view key, const PartitionEntry& entry) {
    if (WasDeletedUnseen(entry)) gone.emplace_back(key);
  });
  for (const std::string& key : gone) ForgetPartition(key);
}

void Cluster::ReplacePartition(const std::string& key, PartitionEntry entry, base::TimePoint now) {
  const PartitionEntryPtr found = partitions_.Find(key);
  const crds::VdcuPartition* before = found ? &found->object() : nullptr;
  const auto object = entry.assumed ? entry.assumed : entry.shown;
  if (object->holds() && !HoldsTheSame(before, *object)) entry.assigned_at = now;
  if (BecomesPrepared(before, *object)) entry.avoided.clear();
  partitions_.Set(key, std::move(entry));
  PartitionChanged(key, before, *object);
}

void Cluster::PartitionChanged(const std::string& key, const crds::VdcuPartition* before,
                               const crds::VdcuPartition& object) {
  if (before) UnindexPartition(key, *before);
  IndexPartition(key, object);
  if (!HoldsTheSame(before, object)) {
    if (before && before->holds()) {
      Improve(before->spec.assignment->node);
      Ease(object.meta.ns);
    }
    if (object.holds()) {
      inventory_.SetSlice(key, *object.spec.assignment, object.meta.ns);
      NoteSharing();
    } else {
      inventory_.RemoveSlice(key);
    }
  }
  if (BecomesPrepared(before, object)) {
    const std::string& node = object.spec.assignment->node;
    if (silent_.erase(node) != 0) Improve(node);
  }
  RechargePodOf(object);
}

void Cluster::IndexPartition(const std::string& key, const crds::VdcuPartition& object) {
  const base::Symbol symbol(key);
  if (object.spec.pod_ref) {
    partitions_of_pod_.emplace(kclient::Uid(object.spec.pod_ref->uid), symbol);
  }
  if (object.assigned()) {
    partitions_on_[base::Symbol(object.spec.assignment->node)].push_back(symbol);
  }
  if (object.holds()) holdings_.Add(symbol, object);
}

void Cluster::UnindexPartition(const std::string& key, const crds::VdcuPartition& object) {
  if (object.spec.pod_ref) {
    const auto [first, last] =
        partitions_of_pod_.equal_range(kclient::Uid(object.spec.pod_ref->uid));
    partitions_of_pod_.erase(
        std::find_if(first, last, [&](const auto& item) { return item.second == key; }));
  }
  if (object.assigned()) {
    const auto found = partitions_on_.find(base::Symbol(object.spec.assignment->node));
    std::erase(found->second, key);
    if (found->second.empty()) partitions_on_.erase(found);
  }
  if (object.holds()) holdings_.Take(base::Symbol(key), object);
}

const std::vector<base::Symbol>& Cluster::PartitionsOn(std::string_view node) const {
  static const std::vector<base::Symbol> kNone;
  const auto found = partitions_on_.find(base::Symbol(node));
  return found == partitions_on_.end() ? kNone : found->second;
}

std::vector<base::Symbol> Cluster::PartitionKeysOfPod(std::string_view uid) const {
  std::vector<base::Symbol> keys;
  const auto [first, last] = partitions_of_pod_.equal_range(kclient::Uid(uid));
  for (auto it = first; it != last; ++it) keys.push_back(it->second);
  std::sort(keys.begin(), keys.end());
  return keys;
}

// Returns what was there.
std::shared_ptr<const crds::VdcuPartition> Cluster::ErasePartition(const std::string& key) {
  const PartitionEntryPtr found = partitions_.Find(key);
  if (!found) return nullptr;
  const auto object = found->assumed ? found->assumed : found->shown;
  partitions_.Erase(key);
  setbacks_.Forget(PartitionKey(key));
  UnindexPartition(key, *object);
  if (inventory_.RemoveSlice(key)) {
    Improve(object->spec.assignment->node);
    Ease(object->meta.ns);
  }
  RechargePodOf(*object);
  return object;
}

void Cluster::ForgetPartition(const std::string& key) {
  if (const auto erased = ErasePartition(key)) MarkPartitionDirty(key, *erased);
}

void Cluster::RechargePodOf(const crds::VdcuPartition& partition) {
  if (!partition.spec.pod_ref) return;
  const auto pod = pod_keys_.find(kclient::Uid(partition.spec.pod_ref->uid));
  if (pod != pod_keys_.end()) Recharge(pod->second);
}

// The partition itself, its pod, or the pods that wait for it.
void Cluster::MarkPartitionDirty(const std::string& key, const crds::VdcuPartition& object) {
  MarkDirtyPartition(key);
  if (!object.spec.pod_ref) return MarkLine(key);
  const auto pod = pod_keys_.find(kclient::Uid(object.spec.pod_ref->uid));
  if (pod != pod_keys_.end()) MarkDirtyPod(pod->second);
}

}  // namespace vdcu::reconcilers
