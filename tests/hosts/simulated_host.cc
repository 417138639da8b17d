#include "tests/hosts/simulated_host.h"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>

#include "dcu/model.h"
#include "tests/hosts/card_files.h"

namespace vdcu::hosts {

// Found by argument-dependent lookup, so not in the unnamed namespace.
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Card, index, serial, pci_bus_id, bus, device_id, compute_units,
                                   memory_mib, drm_minor, numa_node, real_devices, sickness,
                                   vanished, mig, foreign, garbage)

namespace {

constexpr char kStateFile[] = "/.simulated-host.json";
constexpr int kMostCards = 32;
constexpr int kBuses = 253;  // shares no factor with the distance of two cards

// The models that a host may be asked for, by their PCI device id.
constexpr std::string_view kDeviceIds[] = {"54b7", "55b7", "6210", "6211", "6212", "62b7", "6370"};

base::Result<std::string> DeviceIdOf(const std::string& model) {
  std::string names;
  for (const std::string_view id : kDeviceIds) {
    const std::string name = dcu::ModelOf(id).name;
    if (name == model) return std::string(id);
    names += (names.empty() ? "" : ", ") + name;
  }
  return base::Invalid("model \"" + model + "\": want one of " + names);
}

base::Status CheckOptions(const HostOptions& options, int units, int64_t memory_mib) {
  if (options.cards < 1 || options.cards > kMostCards) {
    return base::Invalid("cards " + std::to_string(options.cards) + ": want 1 to 32");
  }
  if (units < 1 || units > dcu::kMaxComputeUnits) {
    return base::Invalid("compute units " + std::to_string(units) + " of " + options.model +
                         ": want 1 to 128, the model's if it is known");
  }
  if (memory_mib < 1) {
    return base::Invalid("memory " + std::to_string(memory_mib) + " MiB of " + options.model +
                         ": want 1 or more, the model's if it is known");
  }
  const bool plain = std::all_of(options.serial_prefix.begin(), options.serial_prefix.end(),
                                 [](unsigned char c) { return std::isalnum(c) || c == '-'; });
  if (options.serial_prefix.empty() || !plain) {
    return base::Invalid("serial prefix \"" + options.serial_prefix +
                         "\": want letters, digits and -");
  }
  return base::Ok();
}

// Stable across builds, unlike std::hash's promise.
unsigned Fnv(std::string_view text) {
  unsigned hash = 2166136261u;
  for (const unsigned char c : text) hash = (hash ^ c) * 16777619u;
  return hash;
}

Card MakeCard(const HostOptions& options, int index) {
  char text[32];
  Card card;
  card.index = index;
  std::snprintf(text, sizeof text, "-%02d", index);
  card.serial = options.serial_prefix + text;
  card.bus = 3 + (static_cast<int>(Fnv(options.serial_prefix) % 100) + 7 * index) % kBuses;
  std::snprintf(text, sizeof text, "0000:%02x:00.0", static_cast<unsigned>(card.bus));
  card.pci_bus_id = text;
  card.drm_minor = options.cards - index;  // descending, above the other vendor's 0
  card.numa_node = index * kCpuNodes / options.cards;
  card.real_devices = options.real_devices;
  return card;
}

}  // namespace

base::Result<SimulatedHost> SimulatedHost::Create(const std::string& folder,
                                                  const HostOptions& options) {
  ASSIGN_OR_RETURN(const std::string device_id, DeviceIdOf(options.model));
  const dcu::Model model = dcu::ModelOf(device_id);
  const int units = options.compute_units > 0 ? options.compute_units : model.compute_units;
  const int64_t memory = options.memory_mib > 0 ? options.memory_mib : model.memory.value;
  RETURN_IF_ERROR(CheckOptions(options, units, memory));
  SimulatedHost host{base::Root(folder)};
  if (host.root_.Exists(kStateFile)) {
    return base::Error{base::ErrorCode::kAlreadyExists, folder + " is a simulated host already"};
  }
  for (int index = 0; index < options.cards; ++index) {
    Card card = MakeCard(options, index);
    card.device_id = device_id;
    card.compute_units = units;
    card.memory_mib = memory;
    host.cards_.push_back(std::move(card));
  }
  RETURN_IF_ERROR(host.WriteHost());
  RETURN_IF_ERROR(host.Save());
  return host;
}

