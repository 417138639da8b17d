#include "node/figures.h"

#include <utility>

namespace vdcu::node {

void CardUse::Add(const dcu::Assignment& assignment) {
  ++slices;
  compute_units += assignment.compute_units;
  memory.value += assignment.memory.value;
}

std::map<std::string, CardUse> UseByCard(const Slices& slices) {
  std::map<std::string, CardUse> uses;
  for (const auto& [uid, slice] : slices) uses[slice.assignment.device].Add(slice.assignment);
  return uses;
}

prometheus::MetricFamily Family(std::string name, std::string help, prometheus::MetricType type) {
  return {.name = std::move(name), .help = std::move(help), .type = type, .metric = {}};
}

void Add(prometheus::MetricFamily& family, const MetricLabels& labels, double value) {
  prometheus::ClientMetric metric;
  metric.label = labels;
  metric.gauge.value = value;
  family.metric.push_back(std::move(metric));
}

double Bytes(dcu::MiB memory) {
  return static_cast<double>(memory.value) * static_cast<double>(dcu::kBytesPerMiB);
}

}  // namespace vdcu::node
