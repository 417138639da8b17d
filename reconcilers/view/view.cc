#include "reconcilers/view/view.h"

namespace vdcu::reconcilers {

PodEntryPtr View::HeadOf(std::string_view partition_key) const {
  const std::string head = parts_.lines.HeadOf(partition_key);
  return head.empty() ? nullptr : FindPod(head);
}

std::vector<Keeper> View::KeepersOf(const kclient::Pod& pod) const {
  return parts_.rooms.anti_affinity().KeepersOf(
      pod.meta.ns, parts_.namespaces.LabelsOf(pod.meta.ns), pod.meta.labels);
}

PodTopology View::TopologyOf(const kclient::Pod& pod) const {
  const auto labels_of = [this](std::string_view ns) -> const kclient::Labels& {
    return parts_.namespaces.LabelsOf(ns);
  };
  return {pod, KeepersOf(pod), ledger(), labels_of, [this](const auto& visit) {
            const auto there = [&](std::string_view key, std::string_view node,
                                   const kclient::Labels& labels, bool deleting) {
              const NodeLoad* load = node.empty() ? nullptr : ledger().Find(node);
              if (load) visit({key.substr(0, key.find('/')), labels, *load, deleting});
            };
            parts_.objects.pods().ForEach(
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

std::optional<std::string> View::WhyOverQuota(const std::string& ns,
                                              const std::vector<dcu::SliceRequest>& asked,
                                              const std::vector<dcu::Assignment>& given) const {
  return parts_.rooms.WhyOverQuota(ns, asked, given, [this](const base::Symbol& key) {
    return FindPartition(key)->object().spec;
  });
}

}  // namespace vdcu::reconcilers
