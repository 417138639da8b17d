#include "reconcilers/alike.h"

#include "reconcilers/view/pod_topology.h"

namespace vdcu::reconcilers {

nlohmann::json AlikeText(const dcu::SliceRequest& slice) {
  return {slice.compute_units.value_or(0), slice.percent.value_or(0),
          slice.memory ? slice.memory->value : 0};
}

nlohmann::json AlikeText(const dcu::DeviceSelector& devices) {
  return {devices.models,        devices.exclude_models, devices.uuids,
          devices.exclude_uuids, devices.model_parts,    devices.exclude_model_parts};
}

namespace {

nlohmann::json TextOf(const kclient::NodeSelector& selector) {
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

}  // namespace

nlohmann::json AlikeText(const Avoided& avoided, base::TimePoint now) {
  nlohmann::json text = nlohmann::json::array();
  for (const auto& [node, avoidance] : avoided) {
    if (now < avoidance.until) text.push_back(node);
  }
  return text;
}

nlohmann::json AlikeText(const View& view, const kclient::Pod& pod) {
  const kclient::PodScheduling& wants = *pod.scheduling;
  nlohmann::json text = {pod.requests, wants.node_selector, TextOf(wants.affinity)};
  for (const auto& t : wants.tolerations) text.push_back({t.key, t.op, t.value, t.effect});
  for (const auto& port : pod.host_ports) text.push_back({port.ip, port.protocol, port.port});
  const auto volumes = view.VolumesOf(pod);
  if (!volumes) text.push_back(volumes.error().message);
  if (volumes) {
    for (const auto& affinity : *volumes) text.push_back(TextOf(affinity));
  }
  for (const Keeper& keeper : view.KeepersOf(pod)) {
    text.push_back({"kept away", keeper.id, keeper.term->topology_key});
  }
  if (MindsPods(pod)) text.push_back({"minds pods", TextOfTopology(pod)});
  return text;
}

nlohmann::json AlikeTextOfNamespace(const View& view, const dcu::Request& cards) {
  const bool apart = view.IsBounded(cards.ns) || view.TellsNamespacesApart() ||
                     cards.share == dcu::Sharing::kNamespace;
  if (!apart) return "";
  const auto share = view.SharingOf(cards.ns);
  return {cards.ns, cards.share, share ? "" : share.error().message};
}

}  // namespace vdcu::reconcilers
