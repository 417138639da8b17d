// The folders of a host with DCU cards, made from plain files: what the node daemon reads below
// --host-root (sysfs and /dev), and the ways in which a card can be ill.
//
// Promises: serial numbers and bus ids differ between hosts of different serial prefixes; DRM
// numbers are not in the order of the cards, and the first belongs to another vendor's GPU; a
// change touches only the files that differ, so a daemon may scan at any moment. What the daemon
// writes below the folder is left alone. Errors: kInvalid for wrong input, else as base::Root's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace vdcu::hosts {

struct HostOptions {
  int cards = 8;                       // 1..32
  std::string model = "K100_AI";       // a name of dcu/model.h that has an id
  int compute_units = 0;               // 0: the model's
  int64_t memory_mib = 0;              // 0: the model's
  std::string serial_prefix = "host";  // of the serial numbers: "<prefix>-00", ...
  // The device nodes are character devices that may be opened and do no harm, as containers need
  // them (only root can make them), else empty files.
  bool real_devices = false;
};

enum class Sickness { kNone, kDriver, kRas, kDri };
inline constexpr std::string_view kSicknessNames[] = {"none", "driver", "ras", "dri"};

// One card and what is wrong with it.
struct Card {
  int index = 0;
  std::string serial;
  std::string pci_bus_id;
  int bus = 0;
  std::string device_id;  // "6210"
  int compute_units = 0;
  int64_t memory_mib = 0;
  int drm_minor = 0;
  int numa_node = 0;
  bool real_devices = false;

  Sickness sickness = Sickness::kNone;
  bool vanished = false;
  bool mig = false;
  bool foreign = false;  // another vendor's
  bool garbage = false;  // numbers missing or unreadable
};

class SimulatedHost {
 public:
  // A host below `folder`, which is made if it does not exist. Needs no host to be there already.
  static base::Result<SimulatedHost> Create(const std::string& folder, const HostOptions& options);
  static base::Result<SimulatedHost> Open(const std::string& folder);

  const base::Root& root() const { return root_; }
  const std::vector<Card>& cards() const { return cards_; }
  std::string Uuid(int card) const { return "DCU-" + cards_[static_cast<size_t>(card)].serial; }

  base::Status MakeSick(int card, Sickness how);
  // No sickness, own vendor, right numbers.
  base::Status Heal(int card);
  base::Status SetVanished(int card, bool vanished);
  base::Status SetMig(int card, bool mig);
  base::Status MakeForeign(int card);
  base::Status MakeGarbage(int card);

 private:
  explicit SimulatedHost(base::Root root) : root_(std::move(root)) {}
  base::Status WriteHost() const;
  base::Status Save() const;
  // Changes one card's state and the files that follow from it.
  template <class Change>
  base::Status Alter(int card, Change change);

  base::Root root_;
  std::vector<Card> cards_;
};

}  // namespace vdcu::hosts
