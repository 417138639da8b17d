// A pod of this node, trimmed to what holding and letting go of slices reads.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "kclient/core/json.h"
#include "kclient/core/meta.h"
#include "node/slices.h"

namespace vdcu::node {

struct NodePod {
  // What one container requests of a device plugin: as many cards (or, 1, a slice) of the resource.
  struct DeviceRequest {
    std::string container;
    std::string resource;
    int64_t count = 0;
  };

  kclient::ObjectMeta meta;  // annotations vdcu.io/* only
  std::string node_name;
  std::string phase;
  bool started = false;  // the kubelet has written its status: its admission is over
  bool mirror = false;   // what the kubelet shows of a static pod
  // Why the controller has given it no slice, in its words.
  std::optional<Refusal> unassigned = std::nullopt;
  std::string partition;  // the reserved partition that it was bound for; empty: none
  std::string container;  // the first that asks for a DCU; empty: none does
  std::vector<DeviceRequest> device_requests;  // in the containers' order

  // Succeeded or Failed.
  bool terminal() const { return phase == "Succeeded" || phase == "Failed"; }

  static base::Result<NodePod> FromJson(kclient::JsonView object);
};

}  // namespace vdcu::node
