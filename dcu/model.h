// What a card is by its PCI device id (vendor 1d94): its name, and its size where sysfs does not
// say.
#pragma once

#include <string>
#include <string_view>

#include "dcu/units.h"

namespace vdcu::dcu {

struct Model {
  std::string name;       // never empty: "DCU-<id>" for ids that are not known
  int compute_units = 0;  // 0: not known
  MiB memory;             // 0: not known
};

// "6210", also with "0x" and in capitals.
Model ModelOf(std::string_view pci_device_id);

}  // namespace vdcu::dcu
