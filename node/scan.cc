#include "node/scan.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "dcu/model.h"
#include "node/sysfs.h"

namespace vdcu::node {

namespace {

constexpr int64_t kVendor = 0x1d94;
constexpr size_t kMostNodes = 256;
// A host shows the topology below one of them, mostly both.
constexpr const char* kTopologies[] = {"/sys/class/kfd/kfd/topology/nodes",
                                       "/sys/devices/virtual/kfd/kfd/topology/nodes"};
constexpr const char* kDriverModules[] = {"hydcu", "hycu", "amdgpu"};

std::string Hex(const char* format, int64_t number) {
  char text[32];
  std::snprintf(text, sizeof text, format, static_cast<unsigned long long>(number));
  return text;
}

// location_id is bus << 8 | device << 3 | function.
std::string BusId(int64_t domain, int64_t location) {
  char text[32];
  std::snprintf(text, sizeof text, "%04x:%02x:%02x.%x", static_cast<unsigned>(domain),
                static_cast<unsigned>(location >> 8 & 0xff),
                static_cast<unsigned>(location >> 3 & 0x1f), static_cast<unsigned>(location & 7));
  return text;
}

// Of a name that can stand in an object: serial numbers that are all zeros are left out, as boards
// without one show that.
bool IsIdentity(std::string_view text) {
  constexpr std::string_view kAllowed =
      "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_.";
  return !text.empty() && text.size() <= 64 &&
         text.find_first_not_of(kAllowed) == std::string_view::npos &&
         text.find_first_not_of("0.-_") != std::string_view::npos;
}

std::string UuidOf(const base::Root& root, const std::string& pci, const Properties& properties,
                   const std::string& bus_id) {
  const auto serial = ReadText(root, pci + "/serial_number");
  if (serial && IsIdentity(*serial)) return "DCU-" + *serial;
  const auto unique = ReadText(root, pci + "/unique_id");
  if (unique && IsIdentity(*unique)) return "DCU-" + *unique;
  if (const int64_t id = properties.NumberOr("unique_id", 0); id != 0) {
    return "DCU-" + Hex("%016llx", id);
  }
  std::string uuid = "DCU-" + bus_id;
  std::replace_if(uuid.begin(), uuid.end(), [](char c) { return c == ':' || c == '.'; }, '-');
  return uuid;
}

base::Result<int> ComputeUnits(const Properties& properties, const dcu::Model& model) {
  ASSIGN_OR_RETURN(const int64_t simds, properties.Number("simd_count"));
  int64_t units = model.compute_units;
  if (simds > 0) {
    ASSIGN_OR_RETURN(const int64_t per_unit, properties.Number("simd_per_cu"));
    if (per_unit == 0) return base::Corrupt("simd_per_cu is 0");
    units = simds / per_unit;
  }
  if (units < 1 || units > dcu::kMaxComputeUnits) {
    return base::Corrupt(std::to_string(units) + " compute units: want 1 to 128");
  }
  return static_cast<int>(units);
}

base::Result<dcu::MiB> Memory(const base::Root& root, const std::string& folder,
                              const std::string& pci, const dcu::Model& model) {
  int64_t bytes = 0;
  const auto banks = root.List(folder + "/mem_banks");
  for (const std::string& bank : banks.value_or(std::vector<std::string>())) {
    const auto properties = Properties::Read(root, folder + "/mem_banks/" + bank + "/properties");
    if (!properties) continue;
    const int64_t heap = properties->NumberOr("heap_type", 0);
    if (heap == 1 || heap == 2) bytes += properties->NumberOr("size_in_bytes", 0);
  }
  if (bytes == 0) {
    const auto total = ReadText(root, pci + "/mem_info_vram_total");
    if (total) bytes = ParseNumber(*total).value_or(0);
  }
  const dcu::MiB memory = bytes > 0 ? dcu::MiB{bytes / dcu::kBytesPerMiB} : model.memory;
  if (memory.value < 1) return base::Corrupt("no memory bank, mem_info_vram_total or known model");
  return memory;
}

// The number behind `prefix` of the first entry in the card's drm/ folder that has one.
int DrmMinor(const std::vector<std::string>& names, std::string_view prefix) {
  for (const std::string& name : names) {
    if (!name.starts_with(prefix)) continue;
    const auto number = ParseNumber(std::string_view(name).substr(prefix.size()));
    if (number && *number >= 0 && *number < 1 << 20) return static_cast<int>(*number);
  }
  return -1;
}

// The uncorrectable errors that the RAS counters show, as "<file>: <count>"; empty: none.
std::string UncorrectableErrors(const base::Root& root, const std::string& pci) {
  const auto names = root.List(pci + "/ras");
  for (const std::string& name : names.value_or(std::vector<std::string>())) {
    if (!name.ends_with("_err_count")) continue;
    const std::string content = ReadText(root, pci + "/ras/" + name).value_or("");
    const size_t at = content.find("ue:");
    if (at == std::string::npos) continue;
    const size_t first = content.find_first_not_of(' ', at + 3);
    if (first == std::string::npos) continue;
    const size_t end = content.find_first_not_of("0123456789", first);
    const std::string count = content.substr(first, end == std::string::npos ? end : end - first);
    if (ParseNumber(count).value_or(0) > 0) return name + " shows " + count;
  }
  return "";
}

void SetHealth(const base::Root& root, const std::string& pci, dcu::Device& device) {
  const std::string card = "/dev/dri/card" + std::to_string(device.drm_card_minor);
  const std::string render = "/dev/dri/renderD" + std::to_string(device.drm_render_minor);
  const auto unhealthy = [&device](std::string reason, std::string message) {
    device.healthy = false;
    device.reason = std::move(reason);
    device.message = std::move(message);
  };
  if (!root.Exists(pci + "/driver"))
    return unhealthy("DriverUnbound", "no driver is bound to " + pci);
  if (device.drm_card_minor < 0 || device.drm_render_minor < 0) {
    return unhealthy("DeviceNodesMissing", pci + "/drm has no card and renderD entry");
  }
  for (const std::string& node : {card, render}) {
    if (!root.Exists(node)) return unhealthy("DeviceNodesMissing", node + " does not exist");
  }
  if (const std::string errors = UncorrectableErrors(root, pci); !errors.empty()) {
    return unhealthy("UncorrectableErrors", pci + "/ras/" + errors + " uncorrectable errors");
  }
}

// Nothing: a CPU or another vendor's GPU.
base::Result<std::optional<dcu::Device>> ScanNode(const base::Root& root,
                                                  const std::string& folder) {
  const auto gpu_id = ReadText(root, folder + "/gpu_id");
  const auto id = gpu_id ? ParseNumber(*gpu_id) : std::nullopt;
  if (!id) return base::Corrupt("gpu_id cannot be read as a number");
  if (*id == 0) return std::optional<dcu::Device>();
  ASSIGN_OR_RETURN(const Properties properties, Properties::Read(root, folder + "/properties"));
  ASSIGN_OR_RETURN(const int64_t vendor, properties.Number("vendor_id"));
  if (vendor != kVendor) return std::optional<dcu::Device>();
  ASSIGN_OR_RETURN(const int64_t device_id, properties.Number("device_id"));
  ASSIGN_OR_RETURN(const int64_t location, properties.Number("location_id"));
  const int64_t domain = properties.NumberOr("domain", 0);
  if (location > 0xffff || domain > 0xffff) {
    return base::Corrupt("location_id " + std::to_string(location) + ", domain " +
                         std::to_string(domain) + ": want 65535 at most");
  }

  dcu::Device device;
  device.pci_device_id = Hex("%04llx", device_id & 0xffff);
  device.pci_bus_id = BusId(domain, location);
  const dcu::Model model = dcu::ModelOf(device.pci_device_id);
  device.model = model.name;
  const std::string pci = "/sys/bus/pci/devices/" + device.pci_bus_id;
  ASSIGN_OR_RETURN(device.compute_units, ComputeUnits(properties, model));
  ASSIGN_OR_RETURN(device.memory, Memory(root, folder, pci, model));
  device.uuid = UuidOf(root, pci, properties, device.pci_bus_id);
  const auto numa = ParseNumber(ReadText(root, pci + "/numa_node").value_or(""));
  device.numa_node = static_cast<int>(std::clamp<int64_t>(numa.value_or(-1), -1, 1 << 20));
  const auto drm = root.List(pci + "/drm").value_or(std::vector<std::string>());
  device.drm_card_minor = DrmMinor(drm, "card");
  device.drm_render_minor = DrmMinor(drm, "renderD");
  if (ReadText(root, pci + "/mig_mode") == "1") device.mode = dcu::Mode::kMig;
  SetHealth(root, pci, device);
  return std::optional<dcu::Device>(std::move(device));
}

void LeaveOutTwins(Scan& scan) {
  std::map<std::string, std::vector<std::string>> buses;
  for (const dcu::Device& device : scan.devices) buses[device.uuid].push_back(device.pci_bus_id);
  for (const auto& [uuid, bus_ids] : buses) {
    if (bus_ids.size() < 2) continue;
    std::string list;
    for (const std::string& bus : bus_ids) list += (list.empty() ? "" : ", ") + bus;
    scan.problems.push_back("cards " + list + " all call themselves " + uuid +
                            ": want one serial number a card");
    std::erase_if(scan.devices, [&](const dcu::Device& device) { return device.uuid == uuid; });
  }
}

// The topology's node folders in numeric order, so that indexes are those of the driver.
std::vector<std::string> NodeFolders(const base::Root& root, Scan& scan) {
  std::vector<std::pair<int64_t, std::string>> nodes;
  for (const char* topology : kTopologies) {
    const auto names = root.List(topology);
    for (const std::string& name : names.value_or(std::vector<std::string>())) {
      const auto number = ParseNumber(name);
      if (number) nodes.emplace_back(*number, std::string(topology) + "/" + name);
    }
    if (!nodes.empty()) break;
  }
  if (nodes.empty()) {
    scan.problems.push_back(std::string("no KFD topology at ") + kTopologies[0] +
                            ": want the DCU driver loaded");
  }
  if (nodes.size() > kMostNodes) {
    scan.problems.push_back(std::to_string(nodes.size()) + " KFD nodes: want 256 at most");
    nodes.clear();
  }
  std::sort(nodes.begin(), nodes.end());
  std::vector<std::string> folders;
  for (auto& [number, folder] : nodes) folders.push_back(std::move(folder));
  return folders;
}

}  // namespace

Scan ScanHost(const base::Root& root) {
  Scan scan;
  for (const std::string& folder : NodeFolders(root, scan)) {
    auto device = ScanNode(root, folder);
    if (!device) {
      scan.problems.push_back("KFD node " + folder + ": " + device.error().message);
    } else if (*device) {
      scan.devices.push_back(std::move(**device));
    }
  }
  LeaveOutTwins(scan);
  for (size_t i = 0; i < scan.devices.size(); ++i) scan.devices[i].index = static_cast<int>(i);
  for (const char* module : kDriverModules) {
    const auto version = ReadText(root, std::string("/sys/module/") + module + "/version");
    if (version && scan.driver_version.empty()) scan.driver_version = version->substr(0, 64);
  }
  return scan;
}

}  // namespace vdcu::node
