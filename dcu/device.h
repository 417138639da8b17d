// One DCU card as a node reports it.
#pragma once

#include <string>

#include "dcu/units.h"

namespace vdcu::dcu {

enum class Mode { kVdcu, kMig };  // vDCU and MIG exclude each other on a card

struct Device {
  int index = 0;     // as seen on the host now; never an identity
  std::string uuid;  // "DCU-" + serial number; unique in the cluster
  std::string model;
  std::string pci_device_id;  // "6210", four hex digits
  std::string pci_bus_id;     // "0000:33:00.0"
  int compute_units = 0;
  MiB memory;
  int numa_node = -1;         // -1: unknown
  int drm_card_minor = -1;    // /dev/dri/card<N>; -1: none
  int drm_render_minor = -1;  // /dev/dri/renderD<N>; -1: none
  Mode mode = Mode::kVdcu;
  bool healthy = true;
  std::string reason;           // CamelCase, why it is not healthy; empty when healthy
  std::string message;          // the same for people
  std::string unhealthy_since;  // RFC 3339; empty when healthy

  friend auto operator<=>(const Device&, const Device&) = default;
};

}  // namespace vdcu::dcu
