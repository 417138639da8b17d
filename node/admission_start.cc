// Whether a container may start: the part of Admission behind PreStart.
#include <algorithm>

#include "node/admission.h"

namespace vdcu::node {

namespace {

using Ids = std::set<std::string>;

Ids IdsOf(const kubelet::ListedContainer& container, const std::string& resource) {
  const auto devices = container.devices.find(resource);
  if (devices == container.devices.end()) return {};
  return {devices->second.begin(), devices->second.end()};
}

bool Intersect(const Ids& a, const Ids& b) {
  return std::any_of(a.begin(), a.end(), [&b](const std::string& id) { return b.contains(id); });
}

}  // namespace

Admission::StartCheck Admission::CheckStart(const std::string& resource, const Ids& ids,
                                            const PodSearch& search) {
  StartCheck check;
  for (const kubelet::ListedPod& listed : search.listing()) {
    for (const kubelet::ListedContainer& container : listed.containers) {
      const Ids held = IdsOf(container, resource);
      if (!Intersect(held, ids)) continue;
      const std::string key = listed.ns + "/" + listed.name;
      const NodePod* pod = search.pod(key);
      const bool read = search.read().contains(key);
      if (pod == nullptr) {
        // A pod that the API does not have is on its way out: it is not what starts.
        if (!read) check.unknown.insert(key);
        continue;
      }
      const Asker holder{.pod = {pod->meta.name, pod->meta.uid, container.name},
                         .ns = pod->meta.ns,
                         .partition = pod->partition,
                         .count = held.size()};
      auto refusal = CheckHolder(holder);
      if (refusal && !read) {
        // It may have been replaced by another of its name.
        check.unknown.insert(key);
      } else if (refusal && !check.refusal) {
        check.refusal = std::move(refusal);
        check.holders = {holder};
      } else if (!refusal && !check.refusal) {
        check.holders.push_back(holder);
      }
    }
  }
  if (!check.refusal && check.holders.empty()) {
    check.refusal = Refusal{"NobodyHolds", "no pod of this node that the API has holds device " +
                                               (ids.empty() ? "" : *ids.begin())};
  }
  CheckGiven(resource, ids, search, check);
  return check;
}

// It has been told the files of that container, though it may have slices of its own. (A slice that
// is let go belongs to nobody; its ids may be anybody's.)
void Admission::CheckGiven(const std::string& resource, const Ids& ids, const PodSearch& search,
                           StartCheck& check) const {
  if (check.refusal) return;
  for (const std::string& id : ids) {
    const Asker* given = answers_.GivenTo(resource, id);
    if (given == nullptr || SlicesOf(*given).empty()) continue;
    const auto& holders = check.holders;
    if (std::any_of(holders.begin(), holders.end(),
                    [given](const Asker& holder) { return holder.pod == given->pod; })) {
      continue;
    }
    for (const Asker& holder : holders) {
      if (!search.read().contains(holder.key())) check.unknown.insert(holder.key());
    }
    check.refusal =
        Refusal{"GivenToAnother", "device " + id + " was given for container " +
                                      given->pod.container + " of pod " + given->key() +
                                      " with UID " + given->pod.uid + ": delete this pod"};
    return;
  }
}

std::optional<Refusal> Admission::CheckHolder(const Asker& holder) {
  const std::vector<Slice> slices = SlicesOf(holder);
  if (slices.size() != holder.count) {
    return Refusal{"SliceGone", "container " + holder.pod.container + " of pod " + holder.key() +
                                    " holds " + std::to_string(holder.count) + " devices and " +
                                    std::to_string(slices.size()) + " VDCUPartitions"};
  }
  if (!sources_.has_processes(holder.pod.uid)) {
    return Refusal{"NotRunning", "pod " + holder.key() + " with UID " + holder.pod.uid +
                                     " has no sandbox in its cgroup"};
  }
  for (const Slice& slice : slices) {
    if (auto refusal = holdings_.Hold(slice)) return refusal;
  }
  return std::nullopt;
}

}  // namespace vdcu::node
