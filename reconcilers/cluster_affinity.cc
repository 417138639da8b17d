// Cluster's pods that keep others away: which waiting pod, and from where.
#include <utility>

#include "crds/keys.h"
#include "reconcilers/cluster.h"

namespace vdcu::reconcilers {

namespace {

constexpr std::string_view kHostname = "kubernetes.io/hostname";

std::optional<std::string> ShareText(const kclient::Namespace* ns) {
  if (ns == nullptr) return {};
  const auto found = ns->meta.annotations.find(crds::kShareAnnotation);
  return found == ns->meta.annotations.end() ? "" : found->second;
}

}  // namespace

void Cluster::OnNamespace(const std::shared_ptr<const kclient::Namespace>& old_namespace,
                          const std::shared_ptr<const kclient::Namespace>& new_namespace) {
  const std::string& name = (new_namespace ? *new_namespace : *old_namespace).meta.name;
  if (new_namespace) {
    namespaces_[name] = new_namespace;
  } else {
    namespaces_.erase(name);
  }
  if (ShareText(old_namespace.get()) != ShareText(new_namespace.get())) MarkWaitingOf(name);
  const bool same =
      old_namespace && new_namespace && old_namespace->meta.labels == new_namespace->meta.labels;
  if (same) return;
  if (anti_affinity_.SelectsNamespaces()) MarkWaitingDirty();
  if (!minding_.empty()) LookAgain();
}

const kclient::Labels& Cluster::LabelsOfNamespace(std::string_view name) const {
  static const kclient::Labels kNone;
  const auto found = namespaces_.find(name);
  return found == namespaces_.end() ? kNone : found->second->meta.labels;
}

std::vector<Keeper> Cluster::KeepersOf(const kclient::Pod& pod) const {
  return anti_affinity_.KeepersOf(pod.meta.ns, LabelsOfNamespace(pod.meta.ns), pod.meta.labels);
}

PodTopology Cluster::TopologyOf(const kclient::Pod& pod) const {
  const auto labels_of = [this](std::string_view ns) -> const kclient::Labels& {
    return LabelsOfNamespace(ns);
  };
  return {pod, KeepersOf(pod), ledger_, labels_of, [this](const auto& visit) {
            const auto there = [&](std::string_view key, std::string_view node,
                                   const kclient::Labels& labels, bool deleting) {
              const NodeLoad* load = node.empty() ? nullptr : ledger_.Find(node);
              if (load) visit({key.substr(0, key.find('/')), labels, *load, deleting});
            };
            pods_.ForEach(
                [&](std::string_view key, const PodEntry& entry) {
                  const kclient::ObjectMeta& meta = entry.pod->meta;
                  there(key, entry.charged, meta.labels, meta.deleting());
                },
                [&](std::string_view key, const PackedPod& pod_there) {
                  if (pod_there.terminal()) return;
                  there(key, pod_there.node(), pod_there.labels(), pod_there.deleting());
                });
          }};
}

void Cluster::NoteMinding(const std::string& key, const kclient::Pod& pod) {
  if (pod.scheduling && MindsPods(pod)) {
    minding_.insert(key);
  } else {
    minding_.erase(key);
  }
}

// For waiting pods that mind this one: it has come to a node or gone, or is not what it was.
void Cluster::PodMoved(const kclient::Pod& moved) {
  const auto labels_of = [this](std::string_view ns) -> const kclient::Labels& {
    return LabelsOfNamespace(ns);
  };
  for (const std::string& key : minding_) {
    const PodEntryPtr entry = FindPod(key);
    if (!entry || !MindsPod(*entry->pod, moved, labels_of)) continue;
    eased_.emplace(kPodsMoved);
    if (!entry->reserved().empty()) MarkDirtyPod(key);
  }
}

// All that mind pods.
void Cluster::LookAgain() {
  eased_.emplace(kPodsMoved);
  for (const std::string& key : minding_) MarkDirtyPod(key);
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
