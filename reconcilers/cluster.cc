#include "reconcilers/cluster.h"

#include <algorithm>
#include <utility>

#include "crds/keys.h"
#include "reconcilers/conditions.h"

namespace vdcu::reconcilers {

namespace {

constexpr std::string_view kOutOfService = "node.kubernetes.io/out-of-service";

std::string NamedPartition(const kclient::Pod& pod) {
  const auto found = pod.meta.annotations.find(crds::kPartitionAnnotation);
  return found == pod.meta.annotations.end() || found->second.empty()
             ? std::string()
             : pod.meta.ns + "/" + found->second;
}

std::string HeldId(const std::string& node, const crds::HeldSlice& held) {
  return "held:" + node + ":" + held.partition_uid;
}

void EraseFrom(std::map<std::string, std::set<std::string>, std::less<>>& index,
               std::string_view value, const std::string& key) {
  const auto found = index.find(value);
  if (found == index.end()) return;
  found->second.erase(key);
  if (found->second.empty()) index.erase(found);
}

const std::set<std::string>& Find(
    const std::map<std::string, std::set<std::string>, std::less<>>& index,
    std::string_view value) {
  static const std::set<std::string> kNone;
  const auto found = index.find(value);
  return found == index.end() ? kNone : found->second;
}

bool HasTaint(const kclient::Node& node, std::string_view key) {
  for (const kclient::Taint& taint : node.taints) {
    if (taint.key == key) return true;
  }
  return false;
}

// Whether a pod that did not fit before may fit now.
bool SameForPlacement(const kclient::Node& a, const kclient::Node& b) {
  return a.unschedulable == b.unschedulable && a.taints == b.taints &&
         a.allocatable == b.allocatable && a.meta.labels == b.meta.labels;
}

bool SameForLettingGo(const kclient::Node& a, const kclient::Node& b) {
  return a.ready == b.ready && HasTaint(a, kOutOfService) == HasTaint(b, kOutOfService);
}

}  // namespace

std::optional<base::Duration> NextRetry(const Avoided& avoided, base::TimePoint now) {
  std::optional<base::Duration> next;
  for (const auto& [node, until] : avoided) {
    if (until > now) next = std::min(next.value_or(until - now), until - now);
  }
  return next;
}

// --- pods ---

void Cluster::OnPod(const std::shared_ptr<const kclient::Pod>& old_pod,
                    const std::shared_ptr<const kclient::Pod>& new_pod) {
  const kclient::Pod& pod = new_pod ? *new_pod : *old_pod;
  if (pod.scheduler_name != settings_.scheduler_name && NamedPartition(pod).empty() &&
      !pods_.contains(pod.meta.key())) {
    const bool counts = new_pod && !pod.terminal();
    Charge(new_pod, pod.meta.uid, counts ? pod.node_name : std::string());
    return;
  }
  if (old_pod) {
    UnindexPod(*old_pod);
    MarkPodDirty(*old_pod);
  }
  if (new_pod) {
    ShowPod(new_pod);
  } else {
    pods_.erase(pod.meta.key());
    pod_keys_.erase(pod.meta.uid);
    Charge(nullptr, pod.meta.uid, "");
  }
  MarkPodDirty(pod);
  for (const std::string& key : Find(partitions_of_pod_, pod.meta.uid)) {
    dirty_.insert(PartitionKey(key));
  }
}

void Cluster::ShowPod(const std::shared_ptr<const kclient::Pod>& pod) {
  const std::string key = pod->meta.key();
  PodEntry& entry = pods_[key];
  entry.pod = pod;
  pod_keys_[pod->meta.uid] = key;
  if (pod->scheduling) {
    entry.request = crds::ParsePodRequest(*pod);
    for (const std::string& claim : pod->scheduling->claims) {
      pods_of_claim_[pod->meta.ns + "/" + claim].insert(key);
    }
  } else {
    entry.request.reset();
  }
  if (pod->bound()) {
    entry.assumed_node.clear();
    entry.sent = Sent::kNothing;
    entry.avoided.clear();
  }
  if (const std::string named = NamedPartition(*pod); !named.empty()) {
    pods_naming_[named].insert(key);
  }
  Recharge(key);
}

void Cluster::UnindexPod(const kclient::Pod& pod) {
  const std::string key = pod.meta.key();
  if (const std::string named = NamedPartition(pod); !named.empty()) {
    EraseFrom(pods_naming_, named, key);
  }
  if (!pod.scheduling) return;
  for (const std::string& claim : pod.scheduling->claims) {
    EraseFrom(pods_of_claim_, pod.meta.ns + "/" + claim, key);
  }
}

// The pod itself, the reserved partition that it names, and those that wait for it too.
void Cluster::MarkPodDirty(const kclient::Pod& pod) {
  dirty_.insert(PodKey(pod.meta.key()));
  const std::string named = NamedPartition(pod);
  if (named.empty()) return;
  dirty_.insert(PartitionKey(named));
  for (const std::string& key : Find(pods_naming_, named)) dirty_.insert(PodKey(key));
}

void Cluster::Recharge(const std::string& pod_key) {
  const auto found = pods_.find(pod_key);
  if (found == pods_.end()) return;
  const PodEntry& entry = found->second;
  const std::string& uid = entry.pod->meta.uid;
  if (entry.pod->terminal()) return Charge(nullptr, uid, "");
  std::string node = entry.node();
  // A pod whose slices are being prepared is about to be bound there.
  for (const std::string& key : Find(partitions_of_pod_, uid)) {
    const crds::VdcuPartition& partition = partitions_.find(key)->second.object();
    if (!node.empty()) break;
    if (partition.assigned() && !partition.meta.deleting()) node = partition.spec.assignment->node;
  }
  Charge(entry.pod, uid, node);
}

void Cluster::Charge(const std::shared_ptr<const kclient::Pod>& pod, const std::string& uid,
                     const std::string& node) {
  const std::string before = ledger_.ChargedNode(uid);
  if (before.empty() && node.empty()) return;
  ledger_.Charge(uid, pod, node);
  if (!before.empty() && before != node) Improve(before);
}

// Pods that wait for a reserved partition of the node are not the placer's: they look again
// themselves.
void Cluster::Improve(const std::string& node) {
  improved_.insert(node);
  for (const std::string& key : Find(partitions_of_node_, node)) {
    for (const std::string& pod : Find(pods_naming_, key)) dirty_.insert(PodKey(pod));
  }
}

// --- partitions ---

void Cluster::OnPartition(const std::shared_ptr<const crds::VdcuPartition>& old_object,
                          const std::shared_ptr<const crds::VdcuPartition>& new_object,
                          base::TimePoint now) {
  const std::string key = (new_object ? *new_object : *old_object).meta.key();
  if (!new_object) {
    if (const auto erased = ErasePartition(key)) MarkPartitionDirty(key, *erased);
    return;
  }
  PartitionEntry& entry = partitions_[key];
  const auto before = entry.assumed ? entry.assumed : entry.shown;
  const bool created_by_us = entry.assumed && !entry.shown;
  entry.shown = new_object;
  if (created_by_us || new_object->assigned() || new_object->meta.deleting()) {
    entry.assumed = nullptr;
  }
  if (!entry.assumed) entry.sent = Sent::kNothing;
  PartitionChanged(key, before.get(), now);
  if (created_by_us) entry.assigned_at = now;
  if (before && before->spec.pod_ref != new_object->spec.pod_ref) {
    RechargePodOf(*before);
    MarkPartitionDirty(key, *before);
  }
  MarkPartitionDirty(key, *new_object);
}

void Cluster::PartitionChanged(const std::string& key, const crds::VdcuPartition* before,
                               base::TimePoint now) {
  PartitionEntry& entry = partitions_.find(key)->second;
  const crds::VdcuPartition& object = entry.object();
  if (before) IndexPartition(key, *before, false);
  IndexPartition(key, object, true);
  if (!before || before->spec.assignment != object.spec.assignment) {
    if (before && before->assigned()) Improve(before->spec.assignment->node);
    if (object.assigned()) {
      inventory_.SetSlice(key, *object.spec.assignment);
      entry.assigned_at = now;
    } else {
      inventory_.RemoveSlice(key);
    }
  }
  const bool was_prepared = before && IsTrue(*before, crds::kPrepared);
  if (object.assigned() && !was_prepared && IsTrue(object, crds::kPrepared)) {
    const std::string& node = object.spec.assignment->node;
    if (silent_.erase(node) != 0) Improve(node);
  }
  RechargePodOf(object);
}

void Cluster::IndexPartition(const std::string& key, const crds::VdcuPartition& object, bool add) {
  const auto update = [&](auto& index, const std::string& value) {
    if (add) {
      index[value].insert(key);
    } else {
      EraseFrom(index, value, key);
    }
  };
  if (object.spec.pod_ref) update(partitions_of_pod_, object.spec.pod_ref->uid);
  if (object.assigned()) update(partitions_of_node_, object.spec.assignment->node);
}

// Returns what was there.
std::shared_ptr<const crds::VdcuPartition> Cluster::ErasePartition(const std::string& key) {
  const auto found = partitions_.find(key);
  if (found == partitions_.end()) return nullptr;
  const auto object = found->second.assumed ? found->second.assumed : found->second.shown;
  partitions_.erase(found);
  IndexPartition(key, *object, false);
  if (inventory_.RemoveSlice(key)) Improve(object->spec.assignment->node);
  RechargePodOf(*object);
  return object;
}

void Cluster::RechargePodOf(const crds::VdcuPartition& partition) {
  if (!partition.spec.pod_ref) return;
  const auto pod = pod_keys_.find(partition.spec.pod_ref->uid);
  if (pod != pod_keys_.end()) Recharge(pod->second);
}

// The partition itself, its pod, or the pods that wait for it.
void Cluster::MarkPartitionDirty(const std::string& key, const crds::VdcuPartition& object) {
  dirty_.insert(PartitionKey(key));
  if (!object.spec.pod_ref) {
    for (const std::string& pod : Find(pods_naming_, key)) dirty_.insert(PodKey(pod));
    return;
  }
  const auto pod = pod_keys_.find(object.spec.pod_ref->uid);
  if (pod != pod_keys_.end()) dirty_.insert(PodKey(pod->second));
}

// --- nodes ---

void Cluster::OnNode(const std::shared_ptr<const kclient::Node>& old_node,
                     const std::shared_ptr<const kclient::Node>& new_node) {
  const std::string& name = (new_node ? *new_node : *old_node).meta.name;
  if (new_node) {
    ledger_.SetNode(new_node);
  } else {
    ledger_.RemoveNode(name);
  }
  const bool changed = !old_node || !new_node;
  if (changed) {
    RefreshInventory(name);
    reshaped_ = true;
  }
  if (changed || !SameForPlacement(*old_node, *new_node)) Improve(name);
  if (!changed && SameForLettingGo(*old_node, *new_node)) return;
  for (const std::string& key : Find(partitions_of_node_, name)) dirty_.insert(PartitionKey(key));
}

void Cluster::OnDcuNode(const std::shared_ptr<const crds::DcuNode>& old_node,
                        const std::shared_ptr<const crds::DcuNode>& new_node) {
  const std::string& name = (new_node ? *new_node : *old_node).meta.name;
  if (old_node) {
    for (const auto& held : old_node->status.held) inventory_.RemoveSlice(HeldId(name, held));
  }
  if (new_node) {
    for (const auto& held : new_node->status.held) {
      inventory_.SetSlice(HeldId(name, held), held.assignment);
    }
    dcu_nodes_[name] = new_node;
  } else {
    dcu_nodes_.erase(name);
  }
  const bool same = old_node && new_node && old_node->spec == new_node->spec &&
                    old_node->status.devices == new_node->status.devices &&
                    old_node->status.held == new_node->status.held &&
                    old_node->ready() == new_node->ready();
  if (same) return;
  RefreshInventory(name);
  Improve(name);
  reshaped_ = true;
}

// A node's cards count only while both its Node and its DCUNode exist.
void Cluster::RefreshInventory(const std::string& node) {
  const auto found = dcu_nodes_.find(node);
  if (found == dcu_nodes_.end() || ledger_.Find(node) == nullptr) {
    inventory_.RemoveNode(node);
    return;
  }
  const crds::DcuNode& dcu_node = *found->second;
  dcu::NodeOptions options;
  options.unschedulable_devices = {dcu_node.spec.unschedulable_devices.begin(),
                                   dcu_node.spec.unschedulable_devices.end()};
  options.memory_reserve = dcu_node.spec.memory_reserve;
  options.ready = dcu_node.ready();
  inventory_.SetNode(node, dcu_node.status.devices, options);
}

// --- notes and look-ups ---

void Cluster::AvoidForPod(std::string_view key, const std::string& node, base::TimePoint until) {
  if (const auto found = pods_.find(key); found != pods_.end()) {
    found->second.avoided[node] = until;
  }
}

void Cluster::AvoidForPartition(std::string_view key, const std::string& node,
                                base::TimePoint until) {
  if (const auto found = partitions_.find(key); found != partitions_.end()) {
    found->second.avoided[node] = until;
  }
}

std::optional<base::TimePoint> Cluster::ExpireSilent(base::TimePoint now) {
  std::optional<base::TimePoint> next;
  for (auto it = silent_.begin(); it != silent_.end();) {
    if (it->second <= now) {
      Improve(it->first);
      it = silent_.erase(it);
    } else {
      next = next ? std::min(*next, it->second) : it->second;
      ++it;
    }
  }
  return next;
}

bool Cluster::IsSilent(const std::string& node, base::TimePoint now) const {
  const auto found = silent_.find(node);
  return found != silent_.end() && now < found->second;
}

const PodEntry* Cluster::FindPod(std::string_view key) const {
  const auto found = pods_.find(key);
  return found == pods_.end() ? nullptr : &found->second;
}

const PodEntry* Cluster::FindPodByUid(std::string_view uid) const {
  const auto found = pod_keys_.find(std::string(uid));
  return found == pod_keys_.end() ? nullptr : FindPod(found->second);
}

const PartitionEntry* Cluster::FindPartition(std::string_view key) const {
  const auto found = partitions_.find(key);
  return found == partitions_.end() ? nullptr : &found->second;
}

std::vector<const PartitionEntry*> Cluster::PartitionsOfPod(std::string_view pod_uid) const {
  std::vector<const PartitionEntry*> entries;
  for (const std::string& key : Find(partitions_of_pod_, pod_uid)) {
    entries.push_back(FindPartition(key));
  }
  return entries;
}

const std::set<std::string>& Cluster::PodsNaming(std::string_view partition_key) const {
  return Find(pods_naming_, partition_key);
}

std::vector<std::string> Cluster::TakeDirty() {
  const std::set<std::string> taken = std::exchange(dirty_, {});
  return {taken.begin(), taken.end()};
}

}  // namespace vdcu::reconcilers
