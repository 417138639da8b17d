#include "reconcilers/hami.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "crds/hami.h"
#include "crds/resources.h"

namespace vdcu::reconcilers {

namespace {

using Shares = std::map<std::string, std::vector<dcu::Assignment>>;  // by container

// A reserved partition is for the one container that asks for a card.
std::string ContainerThatAsks(const View& view, const kclient::Pod& pod) {
  const PodEntryPtr entry = view.FindPod(pod.meta.key());
  const bool asks = entry && entry->request && entry->request->has_value() &&
                    !(*entry->request)->containers.empty();
  return asks ? (*entry->request)->containers.front().container : "";
}

Shares SharesOf(const View& view, const kclient::Pod& pod, const std::string& partition) {
  Shares shares;
  if (!partition.empty()) {
    const PartitionEntryPtr entry = view.FindPartition(pod.meta.ns + "/" + partition);
    if (entry && entry->object().assigned()) {
      shares[ContainerThatAsks(view, pod)].push_back(*entry->object().spec.assignment);
    }
    return shares;
  }
  for (const PartitionEntryPtr& entry : view.PartitionsOfPod(pod.meta.uid)) {
    const crds::PartitionSpec& spec = entry->object().spec;
    if (spec.assignment) shares[spec.pod_ref->container].push_back(*spec.assignment);
  }
  return shares;
}

}  // namespace

kclient::Labels HamiAnnotationsOf(const View& view, const kclient::Pod& pod,
                                  const std::string& partition, const base::Instant& at) {
  const crds::Hami family = view.settings().hami;
  if (family == crds::Hami::kOff || !pod.scheduling) return {};
  const Shares shares = SharesOf(view, pod, partition);
  const auto now = base::ParseTime(at.wall);
  if (shares.empty() || !now) return {};
  const std::string& node = shares.begin()->second.front().node;
  const auto cards = view.dcu_nodes().Find(node);
  if (!cards) return {};
  crds::HamiSlots slots(pod.scheduling->init_containers.size());
  size_t known = 0;
  for (const kclient::Container& container : pod.scheduling->containers) {
    auto& slot = slots.emplace_back();
    const auto found = shares.find(container.name);
    if (found == shares.end()) continue;
    for (const dcu::Assignment& share : found->second) {
      for (const dcu::Device& card : cards->status.devices) {
        if (card.uuid != share.device) continue;
        slot.push_back({card, share.memory, share.compute_units});
        ++known;
      }
    }
  }
  size_t all = 0;
  for (const auto& [container, of_container] : shares) all += of_container.size();
  if (known != all) return {};
  return crds::HamiPodAnnotations(family, node, slots, *now);
}

}  // namespace vdcu::reconcilers
