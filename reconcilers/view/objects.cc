#include "reconcilers/view/objects.h"

#include <algorithm>
#include <utility>

#include "crds/keys.h"
#include "reconcilers/conditions.h"
#include "reconcilers/view/pod_topology.h"

namespace vdcu::reconcilers {

namespace {

// One that counts among those on its node.
bool IsThere(const kclient::Pod& pod) { return pod.bound() && !pod.terminal(); }

bool BecomesPrepared(const crds::VdcuPartition* before, const crds::VdcuPartition& object) {
  return object.assigned() && IsTrue(object, crds::kPrepared) &&
         !(before && IsTrue(*before, crds::kPrepared));
}

}  // namespace

Objects::Objects(Parts parts) : parts_(parts) {
  pod_keys_.max_load_factor(2);
  partitions_of_pod_.max_load_factor(2);
}

// --- look-ups ---

PodEntryPtr Objects::FindPod(std::string_view key) const {
  PodEntryPtr entry = pods_.Find(key);
  return entry && pod_keys_.contains(kclient::Uid(entry->pod->meta.uid)) ? entry : nullptr;
}

PodEntryPtr Objects::FindPodByUid(std::string_view uid) const {
  const auto found = pod_keys_.find(kclient::Uid(uid));
  return found == pod_keys_.end() ? nullptr : FindPod(found->second);
}

std::vector<PartitionEntryPtr> Objects::PartitionsOfPod(std::string_view pod_uid) const {
  std::vector<PartitionEntryPtr> entries;
  for (const base::Symbol& key : PartitionKeysOfPod(pod_uid)) {
    entries.push_back(FindPartition(key));
  }
  return entries;
}

std::vector<base::Symbol> Objects::PartitionKeysOfPod(std::string_view pod_uid) const {
  std::vector<base::Symbol> keys;
  const auto [first, last] = partitions_of_pod_.equal_range(kclient::Uid(pod_uid));
  for (auto it = first; it != last; ++it) keys.push_back(it->second);
  std::sort(keys.begin(), keys.end());
  return keys;
}

// --- pods ---

void Objects::SetPod(const std::string& key, PodEntry entry) {
  const PodEntryPtr before = FindPod(key);
  if (before) UnindexPod(key, *before);
  IndexPod(key, entry);
  const bool comes = IsThere(*entry.pod) && !(before && IsThere(*before->pod));
  if (comes && parts_.settings.preemption) parts_.changes.Offer(entry.pod->node_name);
  const std::string node = NodeToCharge(entry);
  if (entry.request && entry.request->has_value()) {
    BeginDemands((*entry.request)->policy.value_or(parts_.settings.policy));
  }
  CountDemand(key, entry);
  ReplacePod(key, std::move(entry), node);
}

void Objects::SetOtherPod(const std::string& key, const std::shared_ptr<const kclient::Pod>& pod) {
  PodEntry entry;
  entry.pod = pod;
  ReplacePod(key, std::move(entry), ChargedAtRest(*pod));
}

void Objects::ForgetPod(const std::string& key) {
  const PodEntryPtr found = pods_.Find(key);
  if (!found) return;
  if (FindPod(key)) UnindexPod(key, *found);
  parts_.setbacks.Forget(PodKey(key));
  if (parts_.demands.begun()) parts_.demands.Set(PodKey(key), {}, {});
  ReplacePod(key, *found, "");
  pods_.Erase(key);
  pod_keys_.erase(kclient::Uid(found->pod->meta.uid));
  minding_.erase(key);
}

void Objects::IndexPod(const std::string& key, const PodEntry& entry) {
  const kclient::Pod& pod = *entry.pod;
  pod_keys_.insert_or_assign(kclient::Uid(pod.meta.uid), base::Symbol(key));
  parts_.lines.Add(entry.reserved(), key);
  parts_.groups.Add(GroupKeyOf(pod, parts_.settings.scheduler_name), key, !pod.bound());
  minding_.erase(key);
  if (IsThere(pod)) parts_.priorities.Add(pod.node_name, pod.priority);
  if (!pod.scheduling) return;
  if (pod.bound()) return parts_.arrivals.Add(pod.node_name, key);
  if (MindsPods(pod)) minding_.insert(key);
  for (const std::string& claim : pod.scheduling->claims) {
    pods_of_claim_[pod.meta.ns + "/" + claim].insert(key);
  }
}

void Objects::UnindexPod(const std::string& key, const PodEntry& entry) {
  const kclient::Pod& pod = *entry.pod;
  parts_.lines.Remove(entry.reserved(), key);
  parts_.groups.Remove(GroupKeyOf(pod, parts_.settings.scheduler_name), key);
  if (IsThere(pod)) parts_.priorities.Remove(pod.node_name, pod.priority);
  if (!pod.scheduling) return;
  if (pod.bound()) return parts_.arrivals.Remove(pod.node_name, key);
  for (const std::string& claim : pod.scheduling->claims) {
    EraseFrom(pods_of_claim_, pod.meta.ns + "/" + claim, key);
  }
}

std::string Objects::NodeToCharge(const PodEntry& entry) const {
  if (entry.pod->terminal()) return "";
  if (!entry.node().empty()) return entry.node();
  // A pod whose slices are being prepared is about to be bound there.
  for (const PartitionEntryPtr& partition : PartitionsOfPod(entry.pod->meta.uid)) {
    const crds::VdcuPartition& object = partition->object();
    if (object.assigned() && !object.meta.deleting()) return object.spec.assignment->node;
  }
  return "";
}

void Objects::Recharge(std::string_view pod_key) {
  const PodEntryPtr entry = FindPod(pod_key);
  if (!entry) return;
  const std::string node = NodeToCharge(*entry);
  if (entry->charged != node) ReplacePod(std::string(pod_key), *entry, node);
}

void Objects::RechargePodOf(const crds::VdcuPartition& partition) {
  if (!partition.spec.pod_ref) return;
  const auto pod = pod_keys_.find(kclient::Uid(partition.spec.pod_ref->uid));
  if (pod != pod_keys_.end()) Recharge(pod->second);
}

// The pod takes room on `node` (empty: nowhere), instead of where and as it did until now.
void Objects::ReplacePod(const std::string& key, PodEntry entry, const std::string& node) {
  const PodEntryPtr found = pods_.Find(key);
  const kclient::Pod* before = found ? found->pod.get() : nullptr;
  const std::string was = found ? found->charged.str() : "";
  const auto pod = entry.pod;
  entry.charged = base::Symbol(node);
  pods_.Set(key, std::move(entry));
  // Pods that asked for the same may not be alike any more.
  if (parts_.rooms.MovePod(before, was, *pod, node)) MarkWaitingPods();
  const bool same = was == node && before && before->meta.labels == pod->meta.labels &&
                    before->meta.deleting() == pod->meta.deleting();
  if (minding_.empty() || same || (was.empty() && node.empty())) return;
  if (before) PodMoved(*before);
  PodMoved(*pod);
}

// For waiting pods that mind this one: it has come to a node or gone, or is not what it was.
void Objects::PodMoved(const kclient::Pod& moved) {
  const auto labels_of = [this](std::string_view ns) -> const kclient::Labels& {
    return parts_.namespaces.LabelsOf(ns);
  };
  for (const std::string& key : minding_) {
    const PodEntryPtr entry = FindPod(key);
    if (!entry || !MindsPod(*entry->pod, moved, labels_of)) continue;
    parts_.changes.Ease(kPodsMoved);
    if (!entry->reserved().empty()) parts_.changes.MarkPod(key);
  }
}

// --- partitions ---

void Objects::SetPartition(const std::string& key, PartitionEntry entry, base::TimePoint now) {
  const PartitionEntryPtr found = partitions_.Find(key);
  const crds::VdcuPartition* before = found ? &found->object() : nullptr;
  const auto object = entry.assumed ? entry.assumed : entry.shown;
  const bool prepared = BecomesPrepared(before, *object);
  if (object->holds() && !HoldsTheSame(before, object.get())) {
    entry.assigned_at = now;
    OfferPodOf(*object);
  }
  if (prepared) entry.avoided.clear();
  partitions_.Set(key, std::move(entry));
  IndexPartition(key, before, object.get());
  parts_.rooms.SetPartition(key, before, object.get());
  BeginDemands(object->spec.policy.value_or(parts_.settings.policy));
  CountDemand(key, object.get());
  NoteSharing();
  if (prepared && parts_.silence.End(object->spec.assignment->node)) {
    parts_.rooms.Improve(object->spec.assignment->node);
  }
  RechargePodOf(*object);
}

// A pod that came by itself has got its slice: it may be evicted for it.
void Objects::OfferPodOf(const crds::VdcuPartition& partition) {
  if (!parts_.settings.preemption || !partition.spec.pod_ref) return;
  const PodEntryPtr pod = FindPodByUid(partition.spec.pod_ref->uid);
  if (pod && pod->pod->bound()) parts_.changes.Offer(partition.spec.assignment->node);
}

std::shared_ptr<const crds::VdcuPartition> Objects::ErasePartition(const std::string& key) {
  const PartitionEntryPtr found = partitions_.Find(key);
  if (!found) return nullptr;
  const auto object = found->assumed ? found->assumed : found->shown;
  partitions_.Erase(key);
  parts_.setbacks.Forget(PartitionKey(key));
  IndexPartition(key, object.get(), nullptr);
  parts_.rooms.SetPartition(key, object.get(), nullptr);
  CountDemand(key, nullptr);
  if (object->spec.pod_ref) CountDemandOfPod(object->spec.pod_ref->uid);
  RechargePodOf(*object);
  return object;
}

void Objects::ForgetPartition(const std::string& key) {
  if (const auto erased = ErasePartition(key)) MarkPartition(key, *erased);
}

void Objects::IndexPartition(const std::string& key, const crds::VdcuPartition* before,
                             const crds::VdcuPartition* after) {
  if (before && before->spec.pod_ref) {
    const auto [first, last] =
        partitions_of_pod_.equal_range(kclient::Uid(before->spec.pod_ref->uid));
    partitions_of_pod_.erase(
        std::find_if(first, last, [&](const auto& item) { return item.second == key; }));
  }
  if (after && after->spec.pod_ref) {
    partitions_of_pod_.emplace(kclient::Uid(after->spec.pod_ref->uid), base::Symbol(key));
  }
}

void Objects::NoteSharing() {
  if (tells_namespaces_apart_ || !parts_.rooms.inventory().TellsNamespacesApart()) return;
  tells_namespaces_apart_ = true;
  MarkWaitingOf("");
}

// --- what is asked for ---

void Objects::BeginDemands(dcu::Policy policy) {
  if (parts_.demands.begun() || policy != dcu::Policy::kFragmentationAware) return;
  parts_.demands.Begin();
  pods_.ForEachKey([this](std::string_view key) {
    if (const PodEntryPtr entry = FindPod(key)) CountDemand(std::string(key), *entry);
  });
  partitions_.ForEachKey([this](std::string_view key) {
    CountDemand(std::string(key), &FindPartition(key)->object());
  });
}

void Objects::CountDemand(const std::string& pod_key, const PodEntry& entry) {
  if (!parts_.demands.begun()) return;
  parts_.demands.Set(PodKey(pod_key), SlicesOf(entry), NeedsOf(*entry.pod));
}

// One that was made for a pod is counted as the pod's, with what that takes beside it.
void Objects::CountDemand(const std::string& key, const crds::VdcuPartition* partition) {
  if (!parts_.demands.begun()) return;
  if (partition && partition->spec.pod_ref) return CountDemandOfPod(partition->spec.pod_ref->uid);
  std::vector<dcu::SliceRequest> slices;
  if (partition && !partition->unread) slices.push_back(partition->spec.request);
  parts_.demands.Set(PartitionKey(key), std::move(slices), {});
}

void Objects::CountDemandOfPod(std::string_view uid) {
  if (!parts_.demands.begun()) return;
  if (const PodEntryPtr entry = FindPodByUid(uid)) CountDemand(entry->pod->meta.key(), *entry);
}

// Of a pod that has its own: a bound one does not say any more what it asked for, its partitions
// do.
std::vector<dcu::SliceRequest> Objects::SlicesOf(const PodEntry& entry) const {
  std::vector<dcu::SliceRequest> slices;
  if (entry.pod->terminal() || !entry.reserved().empty()) return slices;
  for (const PartitionEntryPtr& partition : PartitionsOfPod(entry.pod->meta.uid)) {
    slices.push_back(partition->object().spec.request);
  }
  if (!slices.empty() || !entry.request || !entry.request->has_value()) return slices;
  for (const crds::ContainerRequest& container : (*entry.request)->containers) {
    slices.insert(slices.end(), container.cards, container.slice);
  }
  return slices;
}

// --- whom it concerns ---

void Objects::MarkPod(const PodEntry& entry) {
  parts_.changes.MarkPod(entry.pod->meta.key());
  // Also that which it waited with, and has left since.
  const std::string group = GroupKeyOf(*entry.pod, parts_.settings.scheduler_name);
  if (!group.empty() && !entry.pod->bound()) parts_.changes.MarkGroup(group);
  const std::string named = entry.reserved();
  if (named.empty() || IsBehind(entry, named)) return;
  parts_.changes.MarkPartition(named);
  parts_.changes.MarkLine(named);
}

// It waits behind another: whatever becomes of it, it concerns nobody else.
bool Objects::IsBehind(const PodEntry& entry, const std::string& partition_key) const {
  if (!entry.node().empty()) return false;
  const std::string head = parts_.lines.HeadOf(partition_key);
  const PodEntryPtr first = head.empty() ? nullptr : FindPod(head);
  return first && GoesBefore(*first->pod, *entry.pod);
}

void Objects::MarkPartition(const std::string& key, const crds::VdcuPartition& object) {
  parts_.changes.MarkPartition(key);
  if (!object.spec.pod_ref) return parts_.changes.MarkLine(key);
  const auto pod = pod_keys_.find(kclient::Uid(object.spec.pod_ref->uid));
  if (pod != pod_keys_.end()) parts_.changes.MarkPod(pod->second);
}

void Objects::MarkAll() {
  partitions_.ForEachKey([this](std::string_view key) { parts_.changes.MarkPartition(key); });
  for (const auto& [uid, key] : pod_keys_) parts_.changes.MarkPod(key);
  parts_.lines.ForEach([this](std::string_view key) { parts_.changes.MarkLine(key); });
}

void Objects::MarkWaitingPods() {
  // Only open rows wait.
  pods_.ForEachOpen([this](std::string_view key, const PodEntry& entry) {
    if (entry.pod->scheduling) parts_.changes.MarkPod(key);
  });
}

void Objects::MarkWaitingOf(std::string_view ns) {
  const std::string prefix = ns.empty() ? "" : std::string(ns) + "/";
  pods_.ForEachOpen([&](std::string_view key, const PodEntry& entry) {
    if (entry.pod->scheduling && key.starts_with(prefix)) parts_.changes.MarkPod(key);
  });
  const auto mark = [&](std::string_view key, bool assigned) {
    if (!assigned && key.starts_with(prefix)) parts_.changes.MarkPartition(key);
  };
  partitions_.ForEach([&](std::string_view key,
                          const PartitionEntry& entry) { mark(key, entry.object().assigned()); },
                      [&](std::string_view key, const PartitionEntry::Packed& packed) {
                        mark(key, packed.shown.assigned());
                      });
}

void Objects::MarkAllOf(std::string_view ns) {
  const std::string prefix = std::string(ns) + "/";
  pods_.ForEachOpen([&](std::string_view key, const PodEntry& entry) {
    if (entry.pod->scheduling && key.starts_with(prefix)) parts_.changes.MarkPod(key);
  });
  partitions_.ForEachKey([&](std::string_view key) {
    if (key.starts_with(prefix)) parts_.changes.MarkPartition(key);
  });
}

void Objects::MarkPodsWithClaim(std::string_view claim_key) {
  for (const std::string& pod : Find(pods_of_claim_, claim_key)) parts_.changes.MarkPod(pod);
}

void Objects::MarkPodsWithClaims() {
  for (const auto& [claim, pods] : pods_of_claim_) MarkPodsWithClaim(claim);
}

void Objects::MarkMinding() {
  if (minding_.empty()) return;
  parts_.changes.Ease(kPodsMoved);
  for (const std::string& key : minding_) parts_.changes.MarkPod(key);
}

}  // namespace vdcu::reconcilers
