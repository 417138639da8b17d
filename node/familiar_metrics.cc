#include "node/familiar_metrics.h"

#include <map>
#include <string>

namespace vdcu::node {

using prometheus::MetricFamily;
using prometheus::MetricType;

namespace {

double Percent(int units, const dcu::Device& card) {
  return card.compute_units == 0 ? 0 : 100.0 * units / card.compute_units;
}

double Ratio(dcu::MiB part, dcu::MiB whole) {
  return whole.value == 0 ? 0 : static_cast<double>(part.value) / static_cast<double>(whole.value);
}

std::map<std::string, const dcu::Device*> ByUuid(const std::vector<dcu::Device>& devices) {
  std::map<std::string, const dcu::Device*> cards;
  for (const dcu::Device& card : devices) cards[card.uuid] = &card;
  return cards;
}

std::vector<MetricFamily> HamiOfPods(const Figures& figures) {
  auto memory = Family("hami_vgpu_memory_allocated_bytes",
                       "As vdcu_slice_memory_bytes, of a container", MetricType::Gauge);
  auto cores = Family("hami_vgpu_core_allocated_ratio",
                      "As vdcu_slice_compute_units, in percent of the card", MetricType::Gauge);
  const auto cards = ByUuid(figures.devices);
  for (const auto& [uid, slice] : figures.slices) {
    const auto card = cards.find(slice.assignment.device);
    if (!slice.pod || card == cards.end()) continue;
    const MetricLabels labels{{"zone", "vGPU"},
                              {"node", figures.node},
                              {"namespace", slice.ns},
                              {"pod", slice.pod->name},
                              {"container", slice.pod->container},
                              {"device_uuid", slice.assignment.device}};
    Add(memory, labels, Bytes(slice.assignment.memory));
    Add(cores, labels, Percent(slice.assignment.compute_units, *card->second));
  }
  return {memory, cores};
}

std::vector<MetricFamily> VolcanoOfPods(const Figures& figures) {
  auto memory = Family("volcano_vgpu_device_memory_allocation_for_a_certain_pod",
                       "MiB of the card that the pod has", MetricType::Gauge);
  auto cores = Family("volcano_vgpu_device_core_allocation_for_a_certain_pod",
                      "Compute units that the pod has, in percent of the card", MetricType::Gauge);
  std::map<std::pair<std::string, std::string>, CardUse> pods;  // by card and pod
  for (const auto& [uid, slice] : figures.slices) {
    if (slice.pod) pods[{slice.assignment.device, slice.pod->name}].Add(slice.assignment);
  }
  const auto cards = ByUuid(figures.devices);
  for (const auto& [of, use] : pods) {
    const auto card = cards.find(of.first);
    if (card == cards.end()) continue;
    const MetricLabels labels{
        {"NodeName", figures.node}, {"devID", of.first}, {"podName", of.second}};
    Add(memory, labels, static_cast<double>(use.memory.value));
    Add(cores, labels, Percent(use.compute_units, *card->second));
  }
  return {memory, cores};
}

void Append(std::vector<MetricFamily>& families, std::vector<MetricFamily> more) {
  for (MetricFamily& family : more) families.push_back(std::move(family));
}

}  // namespace

std::vector<MetricFamily> HamiMetrics(const Figures& figures) {
  auto memory =
      Family("hami_gpu_memory_limit_bytes", "As vdcu_card_memory_bytes", MetricType::Gauge);
  auto cores = Family("hami_gpu_core_limit_ratio", "100: percent of the card", MetricType::Gauge);
  auto granted_memory = Family("hami_gpu_memory_allocated_bytes",
                               "As vdcu_card_granted_memory_bytes", MetricType::Gauge);
  auto granted_cores =
      Family("hami_gpu_core_allocated_ratio",
             "As vdcu_card_granted_compute_units, in percent of the card", MetricType::Gauge);
  auto shared = Family("hami_gpu_shared_count", "As vdcu_card_slices", MetricType::Gauge);
  auto ratio = Family("hami_node_gpu_memory_allocated_ratio",
                      "Granted part of the card's memory, 0 to 1", MetricType::Gauge);
  auto uses = UseByCard(figures.slices);
  for (const dcu::Device& card : figures.devices) {
    const MetricLabels labels{{"zone", "vGPU"},
                              {"node", figures.node},
                              {"device_uuid", card.uuid},
                              {"device_index", std::to_string(card.index)},
                              {"device_type", "DCU-" + card.model}};
    const CardUse& use = uses[card.uuid];
    Add(memory, labels, Bytes(card.memory));
    Add(cores, labels, 100);
    Add(granted_memory, labels, Bytes(use.memory));
    Add(granted_cores, labels, Percent(use.compute_units, card));
    Add(shared, labels, use.slices);
    Add(ratio, labels, Ratio(use.memory, card.memory));
  }
  std::vector<MetricFamily> families{memory, cores, granted_memory, granted_cores, shared, ratio};
  if (figures.names_pods) Append(families, HamiOfPods(figures));
  return families;
}

std::vector<MetricFamily> VolcanoMetrics(const Figures& figures) {
  auto memory = Family("volcano_vgpu_device_memory_limit", "MiB of the card", MetricType::Gauge);
  auto granted_memory = Family("volcano_vgpu_device_allocated_memory",
                               "MiB of the card that slices have", MetricType::Gauge);
  auto granted_cores =
      Family("volcano_vgpu_device_allocated_cores",
             "Compute units that slices have, in percent of the card", MetricType::Gauge);
  auto shared =
      Family("volcano_vgpu_device_shared_number", "As vdcu_card_slices", MetricType::Gauge);
  auto uses = UseByCard(figures.slices);
  for (const dcu::Device& card : figures.devices) {
    const MetricLabels labels{{"NodeName", figures.node}, {"devID", card.uuid}};
    const CardUse& use = uses[card.uuid];
    Add(memory, labels, static_cast<double>(card.memory.value));
    Add(granted_memory, labels, static_cast<double>(use.memory.value));
    Add(granted_cores, labels, Percent(use.compute_units, card));
    Add(shared, labels, use.slices);
  }
  std::vector<MetricFamily> families{memory, granted_memory, granted_cores, shared};
  if (figures.names_pods) Append(families, VolcanoOfPods(figures));
  return families;
}

}  // namespace vdcu::node