base::Result<SimulatedHost> SimulatedHost::Open(const std::string& folder) {
  SimulatedHost host{base::Root(folder)};
  ASSIGN_OR_RETURN(const std::string text, host.root_.Read(kStateFile));
  try {
    host.cards_ = nlohmann::json::parse(text).get<std::vector<Card>>();
  } catch (const nlohmann::json::exception& error) {
    return base::Corrupt(host.root_.Resolve(kStateFile) + ": " + error.what());
  }
  return host;
}

base::Status SimulatedHost::WriteHost() const {
  const std::string nodes = "/sys/devices/virtual/kfd/kfd/topology/nodes/";
  for (int node = 0; node < kCpuNodes; ++node) {
    const std::string folder = nodes + std::to_string(node);
    RETURN_IF_ERROR(WriteIfOther(root_, folder + "/gpu_id", "0\n"));
    RETURN_IF_ERROR(WriteIfOther(root_, folder + "/name", "\n"));
    RETURN_IF_ERROR(WriteIfOther(root_, folder + "/properties",
                                 "cpu_cores_count 32\nsimd_count 0\nvendor_id 0\ndevice_id 0\n"));
    RETURN_IF_ERROR(WriteIfOther(root_, folder + "/mem_banks/0/properties",
                                 "heap_type 0\nsize_in_bytes 270000000000\n"));
  }
  RETURN_IF_ERROR(Link(root_, "/sys/class/kfd/kfd", "../../devices/virtual/kfd/kfd"));
  RETURN_IF_ERROR(MakeFolders(root_, "/sys/bus/pci/drivers/hydcu"));
  RETURN_IF_ERROR(WriteIfOther(root_, "/sys/module/hydcu/version", "6.3.8\n"));
  for (const char* device : {"/dev/kfd", "/dev/mkfd", "/dev/dri/card0", "/dev/dri/renderD128"}) {
    RETURN_IF_ERROR(MakeDevice(root_, device, cards_.front().real_devices));
  }
  RETURN_IF_ERROR(MakeFolders(root_, "/etc"));
  RETURN_IF_ERROR(MakeFolders(root_, "/var/lib"));
  for (const Card& card : cards_) RETURN_IF_ERROR(WriteCardFiles(root_, card));
  return base::Ok();
}

base::Status SimulatedHost::Save() const {
  return WriteIfOther(root_, kStateFile, nlohmann::json(cards_).dump(1) + "\n");
}

template <class Change>
base::Status SimulatedHost::Alter(int card, Change change) {
  if (card < 0 || card >= static_cast<int>(cards_.size())) {
    return base::Invalid("card " + std::to_string(card) + ": want 0 to " +
                         std::to_string(cards_.size() - 1));
  }
  Card& altered = cards_[static_cast<size_t>(card)];
  change(altered);
  RETURN_IF_ERROR(WriteCardFiles(root_, altered));
  return Save();
}

base::Status SimulatedHost::MakeSick(int card, Sickness how) {
  return Alter(card, [how](Card& altered) { altered.sickness = how; });
}

base::Status SimulatedHost::Heal(int card) {
  return Alter(card, [](Card& altered) {
    altered.sickness = Sickness::kNone;
    altered.foreign = altered.garbage = false;
  });
}

base::Status SimulatedHost::SetVanished(int card, bool vanished) {
  return Alter(card, [vanished](Card& altered) { altered.vanished = vanished; });
}

base::Status SimulatedHost::SetMig(int card, bool mig) {
  return Alter(card, [mig](Card& altered) { altered.mig = mig; });
}

base::Status SimulatedHost::MakeForeign(int card) {
  return Alter(card, [](Card& altered) { altered.foreign = true; });
}

base::Status SimulatedHost::MakeGarbage(int card) {
  return Alter(card, [](Card& altered) { altered.garbage = true; });
}

}  // namespace vdcu::hosts
