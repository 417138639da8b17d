// The device ids that the kubelet counts: four a card, "vdcu-0" on. An id says nothing about a card
// (the VDCUPartition does): any is as good as another.
//
// Promises: an id in use is always listed, and Healthy: the kubelet would fail running pods on its
// restart, or refuse pods on other cards. For unhealthy cards as many ids that are free are
// Unhealthy as those cards have free slots.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "dcu/device.h"
#include "node/kubelet/plugin_server.h"
#include "node/slices.h"

namespace vdcu::node {

std::vector<kubelet::Device> Tokens(const std::vector<dcu::Device>& devices, const Slices& slices,
                                    const std::set<std::string>& in_use);

}  // namespace vdcu::node
