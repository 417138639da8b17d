#include "node/plugin/start_check.h"

#include <algorithm>
#include <utility>

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

std::optional<Refusal> CheckHolder(const StartView& view, const Asker& holder) {
  const size_t slices = SlicesOf(view.slices, holder).size();
  if (slices != holder.count) {
    return Refusal{"SliceGone", "container " + holder.pod.container + " of pod " + holder.key() +
                                    " holds " + std::to_string(holder.count) + " devices and " +
                                    std::to_string(slices) + " VDCUPartitions"};
  }
  if (!view.has_processes(holder.pod.uid)) {
    return Refusal{"NotRunning", "pod " + holder.key() + " with UID " + holder.pod.uid +
                                     " has no sandbox in its cgroup"};
  }
  return std::nullopt;
}

void AddHolder(const StartView& view, const Asker& holder, StartCheck& check) {
  auto refusal = CheckHolder(view, holder);
  if (refusal && !view.read.contains(holder.key())) {
    // It may have been replaced by another of its name.
    check.unknown.insert(holder.key());
  } else if (refusal && !check.refusal) {
    check.refusal = std::move(refusal);
    check.holders = {holder};
  } else if (!refusal && !check.refusal) {
    check.holders.push_back(holder);
  }
}

void FindHolders(const StartView& view, StartCheck& check) {
  for (const kubelet::ListedPod& listed : view.listing) {
    for (const kubelet::ListedContainer& container : listed.containers) {
      const Ids held = IdsOf(container, view.resource);
      if (!Intersect(held, view.ids)) continue;
      const std::string key = listed.ns + "/" + listed.name;
      const NodePod* pod = view.pod(key);
      if (pod == nullptr) {
        if (!view.read.contains(key)) check.unknown.insert(key);
        continue;
      }
      AddHolder(view,
                {.pod = {pod->meta.name, pod->meta.uid, container.name},
                 .ns = pod->meta.ns,
                 .partition = pod->partition,
                 .count = held.size()},
                check);
    }
  }
}

// Refuses where one of the ids was given for a container that is none of the holders.
void CheckGiven(const StartView& view, StartCheck& check) {
  for (const std::string& id : view.ids) {
    const Asker* given = view.answers.GivenTo(view.resource, id);
    if (given == nullptr || SlicesOf(view.slices, *given).empty()) continue;
    const auto& holders = check.holders;
    if (std::any_of(holders.begin(), holders.end(),
                    [given](const Asker& holder) { return holder.pod == given->pod; })) {
      continue;
    }
    for (const Asker& holder : holders) {
      if (!view.read.contains(holder.key())) check.unknown.insert(holder.key());
    }
    check.refusal =
        Refusal{"GivenToAnother", "device " + id + " was given for container " +
                                      given->pod.container + " of pod " + given->key() +
                                      " with UID " + given->pod.uid + ": delete this pod"};
    return;
  }
}

}  // namespace

StartCheck CheckStart(const StartView& view) {
  StartCheck check;
  FindHolders(view, check);
  if (!check.refusal && check.holders.empty()) {
    check.refusal = Refusal{"NobodyHolds", "no pod of this node that the API has holds device " +
                                               (view.ids.empty() ? "" : *view.ids.begin())};
  }
  if (!check.refusal) CheckGiven(view, check);
  return check;
}

}  // namespace vdcu::node
