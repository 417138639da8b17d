// The cards of a host as sysfs shows them, without any vendor library. Sources: docs/vdev-file.md.
//
// Promises: a card is identified by serial number, else unique id, else bus id, never by its index;
// what is not a DCU is passed over; a card whose numbers are missing or unreadable is named in
// `problems` and left out, the others count; two cards with one uuid are both left out; sysfs files
// are read with a bound and nothing is written. Never fails: a host without cards has none.
#pragma once

#include <string>
#include <vector>

#include "base/file.h"
#include "dcu/device.h"

namespace vdcu::node {

struct Scan {
  std::vector<dcu::Device> devices;   // by index; unhealthy_since is left empty
  std::vector<std::string> problems;  // a sentence each
  std::string driver_version;         // empty: not known

  friend bool operator==(const Scan&, const Scan&) = default;
};

Scan ScanHost(const base::Root& root);

}  // namespace vdcu::node
