// What Prometheus' clients tell of each process, by the names that they agree on: process_*.
#pragma once

#include <vector>

#include <prometheus/metric_family.h>

namespace vdcu::base {

// Read from /proc at each call; what cannot be read is left out.
std::vector<prometheus::MetricFamily> CollectProcessMetrics();

}  // namespace vdcu::base
