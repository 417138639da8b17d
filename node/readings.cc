#include "node/readings.h"

#include "node/sysfs.h"

namespace vdcu::node {

namespace {

constexpr int kMostSensors = 8;
constexpr double kMilli = 1e-3;
constexpr double kMicro = 1e-6;

std::optional<int64_t> ReadNumber(const base::Root& root, const std::string& path) {
  const auto text = ReadText(root, path);
  return text ? ParseNumber(*text) : std::nullopt;
}

// As a label's value: what is not a plain word is not taken over.
std::string SensorName(const base::Root& root, const std::string& sensor) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyz0123456789_-";
  constexpr size_t kLongest = 32;
  const std::string label = ReadText(root, sensor + "_label").value_or("");
  const bool plain = !label.empty() && label.size() <= kLongest &&
                     label.find_first_not_of(kPlain) == std::string::npos;
  return plain ? label : sensor.substr(sensor.rfind('/') + 1);
}

// The first folder below hwmon/, which has a number that changes; empty: there is none.
std::string MonitorOf(const base::Root& root, const std::string& pci) {
  const auto names = root.List(pci + "/hwmon");
  if (!names || names->empty()) return "";
  return pci + "/hwmon/" + names->front();
}

void ReadMonitor(const base::Root& root, const std::string& monitor, Readings& readings) {
  for (int i = 1; i <= kMostSensors; ++i) {
    const std::string sensor = monitor + "/temp" + std::to_string(i);
    const auto value = ReadNumber(root, sensor + "_input");
    if (value) readings.celsius[SensorName(root, sensor)] = static_cast<double>(*value) * kMilli;
  }
  for (const char* name : {"/power1_average", "/power1_input"}) {
    const auto value = ReadNumber(root, monitor + name);
    if (value && !readings.watts) readings.watts = static_cast<double>(*value) * kMicro;
  }
}

}  // namespace

Readings ReadCard(const base::Root& root, const std::string& pci_bus_id) {
  const std::string pci = "/sys/bus/pci/devices/" + pci_bus_id;
  Readings readings;
  if (const std::string monitor = MonitorOf(root, pci); !monitor.empty()) {
    ReadMonitor(root, monitor, readings);
  }
  const auto percent = ReadNumber(root, pci + "/gpu_busy_percent");
  if (percent && *percent >= 0 && *percent <= 100) {
    readings.busy = static_cast<double>(*percent) / 100.0;
  }
  const auto used = ReadNumber(root, pci + "/mem_info_vram_used");
  if (used && *used >= 0) readings.memory_used = *used;
  return readings;
}

std::map<std::string, Readings> ReadCards(const base::Root& root,
                                          const std::vector<dcu::Device>& cards,
                                          const base::Clock& clock) {
  const base::TimePoint begun = clock.Now();
  std::map<std::string, Readings> readings;
  for (const dcu::Device& card : cards) {
    if (clock.Now() - begun > kLongestReading) break;
    readings[card.uuid] = ReadCard(root, card.pci_bus_id);
  }
  return readings;
}

}  // namespace vdcu::node
