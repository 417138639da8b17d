#include "reconcilers/reserved.h"

#include <optional>
#include <string>
#include <tuple>

#include "crds/keys.h"
#include "reconcilers/conditions.h"
#include "reconcilers/node_fit.h"
#include "reconcilers/pod_partitions.h"

namespace vdcu::reconcilers {

namespace {

using Reason = std::optional<std::string>;

Reason WhyNotUsable(const std::string& name, const PartitionEntryPtr& entry) {
  const std::string text = "VDCUPartition " + name;
  if (entry == nullptr) return text + " does not exist";
  const crds::VdcuPartition& partition = entry->object();
  if (partition.spec.pod_ref) return text + " belongs to pod " + partition.spec.pod_ref->name;
  if (partition.meta.deleting()) return text + " is being deleted";
  if (!partition.assigned()) return text + " has no card yet";
  if (!IsTrue(partition, crds::kReady)) return text + " is not Ready";
  return {};
}

// Another pod that runs with the partition, or is about to.
Reason WhyHeld(const Cluster& cluster, const crds::VdcuPartition& partition,
               const kclient::Pod& pod) {
  const std::string& name = partition.meta.name;
  for (const std::string& other_key : cluster.PodsNaming(partition.meta.key())) {
    const PodEntryPtr other = cluster.FindPod(other_key);
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

Reason WhyNodeUnfit(const Cluster& cluster, const kclient::Pod& pod, const std::string& node) {
  const auto volumes = cluster.VolumesOf(pod);
  if (!volumes) return volumes.error().message;
  const NodeLoad* load = cluster.ledger().Find(node);
  if (load == nullptr) return "node " + node + " does not exist";
  auto why = WhyUnfit(*load, pod, *volumes);
  if (!why) why = cluster.TopologyOf(pod).WhyNot(*load);
  return why ? Reason("node " + node + " of the partition: " + *why) : Reason();
}

bool IsSetBack(const Cluster& cluster, const std::string& pod_key, base::TimePoint now) {
  const Setback* setback = cluster.FindSetback(PodKey(pod_key));
  return setback && setback->Holds(now);
}

// Another waiting pod that fits and comes first.
Reason WhyNotFirst(const Cluster& cluster, const std::string& name, const std::string& key,
                   const kclient::Pod& pod, const std::string& node, base::TimePoint now) {
  for (const std::string& other_key : cluster.PodsNaming(key)) {
    const PodEntryPtr other = cluster.FindPod(other_key);
    if (other == nullptr || !WaitsForUs(cluster, *other->pod)) continue;
    if (IsSetBack(cluster, other_key, now)) continue;
    if (!GoesBefore(*other->pod, pod)) continue;
    if (!WhyNeverPlaced(cluster, *other) && !WhyNodeUnfit(cluster, *other->pod, node)) {
      return "VDCUPartition " + name + " goes first to pod " + other->pod->meta.name;
    }
  }
  return {};
}

Reason WhyWaits(const Cluster& cluster, const PodEntry& entry, const crds::PodRequest& request,
                const std::string& key, base::TimePoint now) {
  const PartitionEntryPtr partition = cluster.FindPartition(key);
  if (auto why = WhyNotUsable(request.partition, partition)) return why;
  const dcu::Assignment& has = *partition->object().spec.assignment;
  if (auto why = WhyHeld(cluster, partition->object(), *entry.pod)) return why;
  if (auto why = WhyNodeUnfit(cluster, *entry.pod, has.node)) return why;
  return WhyNotFirst(cluster, request.partition, key, *entry.pod, has.node, now);
}

}  // namespace

bool GoesBefore(const kclient::Pod& a, const kclient::Pod& b) {
  const auto order = [](const kclient::Pod& pod) {
    return std::tuple<int, const std::string&, const std::string&, const std::string&>(
        -pod.priority, pod.meta.creation_timestamp, pod.meta.ns, pod.meta.name);
  };
  return order(a) < order(b);
}

Plan ReconcileReserved(const Cluster& cluster, const PodEntry& entry,
                       const crds::PodRequest& request, const Instant& at) {
  const kclient::Pod& pod = *entry.pod;
  const std::string key = pod.meta.ns + "/" + request.partition;
  const Setback* setback = cluster.FindSetback(PodKey(pod.meta.key()));
  if (setback && setback->Holds(at.now)) return AwaitSetback(entry, *setback, at);
  Plan plan;
  if (const auto why = WhyWaits(cluster, entry, request, key, at.now)) {
    AppendUnscheduled(plan, entry, "Unschedulable", *why, at);
    return plan;
  }
  return BindPod(pod, cluster.FindPartition(key)->object().spec.assignment->node,
                 request.partition);
}

}  // namespace vdcu::reconcilers
