// Cluster's pods that keep others away: which waiting pod, and from where.
#include <utility>

#include "reconcilers/cluster.h"

namespace vdcu::reconcilers {

namespace {

constexpr std::string_view kHostname = "kubernetes.io/hostname";

}  // namespace

void Cluster::OnNamespace(const std::shared_ptr<const kclient::Namespace>& old_namespace,
                          const std::shared_ptr<const kclient::Namespace>& new_namespace) {
  const std::string& name = (new_namespace ? *new_namespace : *old_namespace).meta.name;
  if (new_namespace) {
    namespaces_[name] = new_namespace->meta.labels;
  } else {
    namespaces_.erase(name);
  }
  const bool same =
      old_namespace && new_namespace && old_namespace->meta.labels == new_namespace->meta.labels;
  if (!same && anti_affinity_.SelectsNamespaces()) MarkWaitingDirty();
}

const kclient::Labels& Cluster::LabelsOfNamespace(std::string_view name) const {
  static const kclient::Labels kNone;
  const auto found = namespaces_.find(name);
  return found == namespaces_.end() ? kNone : found->second;
}

std::vector<Keeper> Cluster::KeepersOf(const kclient::Pod& pod) const {
  return anti_affinity_.KeepersOf(pod.meta.ns, LabelsOfNamespace(pod.meta.ns),
                                  pod.scheduling->labels);
}

std::vector<Domain> Cluster::KeptFrom(const kclient::Pod& pod) const {
  std::vector<Domain> domains;
  for (const Keeper& keeper : KeepersOf(pod)) {
    Domain domain{keeper.term->topology_key, {}};
    for (const auto& [node, count] : *keeper.nodes) {
      const NodeLoad* load = ledger_.Find(node);
      const auto value = load ? load->Label(domain.key) : std::nullopt;
      if (value) domain.values.emplace(*value);
    }
    if (!domain.values.empty()) domains.push_back(std::move(domain));
  }
  return domains;
}

// The pod has moved from `was` to `is`; empty: nowhere.
void Cluster::ChargeAntiAffinity(const kclient::Pod* before, const std::string& was,
                                 const kclient::Pod& pod, const std::string& is) {
  const bool had = !was.empty() && !before->anti_affinity.empty();
  const bool has = !is.empty() && !pod.anti_affinity.empty();
  if (!had && !has) return;
  if (had && has && was == is && before->anti_affinity == pod.anti_affinity) return;
  bool changed = false;
  if (has) changed |= anti_affinity_.Add(pod, is);
  if (had) {
    changed |= anti_affinity_.Take(*before, was);
    ImproveAround(was, before->anti_affinity);
  }
  // Pods that asked for the same may not be alike any more.
  if (changed) MarkWaitingDirty();
}

// All nodes that count as one place with this one, which a pod with these terms has left.
void Cluster::ImproveAround(const std::string& node,
                            const std::vector<kclient::PodAffinityTerm>& terms) {
  const NodeLoad* left = ledger_.Find(node);
  if (left == nullptr) return;
  Improve(node);
  for (const kclient::PodAffinityTerm& term : terms) {
    const auto value = left->Label(term.topology_key);
    if (!value || term.topology_key == kHostname) continue;
    ledger_.ForEachNode([&](std::string_view name) {
      if (ledger_.Find(name)->Label(term.topology_key) == value) Improve(std::string(name));
    });
  }
}

// Only open rows wait.
void Cluster::MarkWaitingDirty() {
  pods_.ForEachOpen([this](std::string_view key, const PodEntry& entry) {
    if (entry.pod->scheduling) MarkDirtyPod(key);
  });
}

}  // namespace vdcu::reconcilers
