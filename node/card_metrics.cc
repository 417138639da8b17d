#include "node/card_metrics.h"

#include <map>
#include <utility>

namespace vdcu::node {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

namespace {

constexpr double kMiB = 1024.0 * 1024.0;

using Labels = std::vector<ClientMetric::Label>;

MetricFamily Family(std::string name, std::string help, MetricType type) {
  return {.name = std::move(name), .help = std::move(help), .type = type, .metric = {}};
}

void Add(MetricFamily& family, const Labels& labels, double value) {
  ClientMetric metric;
  metric.label = labels;
  metric.gauge.value = value;
  family.metric.push_back(std::move(metric));
}

double Bytes(dcu::MiB memory) { return static_cast<double>(memory.value) * kMiB; }

struct Use {
  int slices = 0;
  int compute_units = 0;
  dcu::MiB memory;
};

std::map<std::string, Use> UseByCard(const Slices& slices) {
  std::map<std::string, Use> uses;
  for (const auto& [uid, slice] : slices) {
    Use& use = uses[slice.assignment.device];
    ++use.slices;
    use.compute_units += slice.assignment.compute_units;
    use.memory.value += slice.assignment.memory.value;
  }
  return uses;
}

std::vector<MetricFamily> OfCards(const std::string& node, const std::vector<dcu::Device>& devices,
                                  const Slices& slices) {
  auto units = Family("vdcu_card_compute_units", "Compute units of the card", MetricType::Gauge);
  auto granted_units = Family("vdcu_card_granted_compute_units",
                              "Compute units of the card that slices have", MetricType::Gauge);
  auto free_units = Family("vdcu_card_free_compute_units",
                           "Compute units of the card that no slice has", MetricType::Gauge);
  auto memory = Family("vdcu_card_memory_bytes", "Memory of the card", MetricType::Gauge);
  auto granted_memory = Family("vdcu_card_granted_memory_bytes",
                               "Memory of the card that slices have", MetricType::Gauge);
  auto free_memory = Family("vdcu_card_free_memory_bytes", "Memory of the card that no slice has",
                            MetricType::Gauge);
  auto count = Family("vdcu_card_slices", "Slices on the card, or 1 where it is granted whole",
                      MetricType::Gauge);
  auto healthy =
      Family("vdcu_card_healthy", "1 while the card is healthy, else 0", MetricType::Gauge);
  auto uses = UseByCard(slices);
  for (const dcu::Device& card : devices) {
    const Labels labels{{"node", node}, {"card", card.uuid}, {"model", card.model}};
    const Use& use = uses[card.uuid];
    Add(units, labels, card.compute_units);
    Add(granted_units, labels, use.compute_units);
    Add(free_units, labels, card.compute_units - use.compute_units);
    Add(memory, labels, Bytes(card.memory));
    Add(granted_memory, labels, Bytes(use.memory));
    Add(free_memory, labels, Bytes(card.memory) - Bytes(use.memory));
    Add(count, labels, use.slices);
    Add(healthy, labels, card.healthy ? 1 : 0);
  }
  return {units, granted_units, free_units, memory, granted_memory, free_memory, count, healthy};
}

MetricFamily ByState(const std::string& node, const Slices& slices) {
  auto family = Family("vdcu_slices",
                       "Slices and whole cards by state: used by a pod, reserved for pods to come, "
                       "or lost, which no object names though a process may use it",
                       MetricType::Gauge);
  std::map<std::string, int> states{{"used", 0}, {"reserved", 0}, {"lost", 0}};
  for (const auto& [uid, slice] : slices) {
    ++states[!slice.lost_since.empty() ? "lost" : slice.pod ? "used" : "reserved"];
  }
  for (const auto& [state, slices_of_it] : states) {
    Add(family, {{"node", node}, {"state", state}}, slices_of_it);
  }
  return family;
}

std::vector<MetricFamily> OfPods(const std::string& node, const Slices& slices) {
  auto units =
      Family("vdcu_slice_compute_units",
             "Compute units that the container's slice has, or its whole card", MetricType::Gauge);
  auto memory =
      Family("vdcu_slice_memory_bytes", "Memory that the container's slice has, or its whole card",
             MetricType::Gauge);
  for (const auto& [uid, slice] : slices) {
    if (!slice.pod) continue;
    const Labels labels{
        {"node", node},           {"card", slice.assignment.device},   {"namespace", slice.ns},
        {"pod", slice.pod->name}, {"container", slice.pod->container}, {"partition", slice.name}};
    Add(units, labels, slice.assignment.compute_units);
    Add(memory, labels, Bytes(slice.assignment.memory));
  }
  return {units, memory};
}

}  // namespace

std::vector<MetricFamily> CardMetrics(const std::string& node,
                                      const std::vector<dcu::Device>& devices, const Slices& slices,
                                      bool names_pods) {
  std::vector<MetricFamily> families = OfCards(node, devices, slices);
  families.push_back(ByState(node, slices));
  if (!names_pods) return families;
  for (MetricFamily& family : OfPods(node, slices)) families.push_back(std::move(family));
  return families;
}

}  // namespace vdcu::node
