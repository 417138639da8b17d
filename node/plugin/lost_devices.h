// Containers that hold a slice and for which the kubelet has no device: its checkpoint was lost, or
// it admitted their pod before it knew the plugin. They run on, and cannot be started again.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "node/plugin/identity.h"
#include "node/slices.h"

namespace vdcu::node {

struct LostDevicesView {
  const kubelet::Listing& listing;
  const Slices& slices;             // what is held
  std::set<std::string> resources;  // that are registered with the kubelet
  // As in IdentityView.
  std::function<const NodePod*(const std::string& key)> pod;
  std::function<bool(const std::string& uid)> has_processes;
  const std::set<std::string>& read;
};

struct LostDevices {
  std::vector<Asker> lost = {};
  std::set<std::string> unknown = {};  // keys: read these from the API, then ask again
  bool unsure = false;  // the kubelet, which may have just started, does not list all
};

// How it is reported: the cause, and the way out.
Refusal DeviceLostOf(const std::string& container);

LostDevices FindLostDevices(const LostDevicesView& view);

}  // namespace vdcu::node
