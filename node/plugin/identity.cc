#include "node/plugin/identity.h"

#include <algorithm>
#include <utility>

namespace vdcu::node {

namespace {

bool HasDevice(const kubelet::ListedContainer& container, const std::string& resource) {
  const auto devices = container.devices.find(resource);
  return devices != container.devices.end() && !devices->second.empty();
}

bool HasDevice(const kubelet::ListedPod& pod, const std::string& container,
               const std::string& resource) {
  return std::any_of(pod.containers.begin(), pod.containers.end(), [&](const auto& listed) {
    return listed.name == container && HasDevice(listed, resource);
  });
}

bool LacksSome(const kubelet::ListedPod& pod, const std::string& resource) {
  return std::any_of(pod.containers.begin(), pod.containers.end(),
                     [&](const auto& listed) { return !HasDevice(listed, resource); });
}

// The first container in the pod's order that asks and has nothing.
const NodePod::DeviceRequest* OpenRequest(const kubelet::ListedPod& listed, const NodePod& pod,
                                          const IdentityView& view) {
  for (const NodePod::DeviceRequest& request : pod.device_requests) {
    if (request.resource == view.resource && !HasDevice(listed, request.container, view.resource) &&
        !view.answered(pod.meta.uid, request.container)) {
      return &request;
    }
  }
  return nullptr;
}

std::optional<kclient::OwnerReference> OwnerOf(const kclient::ObjectMeta& meta) {
  const auto& owners = meta.owner_references;
  const auto owner = std::find_if(owners.begin(), owners.end(),
                                  [](const auto& reference) { return reference.controller; });
  return owner == owners.end() ? std::nullopt : std::optional(*owner);
}

Asker MakeAsker(const NodePod& pod, const NodePod::DeviceRequest& request) {
  return {.pod = {.name = pod.meta.name, .uid = pod.meta.uid, .container = request.container},
          .ns = pod.meta.ns,
          .partition = pod.partition,
          .owner = OwnerOf(pod.meta),
          .count = static_cast<size_t>(request.count)};
}

Identity Several(std::vector<Asker> askers) {
  std::string names;
  for (const Asker& asker : askers) {
    names += (names.empty() ? "" : ", ") + asker.key() + " (" + asker.pod.container + ")";
  }
  return {.refusal = Refusal{"SeveralAsk", "the kubelet's request may be that of any of " + names},
          .several = std::move(askers)};
}

}  // namespace

std::vector<Slice> SlicesOf(const Slices& held, const Asker& container) {
  std::vector<Slice> slices;
  for (const auto& [uid, slice] : held) {
    if (slice.ns != container.ns) continue;
    const bool used = slice.pod && slice.pod->uid == container.pod.uid &&
                      slice.pod->container == container.pod.container;
    // Of a reserved one the pod is written down when the watch shows it, which may be later.
    const bool reserved =
        !slice.pod && !container.partition.empty() && slice.name == container.partition;
    if (used || reserved) slices.push_back(slice);
  }
  std::sort(slices.begin(), slices.end(),
            [](const Slice& a, const Slice& b) { return a.name < b.name; });
  return slices;
}

Identity WhoAsks(const IdentityView& view) {
  std::vector<Asker> askers;
  std::set<std::string> unknown;
  std::set<std::string> finished;
  std::string absent;
  for (const kubelet::ListedPod& listed : view.listing) {
    const std::string key = listed.ns + "/" + listed.name;
    const NodePod* pod = view.pod(key);
    if (pod == nullptr) {
      if (!LacksSome(listed, view.resource)) continue;
      if (view.read.contains(key)) {
        absent += (absent.empty() ? "" : ", ") + key;
      } else {
        unknown.insert(key);
      }
      continue;
    }
    const NodePod::DeviceRequest* request = OpenRequest(listed, *pod, view);
    if (request == nullptr) continue;
    const bool ended = pod->terminal();
    if (!ended && !pod->started && !view.has_processes(pod->meta.uid)) {
      askers.push_back(MakeAsker(*pod, *request));
    } else if (!view.read.contains(key)) {
      // Another of its name may have replaced it. Finished ones may be many, as an old kubelet
      // lists them until they are deleted.
      (ended ? finished : unknown).insert(key);
    }
  }
  if (!unknown.empty()) return {.unknown = std::move(unknown)};
  if (askers.size() > 1) return Several(std::move(askers));
  if (askers.size() == 1) return {.asker = std::move(askers.front())};
  if (!finished.empty()) return {.unknown = std::move(finished)};
  std::string why =
      "no pod that the kubelet lists on this node asks for " + view.resource + " and waits for it";
  if (!absent.empty()) why += "; the API has no " + absent + ": static pods get no slices";
  return {.refusal = Refusal{"NobodyAsks", std::move(why)}};
}

}  // namespace vdcu::node
