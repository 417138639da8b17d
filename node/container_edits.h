// What a container gets of the host for its slices or whole cards.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "dcu/device.h"
#include "node/kubelet/plugin_server.h"
#include "node/slices.h"

namespace vdcu::node {

// The device nodes of the driver and of the cards, the slice's folder with its vdev0.conf, and the
// vendor's libraries where the host has them. `devices` are the slices' cards, in their order; all
// are on the host. `exists` tells of a path of the host; `dtk_dir` is the host's DTK.
kubelet::ContainerEdits EditsFor(const std::vector<Slice>& slices,
                                 const std::vector<const dcu::Device*>& devices,
                                 const std::string& dtk_dir,
                                 const std::function<bool(const std::string& path)>& exists);

}  // namespace vdcu::node
