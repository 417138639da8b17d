// Figures of this node's cards, and of who has what of them, for /metrics. They are made from what
// is held at that moment: a series goes with its slice.
#pragma once

#include <string>
#include <vector>

#include <prometheus/metric_family.h>

#include "dcu/device.h"
#include "node/slices.h"

namespace vdcu::node {

// `names_pods`: with a series for each slice, which names its pod. Whoever reaches the port reads
// them.
std::vector<prometheus::MetricFamily> CardMetrics(const std::string& node,
                                                  const std::vector<dcu::Device>& devices,
                                                  const Slices& slices, bool names_pods);

}  // namespace vdcu::node
