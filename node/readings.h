// What a card's driver shows of it at this moment: figures for people. Nothing is decided by them.
//
// Promises: what the driver does not show, or shows as something else than a number, is absent;
// each file is read with a bound, and of a card eight sensors at most.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "dcu/device.h"

namespace vdcu::node {

struct Readings {
  std::map<std::string, double> celsius = {};  // by sensor: "edge", "junction", or "temp1"
  std::optional<double> watts = {};
  std::optional<double> busy = {};          // 0 to 1
  std::optional<int64_t> memory_used = {};  // bytes

  friend bool operator==(const Readings&, const Readings&) = default;
};

Readings ReadCard(const base::Root& root, const std::string& pci_bus_id);

// By the card's uuid. A driver that hangs answers each read late: those cards are left out that
// come after kLongestReading.
inline constexpr base::Duration kLongestReading{50};
std::map<std::string, Readings> ReadCards(const base::Root& root,
                                          const std::vector<dcu::Device>& cards,
                                          const base::Clock& clock);

}  // namespace vdcu::node
