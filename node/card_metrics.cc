#include "node/card_metrics.h"

#include <map>
#include <utility>

namespace vdcu::node {

using prometheus::MetricFamily;
using prometheus::MetricType;

namespace {

MetricLabels LabelsOf(const Figures& figures, const dcu::Device& card) {
  return {{"node", figures.node}, {"card", card.uuid}, {"model", card.model}};
}

std::vector<MetricFamily> OfCards(const Figures& figures) {
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
  auto uses = UseByCard(figures.slices);
  for (const dcu::Device& card : figures.devices) {
    const MetricLabels labels = LabelsOf(figures, card);
    const CardUse& use = uses[card.uuid];
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

// What the driver shows; a family without a series is left out.
std::vector<MetricFamily> OfDriver(const Figures& figures) {
  auto celsius =
      Family("vdcu_card_temperature_celsius",
             "Temperature of the card, by sensor, as its driver shows it", MetricType::Gauge);
  auto watts = Family("vdcu_card_power_watts", "Power that the card draws, as its driver shows it",
                      MetricType::Gauge);
  auto busy = Family("vdcu_card_busy_ratio",
                     "Part of the time in which the card was busy, 0 to 1, as its driver shows it",
                     MetricType::Gauge);
  auto used =
      Family("vdcu_card_used_memory_bytes",
             "Memory of the card that is in use, as its driver shows it", MetricType::Gauge);
  for (const dcu::Device& card : figures.devices) {
    const auto found = figures.readings.find(card.uuid);
    if (found == figures.readings.end()) continue;
    const Readings& shown = found->second;
    const MetricLabels labels = LabelsOf(figures, card);
    for (const auto& [sensor, degrees] : shown.celsius) {
      MetricLabels of_sensor = labels;
      of_sensor.push_back({"sensor", sensor});
      Add(celsius, of_sensor, degrees);
    }
    if (shown.watts) Add(watts, labels, *shown.watts);
    if (shown.busy) Add(busy, labels, *shown.busy);
    if (shown.memory_used) Add(used, labels, static_cast<double>(*shown.memory_used));
  }
  std::vector<MetricFamily> families{celsius, watts, busy, used};
  std::erase_if(families, [](const MetricFamily& family) { return family.metric.empty(); });
  return families;
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
    const MetricLabels labels{
        {"node", node},           {"card", slice.assignment.device},   {"namespace", slice.ns},
        {"pod", slice.pod->name}, {"container", slice.pod->container}, {"partition", slice.name}};
    Add(units, labels, slice.assignment.compute_units);
    Add(memory, labels, Bytes(slice.assignment.memory));
  }
  return {units, memory};
}

}  // namespace

std::vector<MetricFamily> CardMetrics(const Figures& figures) {
  std::vector<MetricFamily> families = OfCards(figures);
  for (MetricFamily& family : OfDriver(figures)) families.push_back(std::move(family));
  families.push_back(ByState(figures.node, figures.slices));
  if (!figures.names_pods) return families;
  for (MetricFamily& family : OfPods(figures.node, figures.slices)) {
    families.push_back(std::move(family));
  }
  return families;
}

}  // namespace vdcu::node
