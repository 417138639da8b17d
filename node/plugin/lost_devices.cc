#include "node/plugin/lost_devices.h"

#include <algorithm>

namespace vdcu::node {

namespace {

const NodePod::DeviceRequest* RequestOf(const NodePod& pod, const std::string& container,
                                        const std::set<std::string>& resources) {
  const auto request =
      std::find_if(pod.device_requests.begin(), pod.device_requests.end(),
                   [&](const NodePod::DeviceRequest& one) {
                     return one.container == container && resources.contains(one.resource);
                   });
  return request == pod.device_requests.end() ? nullptr : &*request;
}

bool HasDevice(const kubelet::ListedPod& pod, const NodePod::DeviceRequest& request) {
  return std::any_of(pod.containers.begin(), pod.containers.end(),
                     [&request](const auto& container) {
                       const auto devices = container.devices.find(request.resource);
                       return container.name == request.container &&
                              devices != container.devices.end() && !devices->second.empty();
                     });
}

}  // namespace

Refusal DeviceLostOf(const std::string& container) {
  return {"DeviceLost",
          "the kubelet has no device for container " + container +
              ": it has lost its checkpoint (device-plugins/kubelet_internal_checkpoint) or has "
              "admitted the pod before vdcu-node had registered; the container cannot be started "
              "again: delete the pod"};
}

LostDevices FindLostDevices(const LostDevicesView& view) {
  LostDevices result;
  for (const auto& [uid, slice] : view.slices) {
    if (!slice.pod || !view.has_processes(slice.pod->uid)) continue;
    const std::string key = slice.ns + "/" + slice.pod->name;
    const NodePod* pod = view.pod(key);
    if (pod == nullptr || pod->meta.uid != slice.pod->uid || pod->terminal() || !pod->started) {
      continue;
    }
    const NodePod::DeviceRequest* request = RequestOf(*pod, slice.pod->container, view.resources);
    if (request == nullptr) continue;
    bool listed = false;
    bool has_device = false;
    for (const kubelet::ListedPod& one : view.listing) {
      if (one.ns + "/" + one.name != key) continue;
      listed = true;
      has_device = has_device || HasDevice(one, *request);
    }
    if (!listed) {
      result.unsure = true;
    } else if (!has_device && !view.read.contains(key)) {
      result.unknown.insert(key);  // it may be that of another of its name
    } else if (!has_device) {
      result.lost.push_back({.pod = *slice.pod, .ns = slice.ns, .partition = pod->partition});
    }
  }
  return result;
}

}  // namespace vdcu::node
