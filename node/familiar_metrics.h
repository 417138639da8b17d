// The figures of card_metrics.h by the names that dashboards of other projects read, for clusters
// that come from there. Sources: HAMi docs of v2.10, cmd/scheduler/metrics.go; Volcano
// pkg/scheduler/api/devices/nvidia/vgpu/metrics.go.
#pragma once

#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include <prometheus/metric_family.h>

#include "node/figures.h"

namespace vdcu::node {

// Without HAMi's label device_cores, which changes with the value, and with `container` in place of
// container_index.
std::vector<prometheus::MetricFamily> HamiMetrics(const Figures& figures);
// Its names tell no namespace: pods of one name on one card are added up.
std::vector<prometheus::MetricFamily> VolcanoMetrics(const Figures& figures);

using FamiliarMetrics = std::vector<prometheus::MetricFamily> (*)(const Figures& figures);
// By what --metric-names calls them.
inline constexpr std::array<std::pair<std::string_view, FamiliarMetrics>, 2> kFamiliarMetrics{
    {{"hami", &HamiMetrics}, {"volcano", &VolcanoMetrics}}};

}  // namespace vdcu::node
