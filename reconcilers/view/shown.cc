#include "reconcilers/view/shown.h"

#include <utility>

#include "crds/keys.h"
#include "crds/pod_request.h"

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

// Its scheduler says, anew, that it does not place it for now.
bool GivenUp(const kclient::Pod& before, const kclient::Pod& after) {
  if (!before.scheduling || !after.scheduling) return false;
  const kclient::Condition& scheduled = after.scheduling->scheduled;
  return scheduled.status == "False" && scheduled != before.scheduling->scheduled;
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

bool SameForPlacement(const crds::DcuNode& a, const crds::DcuNode& b) {
  return a.spec == b.spec && a.status.devices == b.status.devices &&
         a.status.held == b.status.held && a.status.occupied_vdevs == b.status.occupied_vdevs &&
         a.ready() == b.ready();
}

template <class T>
void Keep(kclient::Store<T>& store, const std::string& key, const std::shared_ptr<const T>& after) {
  if (after) {
    store.Set(key, after);
  } else {
    store.Erase(key);
  }
}

}  // namespace

// --- pods ---

void Shown::Set(const Ptr<kclient::Pod>& before, const Ptr<kclient::Pod>& after,
                base::TimePoint /*now*/) {
  const kclient::Pod& pod = after ? *after : *before;
  const std::string key = pod.meta.key();
  Objects& objects = parts_.objects;
  const PodEntryPtr was = objects.FindPod(key);
  const bool ours = was || pod.scheduler_name == parts_.settings.scheduler_name ||
                    crds::AsksForCards(pod) || !crds::NamedPartition(pod.meta).empty();
  if (!after) {
    objects.ForgetPod(key);
  } else if (ours) {
    // One that arrives without a slice is set back as one that waits for a node is.
    const bool arrived = after->bound() && was && was->pod->bound();
    if (after->bound() && !(arrived && after->scheduling)) parts_.setbacks.Forget(PodKey(key));
    const PodEntryPtr any = objects.FindAnyPod(key);
    objects.SetPod(key, WithShown(any.get(), after));
  } else {
    objects.SetOtherPod(key, after);
  }
  if (!ours) return;
  JudgePromises(before.get(), pod, !after);
  if (was) objects.MarkPod(*was);
  if (const PodEntryPtr is = objects.FindPod(key)) objects.MarkPod(*is);
  for (const base::Symbol& partition : objects.PartitionKeysOfPod(pod.meta.uid)) {
    parts_.changes.MarkPartition(partition);
  }
}

// Nothing is kept for a pod that will not come, nor for one that its scheduler has given up after
// it was offered a slice.
void Shown::JudgePromises(const kclient::Pod* before, const kclient::Pod& pod, bool gone) {
  const std::string& uid = pod.meta.uid;
  const bool done = gone || pod.bound() || pod.terminal() || pod.meta.deleting();
  if (done) parts_.commits.Forget(uid);
  if (done) parts_.claims.Drop(uid);
  if (before && before->meta.uid != uid) {
    parts_.claims.Drop(before->meta.uid);
    parts_.evictions.Forget(before->meta.uid);
  }
  if (gone || pod.terminal() || pod.meta.deleting()) parts_.evictions.Forget(uid);
  const Hold* hold = parts_.holds.Find(uid);
  if (hold == nullptr) return;
  // Whoever has bound it may have passed us: it is given there what was kept for it.
  const bool arrived = !gone && pod.scheduling && !pod.meta.deleting() &&
                       pod.node_name == hold->node() &&
                       parts_.objects.PartitionKeysOfPod(uid).empty();
  if (arrived) return;
  const bool offered = hold->nudge == Hold::Nudge::kNone;
  if (done || (offered && before && GivenUp(*before, pod))) parts_.holds.Drop(uid);
}

