// The vdev file that the DCU driver's library reads: nine lines in a fixed order. Format:
// docs/vdev-file.md.
#pragma once

#include <string>
#include <string_view>

#include "dcu/assignment.h"

namespace vdcu::dcu {

struct VdevFile {
  std::string pci_bus_id;  // "0000:33:00.0"
  CuMask units;
  int cu_count = 0;
  MiB memory;
  int device_id = 0;  // always 0 as seen inside a container
  int vdev_id = 0;    // unique on the node
  int pipe_id = 0;    // 0..3, unique on the card
  bool enable = true;

  friend bool operator==(const VdevFile&, const VdevFile&) = default;
};

// The file of a slice on the card that is at `pci_bus_id` now. Needs a slice, not a whole card.
VdevFile MakeVdevFile(const Assignment& assignment, std::string_view pci_bus_id);

std::string Render(const VdevFile& file);

}  // namespace vdcu::dcu
