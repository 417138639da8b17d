// Cluster's quotas: what the partitions of a namespace may hold together.
#include <utility>

#include "reconcilers/cluster.h"

namespace vdcu::reconcilers {

namespace {

int CardUnits(const dcu::Inventory& inventory, const dcu::Assignment& assignment) {
  const dcu::Node* node = inventory.Find(assignment.node);
  const dcu::Card* card = node == nullptr ? nullptr : node->FindCard(assignment.device);
  return card == nullptr || card->type == nullptr ? 0 : card->type->compute_units;
}

}  // namespace

void Cluster::OnQuota(const std::shared_ptr<const kclient::ResourceQuota>& old_quota,
                      const std::shared_ptr<const kclient::ResourceQuota>& new_quota) {
  const kclient::ObjectMeta& meta = (new_quota ? *new_quota : *old_quota).meta;
  const bool was_bounded = holdings_.IsBounded(meta.ns);
  if (!holdings_.SetQuota(meta.key(), new_quota.get())) return;
  eased_.insert(meta.ns);
  if (was_bounded == holdings_.IsBounded(meta.ns)) return;
  // Requests of other namespaces are not like theirs any more, or are again.
  const std::string prefix = meta.ns + "/";
  pods_.ForEachOpen([&](std::string_view key, const PodEntry& entry) {
    if (entry.pod->scheduling && key.starts_with(prefix)) MarkDirtyPod(key);
  });
  partitions_.ForEachKey([&](std::string_view key) {
    if (key.starts_with(prefix)) MarkDirtyPartition(key);
  });
}

void Cluster::Ease(const std::string& ns) {
  if (holdings_.IsBounded(ns)) eased_.insert(ns);
}

std::optional<std::string> Cluster::WhyOverQuota(const std::string& ns,
                                                 const std::vector<dcu::SliceRequest>& asked,
                                                 const std::vector<dcu::Assignment>& given) const {
  if (!holdings_.IsBounded(ns)) return {};
  const auto amounts_of = [this](const dcu::SliceRequest& request, const dcu::Assignment& gets) {
    return AmountsOf(request, gets, CardUnits(inventory_, gets));
  };
  Amounts more;
  for (size_t i = 0; i < asked.size(); ++i) more += amounts_of(asked[i], given[i]);
  return holdings_.WhyOver(ns, more, [&](const base::Symbol& key) {
    const PartitionEntryPtr entry = FindPartition(key);
    const crds::PartitionSpec& spec = entry->object().spec;
    return amounts_of(spec.request, *spec.assignment);
  });
}

}  // namespace vdcu::reconcilers
