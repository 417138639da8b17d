#include "reconcilers/view/pod_topology.h"

#include <algorithm>
#include <climits>
#include <utility>

#include "reconcilers/view/node_fit.h"

namespace vdcu::reconcilers {

namespace {

using kclient::PodAffinityTerm;
using kclient::SpreadConstraint;

// Pods that are to run beside each other must be named by all terms.
bool AllSelect(const std::vector<PodAffinityTerm>& terms, const std::string& ns,
               const kclient::Labels& ns_labels, const kclient::Labels& labels) {
  return std::all_of(terms.begin(), terms.end(), [&](const PodAffinityTerm& term) {
    return Selects(term, ns, ns_labels, labels);
  });
}

bool AnySelects(const std::vector<PodAffinityTerm>& terms, const std::string& ns,
                const kclient::Labels& ns_labels, const kclient::Labels& labels) {
  return std::any_of(terms.begin(), terms.end(), [&](const PodAffinityTerm& term) {
    return Selects(term, ns, ns_labels, labels);
  });
}

// Whether the constraint looks at the node at all.
bool Includes(const SpreadConstraint& constraint, const kclient::PodScheduling& wants,
              const NodeLoad& load) {
  if (constraint.honors_affinity && WhyNotSelected(load, wants)) return false;
  const auto& taints = load.node->alike().taints;
  return !constraint.honors_taints || !kclient::FindUntolerated(taints, wants.tolerations);
}

nlohmann::json Text(const kclient::LabelSelector& selector) {
  nlohmann::json text = {selector.present, selector.match_labels};
  for (const auto& item : selector.match_expressions) {
    text.push_back({item.key, item.op, item.values});
  }
  return text;
}

nlohmann::json Text(const std::vector<PodAffinityTerm>& terms) {
  nlohmann::json text = nlohmann::json::array();
  for (const PodAffinityTerm& term : terms) {
    text.push_back(
        {Text(term.pods), term.namespaces, Text(term.namespace_selector), term.topology_key});
  }
  return text;
}

}  // namespace

bool MindsPods(const kclient::Pod& waiting) {
  return !waiting.anti_affinity.empty() || !waiting.scheduling->pod_affinity.empty() ||
         !waiting.scheduling->spread.empty();
}

bool MindsPod(const kclient::Pod& waiting, const kclient::Pod& other, const LabelsOf& labels_of) {
  const kclient::Labels& ns_labels = labels_of(other.meta.ns);
  const auto& spread = waiting.scheduling->spread;
  const bool spreads = waiting.meta.ns == other.meta.ns &&
                       std::any_of(spread.begin(), spread.end(), [&](const SpreadConstraint& c) {
                         return Matches(c.pods, other.meta.labels);
                       });
  return spreads ||
         AnySelects(waiting.anti_affinity, other.meta.ns, ns_labels, other.meta.labels) ||
         AnySelects(waiting.scheduling->pod_affinity, other.meta.ns, ns_labels, other.meta.labels);
}

nlohmann::json TextOfTopology(const kclient::Pod& waiting) {
  nlohmann::json text = {waiting.meta.ns, waiting.meta.labels, Text(waiting.anti_affinity),
                         Text(waiting.scheduling->pod_affinity)};
  for (const SpreadConstraint& c : waiting.scheduling->spread) {
    text.push_back({c.max_skew, c.topology_key, Text(c.pods), c.min_domains, c.honors_affinity,
                    c.honors_taints});
  }
  return text;
}

void PodTopology::Tally::Count(const NodeLoad& load) {
  if (const auto value = load.Label(key)) ++counts[std::string(*value)];
}

int PodTopology::Tally::Of(const NodeLoad& load) const {
  const auto value = load.Label(key);
  const auto found = value ? counts.find(*value) : counts.end();
  return found == counts.end() ? 0 : found->second;
}

PodTopology::PodTopology(const kclient::Pod& pod, const std::vector<Keeper>& keepers,
                         const NodeLedger& ledger, const LabelsOf& labels_of,
                         const VisitPods& visit_pods) {
  CountKeepers(keepers, ledger);
  if (!MindsPods(pod)) return;
  const auto& affinity = pod.scheduling->pod_affinity;
  for (const PodAffinityTerm& term : pod.anti_affinity) {
    anti_affinity_.push_back({term.topology_key, {}});
  }
  for (const PodAffinityTerm& term : affinity) affinity_.push_back({term.topology_key, {}});
  FindDomains(pod, ledger);
  visit_pods([&](const PodThere& there) { CountPod(pod, there, labels_of); });
  FindLeast(pod);
  const bool anywhere = std::any_of(affinity_.begin(), affinity_.end(),
                                    [](const Tally& tally) { return !tally.counts.empty(); });
  is_first_ =
      !anywhere && AllSelect(affinity, pod.meta.ns, labels_of(pod.meta.ns), pod.meta.labels);
}

void PodTopology::CountKeepers(const std::vector<Keeper>& keepers, const NodeLedger& ledger) {
  for (const Keeper& keeper : keepers) {
    Tally& tally = keepers_.emplace_back(Tally{keeper.term->topology_key, {}});
    for (const auto& [node, count] : *keeper.nodes) {
      const NodeLoad* load = count > 0 ? ledger.Find(node) : nullptr;
      if (load != nullptr) tally.Count(*load);
    }
  }
}

// Only nodes with the labels of all constraints count.
void PodTopology::FindDomains(const kclient::Pod& pod, const NodeLedger& ledger) {
  const auto& constraints = pod.scheduling->spread;
  for (const SpreadConstraint& constraint : constraints) {
    Spread& spread = spreads_.emplace_back();
    spread.tally.key = constraint.topology_key;
    spread.max_skew = constraint.max_skew;
    spread.of_itself = Matches(constraint.pods, pod.meta.labels) ? 1 : 0;
  }
  if (constraints.empty()) return;
  ledger.ForEachNode([&](std::string_view name) {
    const NodeLoad& load = *ledger.Find(name);
    const bool has_all = std::all_of(
        constraints.begin(), constraints.end(),
        [&](const SpreadConstraint& c) { return load.Label(c.topology_key).has_value(); });
    for (size_t i = 0; has_all && i < constraints.size(); ++i) {
      if (!Includes(constraints[i], *pod.scheduling, load)) continue;
      spreads_[i].nodes.insert(load.name);
      spreads_[i].tally.counts[std::string(*load.Label(constraints[i].topology_key))];
    }
  });
}

void PodTopology::CountPod(const kclient::Pod& pod, const PodThere& there,
                           const LabelsOf& labels_of) {
  const std::string ns(there.ns);
  const kclient::Labels& ns_labels = labels_of(ns);
  for (size_t i = 0; i < anti_affinity_.size(); ++i) {
    const bool named = Selects(pod.anti_affinity[i], ns, ns_labels, there.labels);
    if (named) anti_affinity_[i].Count(there.load);
  }
  const auto& affinity = pod.scheduling->pod_affinity;
  if (!affinity.empty() && AllSelect(affinity, ns, ns_labels, there.labels)) {
    for (Tally& tally : affinity_) tally.Count(there.load);
  }
  if (there.deleting || ns != pod.meta.ns) return;
  for (size_t i = 0; i < spreads_.size(); ++i) {
    Spread& spread = spreads_[i];
    const bool counts = spread.nodes.contains(there.load.name) &&
                        Matches(pod.scheduling->spread[i].pods, there.labels);
    if (counts) spread.tally.Count(there.load);
  }
}

void PodTopology::FindLeast(const kclient::Pod& pod) {
  for (size_t i = 0; i < spreads_.size(); ++i) {
    Spread& spread = spreads_[i];
    const auto& counts = spread.tally.counts;
    if (static_cast<int>(counts.size()) < pod.scheduling->spread[i].min_domains) continue;
    spread.least = INT_MAX;
    for (const auto& [value, count] : counts) spread.least = std::min(spread.least, count);
  }
}

std::optional<std::string> PodTopology::WhyNot(const NodeLoad& load) const {
  for (const Tally& tally : keepers_) {
    if (tally.Of(load) == 0) continue;
    return "node shares " + tally.key + " with a pod whose anti-affinity keeps this one away";
  }
  for (const Tally& tally : anti_affinity_) {
    if (tally.Of(load) == 0) continue;
    return "node shares " + tally.key + " with a pod that the anti-affinity of this one names";
  }
  if (auto why = WhyFarFromOthers(load)) return why;
  return WhyTooUneven(load);
}

std::optional<std::string> PodTopology::WhyFarFromOthers(const NodeLoad& load) const {
  for (const Tally& tally : affinity_) {
    if (!load.Label(tally.key)) return "node has no label " + tally.key + " of the pod's affinity";
    if (tally.Of(load) > 0 || is_first_) continue;
    return "node shares " + tally.key + " with no pod that the affinity of this one names";
  }
  return {};
}

std::optional<std::string> PodTopology::WhyTooUneven(const NodeLoad& load) const {
  for (const Spread& spread : spreads_) {
    const std::string& key = spread.tally.key;
    if (!load.Label(key)) return "node has no label " + key + " of a spread constraint";
    const int skew = spread.tally.Of(load) + spread.of_itself - spread.least;
    if (skew > spread.max_skew) return "node has too many pods of a spread over " + key;
  }
  return {};
}

}  // namespace vdcu::reconcilers
