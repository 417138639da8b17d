#include "reconcilers/view/node_fit.h"

#include <algorithm>

#include "crds/pod_request.h"

namespace vdcu::reconcilers {

namespace {

using Reason = std::optional<std::string>;

int64_t AmountOf(const kclient::ResourceList& list, std::string_view name) {
  const auto found = list.find(name);
  return found == list.end() ? 0 : found->second;
}

Reason WhyCordoned(const kclient::Node& node, const std::vector<kclient::Toleration>& tolerations) {
  static const kclient::Taint kUnschedulable{"node.kubernetes.io/unschedulable", "", "NoSchedule"};
  if (!node.unschedulable) return {};
  const bool tolerated = std::any_of(
      tolerations.begin(), tolerations.end(),
      [](const kclient::Toleration& t) { return kclient::Tolerates(t, kUnschedulable); });
  return tolerated ? Reason() : "node is cordoned";
}

Reason WhyTainted(const kclient::Node& node, const std::vector<kclient::Toleration>& tolerations) {
  const kclient::Taint* taint = kclient::FindUntolerated(node.taints, tolerations);
  if (taint == nullptr) return {};
  std::string text = "node has taint " + taint->key;
  if (!taint->value.empty()) text += "=" + taint->value;
  return text + ":" + taint->effect;
}

// What kube-controller-manager says of a node that does not answer.
Reason WhyDead(const kclient::Node& node) {
  for (const kclient::Taint& taint : node.taints) {
    const bool dead = taint.key == "node.kubernetes.io/not-ready" ||
                      taint.key == "node.kubernetes.io/unreachable" ||
                      taint.key == kclient::kOutOfService;
    if (dead) return "node has taint " + taint.key + ":" + taint.effect;
  }
  return {};
}

// Resources in which a card is asked for by part are counted by the allocator; no node has them.
Reason WhyTooSmall(const NodeLoad& load, const kclient::Pod& pod) {
  const kclient::ResourceList& allocatable = load.node->alike().allocatable;
  if (load.pods + 1 > AmountOf(allocatable, "pods")) return "node has no room for another pod";
  for (const auto& [name, amount] : pod.requests) {
    if (amount == 0 || crds::IsPartResource(name)) continue;
    const auto has = allocatable.find(name);
    if (has == allocatable.end()) return "node has no " + name;
    if (load.Used(name) + amount > has->second) return "node has too little " + name;
  }
  return {};
}

Reason WhyPortTaken(const NodeLoad& load, const kclient::Pod& pod) {
  for (const kclient::HostPort& wanted : pod.host_ports) {
    for (const kclient::HostPort& taken : load.ports) {
      if (kclient::Clash(wanted, taken)) {
        return "node has host port " + std::to_string(wanted.port) + "/" + wanted.protocol +
               " in use";
      }
    }
  }
  return {};
}

Reason WhyVolumeElsewhere(const NodeLoad& load, const VolumeAffinities& volumes) {
  if (volumes.empty()) return {};
  const kclient::Labels labels = load.node->UnpackLabels(load.name);
  const bool all_reach = std::all_of(volumes.begin(), volumes.end(), [&](const auto& affinity) {
    return kclient::Matches(affinity, load.name.str(), labels);
  });
  return all_reach ? Reason() : "node cannot reach a volume of the pod";
}

}  // namespace

Reason WhyNotSelected(const NodeLoad& load, const kclient::PodScheduling& wants) {
  if (wants.node_selector.empty() && !wants.affinity.present) return {};
  const kclient::Labels labels = load.node->UnpackLabels(load.name);
  if (!kclient::MatchesAll(wants.node_selector, labels)) {
    return "node does not match the node selector";
  }
  if (wants.affinity.present && !kclient::Matches(wants.affinity, load.name.str(), labels)) {
    return "node does not match the node affinity";
  }
  return {};
}

std::optional<std::string> WhyKeptOut(const NodeLoad& load, const kclient::Pod& pod) {
  const kclient::Node& node = load.node->alike();
  const kclient::PodScheduling& wants = *pod.scheduling;
  if (auto reason = WhyCordoned(node, wants.tolerations)) return reason;
  if (auto reason = WhyTainted(node, wants.tolerations)) return reason;
  return WhyNotSelected(load, wants);
}

std::optional<std::string> WhyUnfit(const NodeLoad& load, const kclient::Pod& pod,
                                    const VolumeAffinities& volumes) {
  if (auto reason = WhyKeptOut(load, pod)) return reason;
  if (auto reason = WhyTooSmall(load, pod)) return reason;
  if (auto reason = WhyPortTaken(load, pod)) return reason;
  return WhyVolumeElsewhere(load, volumes);
}

std::optional<std::string> WhyUnfit(const NodeLoad& load, const kclient::Labels& node_selector) {
  if (load.node->alike().unschedulable) return "node is cordoned";
  if (auto reason = WhyDead(load.node->alike())) return reason;
  if (node_selector.empty()) return {};
  if (!kclient::MatchesAll(node_selector, load.node->UnpackLabels(load.name))) {
    return "node does not match the node selector";
  }
  return {};
}

}  // namespace vdcu::reconcilers
