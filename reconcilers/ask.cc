#include "reconcilers/ask.h"

#include <algorithm>
#include <memory>
#include <utility>

#include <nlohmann/json.hpp>

#include "reconcilers/partition.h"
#include "reconcilers/pod_partitions.h"
#include "reconcilers/reserved.h"
#include "reconcilers/view/node_fit.h"

namespace vdcu::reconcilers {

namespace {

constexpr std::string_view kUnschedulable = "Unschedulable";

// Exactly one of the two; neither: nothing of that key waits for cards.
struct Waiting {
  PodEntryPtr pod;
  PartitionEntryPtr partition;

  const Avoided& avoided() const { return pod ? pod->avoided : partition->avoided; }
};

Waiting FindWaiting(const View& view, const Key& key) {
  const std::string object_key = key.object();
  if (key.kind == kPod) {
    const PodEntryPtr pod = view.FindPod(object_key);
    const bool waits = pod != nullptr && WaitsForUs(view, *pod->pod) && pod->node().empty() &&
                       pod->request->has_value() &&
                       view.PartitionsOfPod(pod->pod->meta.uid).empty();
    return {waits ? pod : nullptr, nullptr};
  }
  const PartitionEntryPtr partition = view.FindPartition(object_key);
  const bool waits = partition != nullptr && partition->shown &&
                     partition->sent == Sent::kNothing && !partition->object().assigned() &&
                     !partition->object().meta.deleting() && !partition->object().spec.pod_ref;
  return {nullptr, waits ? partition : nullptr};
}

nlohmann::json Amounts(const dcu::SliceRequest& slice) {
  return {slice.compute_units.value_or(0), slice.percent.value_or(0),
          slice.memory ? slice.memory->value : 0};
}

nlohmann::json Text(const dcu::DeviceSelector& devices) {
  return {devices.models,        devices.exclude_models, devices.uuids,
          devices.exclude_uuids, devices.model_parts,    devices.exclude_model_parts};
}

nlohmann::json Text(const kclient::NodeSelector& selector) {
  nlohmann::json text = nlohmann::json::array({selector.present});
  for (const kclient::NodeSelectorTerm& term : selector.terms) {
    nlohmann::json terms = nlohmann::json::array();
    for (const auto* list : {&term.match_expressions, &term.match_fields}) {
      terms.push_back("|");
      for (const auto& item : *list) terms.push_back({item.key, item.op, item.values});
    }
    text.push_back(std::move(terms));
  }
  return text;
}

nlohmann::json Text(const Avoided& avoided, base::TimePoint now) {
  nlohmann::json text = nlohmann::json::array();
  for (const auto& [node, avoidance] : avoided) {
    if (now < avoidance.until) text.push_back(node);
  }
  return text;
}

// Sets with whom it may share its cards; `own` is what the object says. What is not known is said
// by FilterFor.
void SetSharing(const View& view, dcu::Sharing own, Ask& ask) {
  ask.request.ns = ask.ns;
  const auto share = view.SharingOf(ask.ns);
  ask.request.share = dcu::Stricter(own, share.value_or(dcu::Sharing::kNamespace));
}

// What tells namespaces apart, where anything does: quotas, and cards that are not shared.
nlohmann::json TextOfNamespace(const View& view, const Ask& ask) {
  const bool apart = view.IsBounded(ask.ns) || view.TellsNamespacesApart() ||
                     ask.request.share == dcu::Sharing::kNamespace;
  if (!apart) return "";
  const auto share = view.SharingOf(ask.ns);
  return {ask.ns, ask.request.share, share ? "" : share.error().message};
}

nlohmann::json Text(const View& view, const kclient::Pod& pod) {
  const kclient::PodScheduling& wants = *pod.scheduling;
  nlohmann::json text = {pod.requests, wants.node_selector, Text(wants.affinity)};
  for (const auto& t : wants.tolerations) text.push_back({t.key, t.op, t.value, t.effect});
  for (const auto& port : pod.host_ports) text.push_back({port.ip, port.protocol, port.port});
  const auto volumes = view.VolumesOf(pod);
  if (!volumes) text.push_back(volumes.error().message);
  if (volumes) {
    for (const auto& affinity : *volumes) text.push_back(Text(affinity));
  }
  for (const Keeper& keeper : view.KeepersOf(pod)) {
    text.push_back({"kept away", keeper.id, keeper.term->topology_key});
  }
  if (MindsPods(pod)) text.push_back({"minds pods", TextOfTopology(pod)});
  return text;
}

// Since when it stands in line.
std::string Since(const View& view, const Key& key, const std::string& created) {
  const Setback* setback = view.FindSetback(key);
  return setback ? std::max(created, setback->wall) : created;
}

Ask AskOfPod(const View& view, const Key& key, const PodEntry& entry, base::TimePoint now) {
  const kclient::Pod& pod = *entry.pod;
  Ask ask;
  ask.order = {-pod.priority, Since(view, key, pod.meta.creation_timestamp), key};
  ask.ns = pod.meta.ns;
  ask.minds_pods = MindsPods(pod);
  SetSharing(view, (*entry.request)->share, ask);
  ask.request.policy = (*entry.request)->policy.value_or(view.settings().policy);
  nlohmann::json slices = nlohmann::json::array();
  for (const NeededPartition& needed : NeededPartitions(pod, **entry.request)) {
    slices.push_back(Amounts(needed.slice));
    ask.request.slices.push_back(needed.slice);
  }
  // Once: all slices of a pod have the same selector.
  const nlohmann::json devices =
      ask.request.slices.empty() ? nlohmann::json() : Text(*ask.request.slices.front().devices);
  ask.alike =
      nlohmann::json{
          ask.request.policy,        slices, devices, Text(view, pod), Text(entry.avoided, now),
          TextOfNamespace(view, ask)}
          .dump();
  return ask;
}

Ask AskOfPartition(const View& view, const Key& key, const PartitionEntry& entry,
                   base::TimePoint now) {
  const crds::VdcuPartition& partition = entry.object();
  Ask ask;
  ask.order = {0, Since(view, key, partition.meta.creation_timestamp), key};
  ask.ns = partition.meta.ns;
  SetSharing(view, partition.spec.share, ask);
  ask.request.policy = partition.spec.policy.value_or(view.settings().policy);
  ask.request.slices = {partition.spec.request};
  ask.alike = nlohmann::json{"partition",
                             ask.request.policy,
                             Amounts(partition.spec.request),
                             Text(*partition.spec.request.devices),
                             partition.spec.node_selector,
                             Text(entry.avoided, now),
                             TextOfNamespace(view, ask)}
                  .dump();
  return ask;
}

std::optional<std::string> WhyPassedOver(const View& view, const Avoided& avoided,
                                         const std::string& node, base::TimePoint now) {
  if (view.IsSilent(node, now)) return "node's vdcu daemon does not answer";
  const auto found = avoided.find(node);
  if (found == avoided.end() || now >= found->second.until) return {};
  return "node refused the slice just now";
}

}  // namespace

std::optional<Ask> DescribeAsk(const View& view, const Key& key, base::TimePoint now) {
  const Waiting waiting = FindWaiting(view, key);
  if (waiting.pod) return AskOfPod(view, key, *waiting.pod, now);
  if (waiting.partition) return AskOfPartition(view, key, *waiting.partition, now);
  return {};
}

base::Result<dcu::NodeFilter> FilterFor(const View& view, const Key& key, base::TimePoint now) {
  const Waiting waiting = FindWaiting(view, key);
  if (const PartitionEntry* reserved = waiting.partition.get()) {
    RETURN_IF_ERROR(view.SharingOf(reserved->object().meta.ns));
  }
  VolumeAffinities volumes;
  if (waiting.pod) {
    RETURN_IF_ERROR(view.SharingOf(waiting.pod->pod->meta.ns));
    ASSIGN_OR_RETURN(volumes, view.VolumesOf(*waiting.pod->pod));
  }
  return dcu::NodeFilter(
      [&view, waiting, now, volumes = std::move(volumes), topology = std::optional<PodTopology>()](
          const std::string& node) mutable -> std::optional<std::string> {
        const NodeLoad* load = view.ledger().Find(node);
        if (load == nullptr) return "node does not exist";
        if (auto why = WhyPassedOver(view, waiting.avoided(), node, now)) return why;
        if (!waiting.pod) return WhyUnfit(*load, waiting.partition->object().spec.node_selector);
        if (auto why = WhyUnfit(*load, *waiting.pod->pod, volumes)) return why;
        // A look at all pods, maybe: only for a node that is fit otherwise.
        if (!topology) topology = view.TopologyOf(*waiting.pod->pod);
        return topology->WhyNot(*load);
      });
}

Plan Grant(const View& view, const Key& key, const dcu::Placement& placement) {
  const Waiting waiting = FindWaiting(view, key);
  Plan plan;
  if (waiting.partition) {
    plan.writes.push_back(
        AssignPartition(waiting.partition->object(), placement.assignments.front()));
    return plan;
  }
  const kclient::Pod& pod = *waiting.pod->pod;
  const auto needed = NeededPartitions(pod, **waiting.pod->request);
  for (size_t i = 0; i < needed.size(); ++i) {
    plan.writes.push_back(CreatePartition(MakePartition(pod, needed[i], placement.assignments[i])));
  }
  return plan;
}

Plan Explain(const View& view, const Key& key, const std::string& message, const Instant& at) {
  const Waiting waiting = FindWaiting(view, key);
  Plan plan;
  if (!waiting.pod && !waiting.partition) return plan;
  if (waiting.partition) {
    AppendUnassigned(plan, waiting.partition->object(), kUnschedulable, message, at);
  } else {
    AppendUnscheduled(plan, *waiting.pod, kUnschedulable, message, at);
  }
  return plan;
}

}  // namespace vdcu::reconcilers