PodEntry Shown::WithShown(const PodEntry* before, const Ptr<kclient::Pod>& pod) const {
  PodEntry entry = before ? *before : PodEntry();
  entry.pod = pod;
  entry.request.reset();
  if (pod->scheduling) entry.request = crds::ParsePodRequest(*pod, parts_.settings.memory_unit);
  if (pod->bound()) {
    entry.assumed_node.clear();
    entry.assumed_partition.clear();
    entry.sent = Sent::kNothing;
    entry.sought = false;
    // What was said and tried before it was bound, and after its kubelet has taken it in.
    if (!pod->scheduling || !before || !before->pod->bound()) {
      entry.reported.clear();
      entry.avoided.clear();
    }
  }
  if (!Misnames(*pod)) {
    entry.misnames = false;
  } else if (!before || !SaysTheSame(*before->pod, *pod)) {
    entry.misnames = !pod->terminal();
  }
  return entry;
}

// --- partitions ---

void Shown::Set(const Ptr<crds::VdcuPartition>& before, const Ptr<crds::VdcuPartition>& after,
                base::TimePoint now) {
  const std::string key = (after ? *after : *before).meta.key();
  Objects& objects = parts_.objects;
  const PartitionEntryPtr was = objects.FindPartition(key);
  if (!after) {
    auto entry = parts_.overlay.BroughtForward(key);
    if (!entry) return objects.ForgetPartition(key);
    objects.SetPartition(key, std::move(*entry), now);
    return objects.MarkPartition(key, was->object());
  }
  if (after->assigned()) parts_.setbacks.Forget(PartitionKey(key));
  objects.SetPartition(key, parts_.overlay.WithShown(key, after, now), now);
  if (was && was->object().spec.pod_ref != after->spec.pod_ref) {
    objects.RechargePodOf(was->object());
    objects.MarkPartition(key, was->object());
  }
  objects.MarkPartition(key, *after);
}

// --- nodes ---

void Shown::Set(const Ptr<kclient::Node>& before, const Ptr<kclient::Node>& after,
                base::TimePoint now) {
  const std::string& name = (after ? *after : *before).meta.name;
  parts_.rooms.SetNode(name, after.get());
  const bool changed = !before || !after;
  if (changed) {
    parts_.rooms.SetCards(name, parts_.dcu_nodes.Find(name).get());
    parts_.objects.NoteSharing();
    parts_.changes.Reshape();
  }
  parts_.dcu_nodes.JudgeDaemon(name, now);
  const bool other = changed || !SameForPlacement(*before, *after);
  if (other) parts_.rooms.Improve(name);
  // What its pods keep others out of has moved with its labels.
  const bool moved = !changed && before->meta.labels != after->meta.labels;
  if (moved && parts_.rooms.anti_affinity().IsOn(name)) {
    parts_.changes.Reshape();
    parts_.objects.MarkWaitingPods();
  }
  if (other) parts_.objects.MarkMinding();
  if (!changed && SameForLettingGo(*before, *after)) return;
  for (const base::Symbol& key : parts_.rooms.PartitionsOn(name)) {
    parts_.changes.MarkPartition(key);
  }
}

void Shown::Set(const Ptr<crds::DcuNode>& before, const Ptr<crds::DcuNode>& after,
                base::TimePoint now) {
  const std::string& name = (after ? *after : *before).meta.name;
  parts_.rooms.SetHeld(before.get(), after.get());
  parts_.dcu_nodes.Set(name, before.get(), after.get(), now);
  if (before && after && SameForPlacement(*before, *after)) return;
  parts_.rooms.SetCards(name, after.get());
  parts_.objects.NoteSharing();
  parts_.rooms.Improve(name);
  parts_.changes.Reshape();
}

// --- volumes, namespaces, quotas ---

void Shown::Set(const Ptr<kclient::PersistentVolumeClaim>& before,
                const Ptr<kclient::PersistentVolumeClaim>& after, base::TimePoint /*now*/) {
  const std::string key = (after ? *after : *before).meta.key();
  Keep(parts_.volumes.claims, key, after);
  parts_.objects.MarkPodsWithClaim(key);
}

