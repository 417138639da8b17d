// Figures of this node's cards, and of who has what of them, for /metrics. They are made from what
// is held at that moment: a series goes with its slice.
#pragma once

#include <vector>

#include <prometheus/metric_family.h>

#include "node/figures.h"

namespace vdcu::node {

std::vector<prometheus::MetricFamily> CardMetrics(const Figures& figures);

}  // namespace vdcu::node
