#include "reconcilers/cluster.h"

#include <algorithm>
#include <utility>

#include "crds/pod_request.h"
#include "reconcilers/reserved.h"

namespace vdcu::reconcilers {

namespace {

// Of a bound pod: what it says of its partition is not what it was bound for.
bool Misnames(const kclient::Pod& pod) {
  return pod.bound() && crds::NamedPartition(pod.meta) != crds::BoundPartition(pod.meta);
}

bool SaysTheSame(const kclient::Pod& a, const kclient::Pod& b) {
  return a.bound() == b.bound() && a.meta.uid == b.meta.uid &&
         crds::NamedPartition(a.meta) == crds::NamedPartition(b.meta);
}

// Whether a pod that did not fit before may fit now.
bool SameForPlacement(const kclient::Node& a, const kclient::Node& b) {
  return a.unschedulable == b.unschedulable && a.taints == b.taints &&
         a.allocatable == b.allocatable && a.meta.labels == b.meta.labels;
}

bool SameForLettingGo(const kclient::Node& a, const kclient::Node& b) {
  const auto out = [](const kclient::Node& node) {
    return kclient::HasTaint(node.taints, kclient::kOutOfService);
  };
  return a.ready == b.ready && out(a) == out(b);
}

}  // namespace

void Avoid(Avoided& avoided, const std::string& node, const Settings& settings,
           base::TimePoint now) {
  Avoidance& avoidance = avoided[node];
  if (now < avoidance.until) return;
  avoidance.length = std::clamp(2 * avoidance.length, settings.avoid_at_first, settings.avoid);
  avoidance.until = now + avoidance.length;
}

std::optional<base::Duration> NextRetry(const Avoided& avoided, base::TimePoint now) {
  std::optional<base::Duration> next;
  for (const auto& [node, avoidance] : avoided) {
    const base::Duration left = avoidance.until - now;
    if (left > base::Duration(0)) next = std::min(next.value_or(left), left);
  }
  return next;
}

Cluster::Cluster(Settings settings) : settings_(std::move(settings)) {
  pod_keys_.max_load_factor(2);
  partitions_of_pod_.max_load_factor(2);
}

// --- pods ---

namespace {

const std::string& ChargedAtRest(const kclient::Pod& pod) {
  static const std::string kNowhere;
  return pod.terminal() ? kNowhere : pod.node_name;
}

}  // namespace

std::string PodEntry::reserved() const {
  const std::string name(pod->bound()           ? crds::BoundPartition(pod->meta)
                         : assumed_node.empty() ? crds::NamedPartition(pod->meta)
                                                : assumed_partition);
  return name.empty() ? "" : pod->meta.ns + "/" + name;
}

std::optional<PodEntry::Packed> PodEntry::Pack() const {
  const bool at_rest = pod && !pod->scheduling && !request && assumed_node.empty() &&
                       sent == Sent::kNothing && reported.empty() && !misnames && avoided.empty() &&
                       charged == ChargedAtRest(*pod);
  if (!at_rest) return {};
  return PackedPod(*pod);
}

PodEntry PodEntry::Unpack(const Packed& packed, std::string_view key) {
  PodEntry entry;
  entry.pod = std::make_shared<const kclient::Pod>(packed.Unpack(key));
  entry.charged = base::Symbol(ChargedAtRest(*entry.pod));
  return entry;
}

void Cluster::OnPod(const std::shared_ptr<const kclient::Pod>& old_pod,
                    const std::shared_ptr<const kclient::Pod>& new_pod) {
  const kclient::Pod& pod = new_pod ? *new_pod : *old_pod;
  const std::string key = pod.meta.key();
  const PodEntryPtr before = FindPod(key);
  if (pod.scheduler_name != settings_.scheduler_name && crds::NamedPartition(pod.meta).empty() &&
      before == nullptr) {
    return ShowOtherPod(key, new_pod);
  }
  if (before) {
    UnindexPod(*before);
    MarkPodDirty(*before);
  }
  if (new_pod) {
    ShowPod(key, new_pod);
  } else {
    ForgetPod(key);
    pod_keys_.erase(kclient::Uid(pod.meta.uid));
  }
  if (const PodEntryPtr now = FindPod(key)) MarkPodDirty(*now);
  for (const base::Symbol& partition : PartitionKeysOfPod(pod.meta.uid)) {
    MarkDirtyPartition(partition);
  }
}

void Cluster::OnPodsListBegin() {
  bound_before_list_.clear();
  pods_.ForEachOpen([&](std::string_view key, const PodEntry& entry) {
    if (!entry.assumed_node.empty() && entry.sent == Sent::kCommitted) {
      bound_before_list_.emplace(key, entry.pod->meta.uid);
    }
  });
}

// A binding that was committed before the list and that it does not show is gone: etcd has been
// restored to a state before.
void Cluster::OnPodsListed() {
  for (const auto& [key, uid] : std::exchange(bound_before_list_, {})) {
    const PodEntryPtr found = pods_.Find(key);
    const bool still = found && found->pod->meta.uid == uid && !found->pod->bound() &&
                       found->sent == Sent::kCommitted;
    if (!still) continue;
    Unassume(found);
    MarkDirtyPod(key);
  }
}

// Of another scheduler: it only takes room.
void Cluster::ShowOtherPod(const std::string& key, const std::shared_ptr<const kclient::Pod>& pod) {
  if (!pod) return ForgetPod(key);
  PodEntry entry;
  entry.pod = pod;
  ReplacePod(key, std::move(entry), ChargedAtRest(*pod));
}

void Cluster::ForgetPod(const std::string& key) {
  const PodEntryPtr found = pods_.Find(key);
  if (!found) return;
  setbacks_.Forget(PodKey(key));
  ReplacePod(key, *found, "");
  pods_.Erase(key);
  minding_.erase(key);
}

void Cluster::ShowPod(const std::string& key, const std::shared_ptr<const kclient::Pod>& pod) {
  const PodEntryPtr found = pods_.Find(key);
  PodEntry entry = found ? *found : PodEntry();
  const auto before = std::exchange(entry.pod, pod);
  pod_keys_.insert_or_assign(kclient::Uid(pod->meta.uid), base::Symbol(key));
  entry.request.reset();
  if (pod->scheduling) {
    entry.request = crds::ParsePodRequest(*pod);
    for (const std::string& claim : pod->scheduling->claims) {
      pods_of_claim_[pod->meta.ns + "/" + claim].insert(key);
    }
  }
  if (pod->bound()) {
    entry.assumed_node.clear();
    entry.assumed_partition.clear();
    entry.sent = Sent::kNothing;
    entry.reported.clear();
    entry.avoided.clear();
    setbacks_.Forget(PodKey(key));
  }
  if (!Misnames(*pod)) {
    entry.misnames = false;
  } else if (!before || !SaysTheSame(*before, *pod)) {
    entry.misnames = !pod->terminal();
  }
  IndexReserved(entry);
  NoteMinding(key, *pod);
  const std::string node = NodeToCharge(entry);
  ReplacePod(key, std::move(entry), node);
}

void Cluster::IndexReserved(const PodEntry& entry) {
  const std::string named = entry.reserved();
  if (!named.empty()) pods_naming_[named].insert(entry.pod->meta.key());
}

void Cluster::UnindexPod(const PodEntry& entry) {
  const kclient::Pod& pod = *entry.pod;
  const std::string key = pod.meta.key();
  EraseFrom(pods_naming_, entry.reserved(), key);
  if (!pod.scheduling) return;
  for (const std::string& claim : pod.scheduling->claims) {
    EraseFrom(pods_of_claim_, pod.meta.ns + "/" + claim, key);
  }
}

// The pod itself, the reserved partition that it has or names, and those that wait for it too.
void Cluster::MarkPodDirty(const PodEntry& entry) {
  MarkDirtyPod(entry.pod->meta.key());
  const std::string named = entry.reserved();
  if (named.empty() || IsBehind(entry, named)) return;
  MarkDirtyPartition(named);
  MarkLine(named);
}

// It waits behind another: whatever becomes of it, it concerns nobody else.
bool Cluster::IsBehind(const PodEntry& entry, const std::string& partition_key) const {
  if (!entry.node().empty()) return false;
  const PodEntryPtr head = HeadOf(partition_key);
  return head && GoesBefore(*head->pod, *entry.pod);
}

PodEntryPtr Cluster::HeadOf(std::string_view partition_key) const {
  const auto found = heads_.find(partition_key);
  return found == heads_.end() ? nullptr : FindPod(found->second);
}

// Whoever was the head before is looked at again. Empty: nobody is.
void Cluster::SetHead(const std::string& partition_key, const std::string& pod_key) {
  const auto found = heads_.find(partition_key);
  if (found != heads_.end()) {
    if (found->second == pod_key) return;
    MarkDirtyPod(found->second);
    heads_.erase(found);
  }
  if (!pod_key.empty()) heads_.emplace(partition_key, pod_key);
}

void Cluster::MarkLine(std::string_view partition_key) {
  const bool anybody = pods_naming_.contains(partition_key) || heads_.contains(partition_key);
  if (anybody && !all_dirty_) dirty_lines_.emplace(partition_key);
}

void Cluster::MarkDirtyPod(std::string_view key) {
  if (!all_dirty_) dirty_pods_.emplace(key);
}

void Cluster::MarkDirtyPartition(std::string_view key) {
  if (!all_dirty_) dirty_partitions_.emplace(key);
}

std::string Cluster::NodeToCharge(const PodEntry& entry) const {
  if (entry.pod->terminal()) return "";
  if (!entry.node().empty()) return entry.node();
  // A pod whose slices are being prepared is about to be bound there.
  for (const PartitionEntryPtr& partition : PartitionsOfPod(entry.pod->meta.uid)) {
    const crds::VdcuPartition& object = partition->object();
    if (object.assigned() && !object.meta.deleting()) return object.spec.assignment->node;
  }
  return "";
}

void Cluster::Recharge(std::string_view pod_key) {
  const PodEntryPtr entry = FindPod(pod_key);
  if (!entry) return;
  const std::string node = NodeToCharge(*entry);
  if (entry->charged != node) ReplacePod(std::string(pod_key), *entry, node);
}

void Cluster::ReplacePod(const std::string& key, PodEntry entry, const std::string& node) {
  const PodEntryPtr found = pods_.Find(key);
  const kclient::Pod* before = found ? found->pod.get() : nullptr;
  const std::string was = found ? found->charged.str() : "";
  const auto pod = entry.pod;
  entry.charged = base::Symbol(node);
  pods_.Set(key, std::move(entry));
  if (!was.empty()) ledger_.Take(*before, was);
  if (!node.empty()) ledger_.Add(*pod, node);
  ChargeAntiAffinity(before, was, *pod, node);
  const bool same = was == node && before && before->meta.labels == pod->meta.labels &&
                    before->meta.deleting() == pod->meta.deleting();
  if (!minding_.empty() && !same && (!was.empty() || !node.empty())) {
    if (before) PodMoved(*before);
    PodMoved(*pod);
  }
  if (!was.empty() && (was != node || LeavesRoom(*before, *pod))) Improve(was);
}

// Pods that wait for a reserved partition of the node are not the placer's: they look again
// themselves.
void Cluster::Improve(const std::string& node) {
  improved_.insert(node);
  for (const base::Symbol& key : PartitionsOn(node)) MarkLine(key);
}

// --- nodes ---

void Cluster::OnNode(const std::shared_ptr<const kclient::Node>& old_node,
                     const std::shared_ptr<const kclient::Node>& new_node, base::TimePoint now) {
  const std::string& name = (new_node ? *new_node : *old_node).meta.name;
  if (new_node) {
    ledger_.SetNode(*new_node);
  } else {
    ledger_.RemoveNode(name);
  }
  const bool changed = !old_node || !new_node;
  if (changed) {
    RefreshInventory(name);
    reshaped_ = true;
  }
  JudgeDaemon(name, now);
  if (changed || !SameForPlacement(*old_node, *new_node)) Improve(name);
  // What its pods keep others out of has moved with its labels.
  const bool moved = !changed && old_node->meta.labels != new_node->meta.labels;
  if (moved && anti_affinity_.IsOn(name)) {
    reshaped_ = true;
    MarkWaitingDirty();
  }
  if (!minding_.empty() && (changed || !SameForPlacement(*old_node, *new_node))) LookAgain();
  if (!changed && SameForLettingGo(*old_node, *new_node)) return;
  for (const base::Symbol& key : PartitionsOn(name)) MarkDirtyPartition(key);
}

// --- notes and look-ups ---

void Cluster::Take(const Note& note, base::TimePoint now) {
  std::visit([&](const auto& noted) { TakeOne(noted, now); }, note);
}

void Cluster::TakeOne(const PodRefused& refused, base::TimePoint now) {
  pods_.Change(refused.pod,
               [&](PodEntry& entry) { Avoid(entry.avoided, refused.node, settings_, now); });
}

void Cluster::TakeOne(const PartitionRefused& refused, base::TimePoint now) {
  partitions_.Change(refused.partition, [&](PartitionEntry& entry) {
    Avoid(entry.avoided, refused.node, settings_, now);
  });
}

void Cluster::TakeOne(const MisnamingTold& told, base::TimePoint /*now*/) {
  pods_.Change(told.pod, [](PodEntry& entry) { entry.misnames = false; });
}

void Cluster::TakeOne(const LineSeen& seen, base::TimePoint /*now*/) {
  for (const std::string& pod : seen.pods) MarkDirtyPod(pod);
  SetHead(seen.partition, seen.head);
}

// It is not tried again for twice the time that it had to prepare a slice; doubled up to `avoid`
// each time that it is silent again.
void Cluster::TakeOne(const NodeSilent& silent, base::TimePoint now) {
  const std::string& node = silent.node;
  doubts_.OnMissed(node);
  JudgeDaemon(node, now);
  Silence& silence = silent_[node];
  const base::Duration first = 2 * settings_.prepare_timeout;
  if (now < silence.until) {  // another pod that had been placed there
    silence.until = std::max(silence.until, now + first);
    return;
  }
  silence.length = std::clamp(2 * silence.length, first, std::max(first, settings_.avoid));
  silence.until = now + silence.length;
  silence.over = false;
}

std::optional<base::TimePoint> Cluster::ExpireSilent(base::TimePoint now) {
  std::optional<base::TimePoint> next;
  for (auto it = silent_.begin(); it != silent_.end();) {
    Silence& silence = it->second;
    if (now < silence.until) {
      next = next ? std::min(*next, silence.until) : silence.until;
    } else if (!std::exchange(silence.over, true)) {
      Improve(it->first);
    }
    // Nobody has tried it since, or it would have spoken or be silent again.
    const bool forgotten = now >= silence.until + settings_.avoid + settings_.prepare_timeout;
    it = forgotten ? silent_.erase(it) : std::next(it);
  }
  return next;
}

bool Cluster::IsSilent(const std::string& node, base::TimePoint now) const {
  const auto found = silent_.find(node);
  return found != silent_.end() && now < found->second.until;
}

PodEntryPtr Cluster::FindPod(std::string_view key) const {
  PodEntryPtr entry = pods_.Find(key);
  return entry && pod_keys_.contains(kclient::Uid(entry->pod->meta.uid)) ? entry : nullptr;
}

PodEntryPtr Cluster::FindPodByUid(std::string_view uid) const {
  const auto found = pod_keys_.find(kclient::Uid(uid));
  return found == pod_keys_.end() ? nullptr : FindPod(found->second);
}

PartitionEntryPtr Cluster::FindPartition(std::string_view key) const {
  return partitions_.Find(key);
}

std::vector<PartitionEntryPtr> Cluster::PartitionsOfPod(std::string_view pod_uid) const {
  std::vector<PartitionEntryPtr> entries;
  for (const base::Symbol& key : PartitionKeysOfPod(pod_uid)) {
    entries.push_back(FindPartition(key));
  }
  return entries;
}

std::shared_ptr<const kclient::Pod> Cluster::ShownPod(std::string_view key) const {
  const PodEntryPtr entry = pods_.Find(key);
  return entry ? entry->pod : nullptr;
}

std::shared_ptr<const crds::VdcuPartition> Cluster::ShownPartition(std::string_view key) const {
  const PartitionEntryPtr entry = partitions_.Find(key);
  return entry ? entry->shown : nullptr;
}

std::shared_ptr<const kclient::Node> Cluster::ShownNode(std::string_view name) const {
  const NodeLoad* load = ledger_.Find(name);
  return load ? std::make_shared<const kclient::Node>(load->node->Unpack(name)) : nullptr;
}

std::shared_ptr<const crds::DcuNode> Cluster::ShownDcuNode(std::string_view name) const {
  const auto found = dcu_nodes_.find(base::Symbol(name));
  if (found == dcu_nodes_.end()) return nullptr;
  return std::make_shared<const crds::DcuNode>(found->second.Unpack(name));
}

const std::set<std::string>& Cluster::PodsNaming(std::string_view partition_key) const {
  return Find(pods_naming_, partition_key);
}

std::vector<Key> Cluster::TakeDirty(size_t most) {
  if (std::exchange(all_dirty_, false)) {
    partitions_.ForEachKey([this](std::string_view key) { MarkDirtyPartition(key); });
    for (const auto& [uid, key] : pod_keys_) MarkDirtyPod(key);
    for (const auto& [key, pods] : pods_naming_) MarkLine(key);
    for (const auto& [name, node] : dcu_nodes_) {
      if (doubts_.Find(name) || !node.alike().ready()) dirty_dcu_nodes_.insert(name);
    }
  }
  std::vector<Key> keys;
  const auto take = [&](std::set<base::Symbol>& dirty, std::string_view kind) {
    while (!dirty.empty() && keys.size() < most) {
      keys.push_back(MakeKey(kind, *dirty.begin()));
      dirty.erase(dirty.begin());
    }
  };
  take(dirty_dcu_nodes_, kDcuNode);
  take(dirty_partitions_, kPartition);
  take(dirty_lines_, kLine);
  take(dirty_pods_, kPod);
  return keys;
}

}  // namespace vdcu::reconcilers
