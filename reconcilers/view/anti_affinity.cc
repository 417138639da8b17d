#include "reconcilers/view/anti_affinity.h"

#include <algorithm>

namespace vdcu::reconcilers {

bool AntiAffinity::Add(const kclient::Pod& pod, std::string_view node) {
  if (pod.anti_affinity.empty()) return false;
  const auto [found, is_new] = groups_.try_emplace(pod.anti_affinity);
  if (is_new) found->second.id = next_id_++;
  ++found->second.nodes[base::Symbol(node)];
  return is_new;
}

bool AntiAffinity::Take(const kclient::Pod& pod, std::string_view node) {
  if (pod.anti_affinity.empty()) return false;
  const auto found = groups_.find(pod.anti_affinity);
  auto& nodes = found->second.nodes;
  const auto on = nodes.find(base::Symbol(node));
  if (--on->second == 0) nodes.erase(on);
  if (!nodes.empty()) return false;
  groups_.erase(found);
  return true;
}

void AntiAffinity::Count(const kclient::Pod& pod, std::string_view node, int more) {
  if (pod.anti_affinity.empty()) return;
  groups_.find(pod.anti_affinity)->second.nodes.find(base::Symbol(node))->second += more;
}

std::vector<Keeper> AntiAffinity::KeepersOf(const std::string& ns, const kclient::Labels& ns_labels,
                                            const kclient::Labels& labels) const {
  std::vector<Keeper> keepers;
  for (const auto& [terms, group] : groups_) {
    for (const kclient::PodAffinityTerm& term : terms) {
      if (!Selects(term, ns, ns_labels, labels)) continue;
      keepers.push_back({group.id, &term, &group.nodes});
    }
  }
  return keepers;
}

bool AntiAffinity::IsOn(std::string_view node) const {
  const base::Symbol name(node);
  return std::any_of(groups_.begin(), groups_.end(),
                     [&](const auto& item) { return item.second.nodes.contains(name); });
}

bool AntiAffinity::SelectsNamespaces() const {
  const auto selects = [](const kclient::PodAffinityTerm& term) {
    return term.namespace_selector.present;
  };
  return std::any_of(groups_.begin(), groups_.end(), [&](const auto& item) {
    return std::any_of(item.first.begin(), item.first.end(), selects);
  });
}

}  // namespace vdcu::reconcilers
