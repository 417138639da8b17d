// Cards, slices and requests for the tests of dcu/, each in one line.
#pragma once

#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "dcu/allocator.h"

namespace vdcu::dcu {

inline Device Card60(const std::string& uuid) {
  Device device;
  device.uuid = uuid;
  device.model = "Z100L";
  device.pci_device_id = "55b7";
  device.pci_bus_id = "0000:33:00.0";
  device.compute_units = 60;
  device.memory = MiB{32768};
  return device;
}

inline Device Card120(const std::string& uuid) {
  Device device = Card60(uuid);
  device.model = "K100_AI";
  device.pci_device_id = "6210";
  device.compute_units = 120;
  device.memory = MiB{65520};
  return device;
}

inline Device Sick(Device device, const std::string& reason) {
  device.healthy = false;
  device.reason = reason;
  return device;
}

inline Device Mig(Device device) {
  device.mode = Mode::kMig;
  return device;
}

inline NodeOptions Ready() {
  NodeOptions options;
  options.ready = true;
  return options;
}

inline SliceRequest Units(int units, int64_t mib) {
  SliceRequest slice;
  slice.compute_units = units;
  slice.memory = MiB{mib};
  return slice;
}

inline SliceRequest Percent(int percent, int64_t mib) {
  SliceRequest slice;
  slice.percent = percent;
  slice.memory = MiB{mib};
  return slice;
}

inline SliceRequest Whole() { return {}; }

// Units [first, first + count) of a card, `mib` of its memory.
inline Assignment Held(const std::string& node, const std::string& device, int first, int count,
                       int64_t mib, int pipe, int vdev) {
  Assignment held;
  held.node = node;
  held.device = device;
  held.units = CuMask::FirstUnits(first + count) & ~CuMask::FirstUnits(first);
  held.compute_units = count;
  held.memory = MiB{mib};
  held.pipe = pipe;
  held.vdev = vdev;
  return held;
}

inline Assignment HeldWhole(const std::string& node, const std::string& device) {
  Assignment held;
  held.node = node;
  held.device = device;
  return held;
}

// VDCU_TEST_SEED replays a run.
inline unsigned TestSeed(unsigned otherwise) {
  const char* given = std::getenv("VDCU_TEST_SEED");
  const unsigned seed = given ? static_cast<unsigned>(std::strtoul(given, nullptr, 10)) : otherwise;
  std::cout << "VDCU_TEST_SEED=" << seed << "\n";
  return seed;
}

}  // namespace vdcu::dcu