// Volumes change rarely; all pods that wait with a claim look again.
void Shown::Set(const Ptr<kclient::PersistentVolume>& before,
                const Ptr<kclient::PersistentVolume>& after, base::TimePoint /*now*/) {
  Keep(parts_.volumes.volumes, (after ? *after : *before).meta.name, after);
  parts_.objects.MarkPodsWithClaims();
}

void Shown::Set(const Ptr<kclient::Namespace>& before, const Ptr<kclient::Namespace>& after,
                base::TimePoint /*now*/) {
  const std::string& name = (after ? *after : *before).meta.name;
  Keep(parts_.namespaces.shown, name, after);
  if (!ShareAlike(before.get(), after.get())) parts_.objects.MarkWaitingOf(name);
  if (before && after && before->meta.labels == after->meta.labels) return;
  if (parts_.rooms.anti_affinity().SelectsNamespaces()) parts_.objects.MarkWaitingPods();
  parts_.objects.MarkMinding();
}

void Shown::Set(const Ptr<kclient::ResourceQuota>& before, const Ptr<kclient::ResourceQuota>& after,
                base::TimePoint /*now*/) {
  const kclient::ObjectMeta& meta = (after ? *after : *before).meta;
  const bool was_bounded = parts_.rooms.IsBounded(meta.ns);
  if (!parts_.rooms.SetQuota(meta.key(), after.get())) return;
  parts_.changes.Ease(meta.ns);
  // Requests of other namespaces are not like theirs any more, or are again.
  if (was_bounded != parts_.rooms.IsBounded(meta.ns)) parts_.objects.MarkAllOf(meta.ns);
}

// --- what is kept ---

template <>
Shown::Ptr<kclient::Pod> Shown::Get(std::string_view key) const {
  const PodEntryPtr entry = parts_.objects.FindAnyPod(key);
  return entry ? entry->pod : nullptr;
}

template <>
Shown::Ptr<crds::VdcuPartition> Shown::Get(std::string_view key) const {
  const PartitionEntryPtr entry = parts_.objects.FindPartition(key);
  return entry ? entry->shown : nullptr;
}

template <>
Shown::Ptr<kclient::Node> Shown::Get(std::string_view key) const {
  const NodeLoad* load = parts_.rooms.ledger().Find(key);
  return load ? std::make_shared<const kclient::Node>(load->node->Unpack(key)) : nullptr;
}

template <>
Shown::Ptr<crds::DcuNode> Shown::Get(std::string_view key) const {
  return parts_.dcu_nodes.Find(key);
}

template <>
Shown::Ptr<kclient::PersistentVolumeClaim> Shown::Get(std::string_view key) const {
  return parts_.volumes.claims.Get(key);
}

template <>
Shown::Ptr<kclient::PersistentVolume> Shown::Get(std::string_view key) const {
  return parts_.volumes.volumes.Get(key);
}

template <>
Shown::Ptr<kclient::Namespace> Shown::Get(std::string_view key) const {
  return parts_.namespaces.shown.Get(key);
}

template <>
void Shown::ForEachKey<kclient::Pod>(const Visit& visit) const {
  parts_.objects.pods().ForEachKey(visit);
}

template <>
void Shown::ForEachKey<crds::VdcuPartition>(const Visit& visit) const {
  parts_.objects.partitions().ForEachKey(visit);
}

template <>
void Shown::ForEachKey<kclient::Node>(const Visit& visit) const {
  parts_.rooms.ledger().ForEachNode(visit);
}

template <>
void Shown::ForEachKey<crds::DcuNode>(const Visit& visit) const {
  parts_.dcu_nodes.ForEachKey(visit);
}

template <>
void Shown::ForEachKey<kclient::PersistentVolumeClaim>(const Visit& visit) const {
  parts_.volumes.claims.ForEachKey(visit);
}

template <>
void Shown::ForEachKey<kclient::PersistentVolume>(const Visit& visit) const {
  parts_.volumes.volumes.ForEachKey(visit);
}

template <>
void Shown::ForEachKey<kclient::Namespace>(const Visit& visit) const {
  parts_.namespaces.shown.ForEachKey(visit);
}

}  // namespace vdcu::reconcilers
