#include "reconcilers/reserved.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "crds/keys.h"
#include "reconcilers/conditions.h"
#include "reconcilers/pod_partitions.h"
#include "reconcilers/view/node_fit.h"

namespace vdcu::reconcilers {

namespace {

using Reason = std::optional<std::string>;

Reason WhyNotUsable(const std::string& name, const PartitionEntryPtr& entry) {
  const std::string text = "VDCUPartition " + name;
  if (entry == nullptr) return text + " does not exist";
  const crds::VdcuPartition& partition = entry->object();
  if (partition.spec.pod_ref) return text + " belongs to pod " + partition.spec.pod_ref->name;
  if (partition.meta.deleting()) return text + " is being deleted";
  if (partition.unread) return text + " is not valid: " + partition.unread->why;
  if (!partition.assigned()) return text + " has no card yet";
  if (!IsTrue(partition, crds::kReady)) return text + " is not Ready";
  return {};
}

// Another pod that runs with the partition, or is about to.
Reason WhyHeld(const View& view, const crds::VdcuPartition& partition, const kclient::Pod& pod) {
  const std::string& name = partition.meta.name;
  for (const std::string& other_key : view.PodsNaming(partition.meta.key())) {
    const PodEntryPtr other = view.FindPod(other_key);
    if (other == nullptr || other->pod->meta.uid == pod.meta.uid) continue;
    if (!other->node().empty() && !other->pod->terminal()) {
      return "VDCUPartition " + name + " is held by pod " + other->pod->meta.name;
    }
  }
  const auto& used_by = partition.status.used_by;
  if (used_by && used_by->uid != pod.meta.uid) {
    return "VDCUPartition " + name + " is still held by pod " + used_by->name;
  }
  return {};
}

Reason WhyNodeUnfit(const View& view, const kclient::Pod& pod, const std::string& node) {
  const auto volumes = view.VolumesOf(pod);
  if (!volumes) return volumes.error().message;
  const NodeLoad* load = view.ledger().Find(node);
  if (load == nullptr) return "node " + node + " does not exist";
  auto why = WhyUnfit(*load, pod, *volumes);
  if (!why) why = view.TopologyOf(pod).WhyNot(*load);
  return why ? Reason("node " + node + " of the partition: " + *why) : Reason();
}

bool IsSetBack(const View& view, const std::string& pod_key, base::TimePoint now) {
  const Setback* setback = view.FindSetback(PodKey(pod_key));
  return setback && setback->Holds(now);
}

// The node that a pod which gets the partition would be bound to; empty: none yet.
std::string NodeOf(const PartitionEntryPtr& entry) {
  if (entry == nullptr || entry->object().spec.pod_ref || !entry->object().assigned()) return "";
  return entry->object().meta.deleting() ? "" : entry->object().spec.assignment->node;
}

// It waits, and would be bound if it were its turn and the partition were free.
bool IsInLine(const View& view, const PodEntry& entry, const std::string& node,
              base::TimePoint now) {
  const kclient::Pod& pod = *entry.pod;
  return WaitsForUs(view, pod) && entry.node().empty() && !IsSetBack(view, pod.meta.key(), now) &&
         !WhyNeverPlaced(view, entry) && (node.empty() || !WhyNodeUnfit(view, pod, node));
}

bool AnyBefore(const View& view, const std::string& key, const kclient::Pod& pod,
               const std::string& node, base::TimePoint now) {
  const auto is_before = [&](const PodEntryPtr& other) {
    return other && GoesBefore(*other->pod, pod) && IsInLine(view, *other, node, now);
  };
  if (is_before(view.HeadOf(key))) return true;
  const auto& naming = view.PodsNaming(key);
  return std::any_of(naming.begin(), naming.end(),
                     [&](const std::string& other) { return is_before(view.FindPod(other)); });
}

// Who is behind another is told nothing of the partition, and not behind whom: either changes for
// all of a long line at once.
Reason WhyWaits(const View& view, const PodEntry& entry, const crds::PodRequest& request,
                const std::string& key, base::TimePoint now) {
  const PartitionEntryPtr partition = view.FindPartition(key);
  const std::string node = NodeOf(partition);
  if (!node.empty()) {
    if (auto why = WhyNodeUnfit(view, *entry.pod, node)) return why;
  }
  if (AnyBefore(view, key, *entry.pod, node, now)) {
    return "VDCUPartition " + request.partition + " goes first to another pod";
  }
  if (auto why = WhyNotUsable(request.partition, partition)) return why;
  return WhyHeld(view, partition->object(), *entry.pod);
}

}  // namespace

Plan ReconcileReserved(const View& view, const PodEntry& entry, const crds::PodRequest& request,
                       const Instant& at) {
  const kclient::Pod& pod = *entry.pod;
  const std::string key = pod.meta.ns + "/" + request.partition;
  const Setback* setback = view.FindSetback(PodKey(pod.meta.key()));
  if (setback && setback->Holds(at.now)) return AwaitSetback(entry, *setback, at);
  Plan plan;
  if (const auto why = WhyWaits(view, entry, request, key, at.now)) {
    plan.waits = Wait{WaitReason::kPartition, pod.meta.creation_timestamp};
    AppendUnscheduled(plan, entry, "Unschedulable", *why, at);
    return plan;
  }
  return BindPod(view, pod, view.FindPartition(key)->object().spec.assignment->node,
                 request.partition, at);
}

Plan ReconcileLine(const View& view, const std::string& key, const Instant& at) {
  std::vector<PodEntryPtr> line;
  for (const std::string& pod : view.PodsNaming(key)) {
    const PodEntryPtr entry = view.FindPod(pod);
    if (entry && entry->node().empty()) line.push_back(entry);
  }
  std::sort(line.begin(), line.end(), [](const PodEntryPtr& a, const PodEntryPtr& b) {
    return GoesBefore(*a->pod, *b->pod);
  });
  const std::string node = NodeOf(view.FindPartition(key));
  LineSeen seen{key, "", {}};
  for (size_t i = 0; i < line.size() && seen.head.empty(); ++i) {
    seen.pods.push_back(line[i]->pod->meta.key());
    if (IsInLine(view, *line[i], node, at.now)) seen.head = seen.pods.back();
  }
  Plan plan;
  plan.notes.emplace_back(std::move(seen));
  return plan;
}

}  // namespace vdcu::reconcilers
