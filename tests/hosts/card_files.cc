#include "tests/hosts/card_files.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "dcu/units.h"

namespace vdcu::hosts {

namespace {

namespace fs = std::filesystem;

// Of /dev/zero: a number of a graphics driver's would reach this system's own cards.
constexpr unsigned kHarmlessMajor = 1;
constexpr unsigned kHarmlessMinor = 5;
constexpr int kFirstRender = 128;

base::Status FromCode(const std::string& what, const std::error_code& code) {
  if (!code) return base::Ok();
  return base::Error{base::ErrorCode::kUnavailable, what + ": " + code.message()};
}

std::string TopologyFolder(const Card& card) {
  return "/sys/devices/virtual/kfd/kfd/topology/nodes/" + std::to_string(kCpuNodes + card.index);
}

std::string PciFolder(const Card& card) { return "/sys/devices/pci0000:00/" + card.pci_bus_id; }

std::string Properties(const Card& card) {
  constexpr int kSimdPerUnit = 4;
  const int vendor = card.foreign ? 0x1002 : 0x1d94;
  const std::string simds =
      card.garbage ? "many" : std::to_string(card.compute_units * kSimdPerUnit);
  return "cpu_cores_count 0\nsimd_count " + simds + "\nmem_banks_count 1\nsimd_per_cu " +
         std::to_string(kSimdPerUnit) + "\nvendor_id " + std::to_string(vendor) + "\ndevice_id " +
         std::to_string(std::stoi(card.device_id, nullptr, 16)) +
         (card.garbage ? "" : "\nlocation_id " + std::to_string(card.bus << 8)) +
         "\ndomain 0\ndrm_render_minor " + std::to_string(kFirstRender + card.drm_minor) +
         "\nnum_xcc 1\n";
}

base::Status WriteTopology(const base::Root& root, const Card& card) {
  const std::string folder = TopologyFolder(card);
  const std::string bank = "heap_type 1\nsize_in_bytes " +
                           std::to_string(card.memory_mib * dcu::kBytesPerMiB) +
                           "\nflags 0\nwidth 4096\nmem_clk_max 1800\n";
  // gpu_id last: a node without it is not complete.
  RETURN_IF_ERROR(WriteIfOther(root, folder + "/name", "gfx928\n"));
  RETURN_IF_ERROR(WriteIfOther(root, folder + "/mem_banks/0/properties", bank));
  RETURN_IF_ERROR(WriteIfOther(root, folder + "/properties", Properties(card)));
  return WriteIfOther(root, folder + "/gpu_id", std::to_string(40000 + card.bus) + "\n");
}

base::Status WriteDevices(const base::Root& root, const Card& card) {
  const std::string card_node = "/dev/dri/card" + std::to_string(card.drm_minor);
  const std::string render = "/dev/dri/renderD" + std::to_string(kFirstRender + card.drm_minor);
  if (card.vanished || card.sickness == Sickness::kDri) {
    RETURN_IF_ERROR(root.RemoveFile(card_node));
    return root.RemoveFile(render);
  }
  RETURN_IF_ERROR(MakeDevice(root, card_node, card.real_devices));
  return MakeDevice(root, render, card.real_devices);
}

base::Status WritePci(const base::Root& root, const Card& card) {
  const std::string folder = PciFolder(card);
  const std::string drm = folder + "/drm/";
  const std::string memory = std::to_string(card.memory_mib * dcu::kBytesPerMiB) + "\n";
  char unique_id[17];
  std::snprintf(unique_id, sizeof unique_id, "%016zx", std::hash<std::string>()(card.serial));
  const std::pair<std::string, std::string> files[] = {
      {"/vendor", card.foreign ? "0x1002\n" : "0x1d94\n"},
      {"/device", "0x" + card.device_id + "\n"},
      {"/class", "0x038000\n"},
      {"/numa_node", std::to_string(card.numa_node) + "\n"},
      {"/unique_id", std::string(unique_id) + "\n"},
      {"/serial_number", card.serial + "\n"},
      {"/mem_info_vram_total", memory},
      {"/mem_info_vram_used", "0\n"},
      {"/gpu_busy_percent", "0\n"},
      {"/hwmon/hwmon3/temp1_label", "edge\n"},
      {"/hwmon/hwmon3/temp1_input", "41000\n"},
      {"/hwmon/hwmon3/power1_average", "62000000\n"},
      {"/mig_mode", card.mig ? "1\n" : "0\n"},
      {"/ras/gfx_err_count", "ue: 0\nce: 3\n"},
      {"/ras/umc_err_count", card.sickness == Sickness::kRas ? "ue: 2\nce: 0\n" : "ue: 0\nce: 0\n"},
  };
  for (const auto& [name, content] : files) {
    RETURN_IF_ERROR(WriteIfOther(root, folder + name, content));
  }
  RETURN_IF_ERROR(MakeFolders(root, drm + "card" + std::to_string(card.drm_minor)));
  RETURN_IF_ERROR(
      MakeFolders(root, drm + "renderD" + std::to_string(kFirstRender + card.drm_minor)));
  if (card.sickness == Sickness::kDriver) return root.RemoveFile(folder + "/driver");
  return Link(root, folder + "/driver", "../../../bus/pci/drivers/hydcu");
}

}  // namespace

base::Status WriteIfOther(const base::Root& root, const std::string& path,
                          const std::string& content) {
  const auto there = root.Read(path);
  if (there && *there == content) return base::Ok();
  const size_t slash = path.rfind('/');
  RETURN_IF_ERROR(MakeFolders(root, path.substr(0, slash)));
  // Without fsync, which a host of many files would spend seconds on.
  const std::string full = root.Resolve(path);
  const std::string temporary = root.Resolve(path.substr(0, slash) + "/." + path.substr(slash + 1));
  std::ofstream file(temporary, std::ios::binary | std::ios::trunc);
  file << content;
  file.close();
  std::error_code code;
  if (file) fs::rename(temporary, full, code);
  if (!file) code = std::make_error_code(std::errc::io_error);
  return FromCode("write " + full, code);
}

base::Status MakeFolders(const base::Root& root, const std::string& path) {
  std::error_code code;
  fs::create_directories(root.Resolve(path), code);
  return FromCode("create folder " + root.Resolve(path), code);
}

base::Status Link(const base::Root& root, const std::string& path, const std::string& target) {
  RETURN_IF_ERROR(MakeFolders(root, path.substr(0, path.rfind('/'))));
  std::error_code code;
  fs::create_symlink(target, root.Resolve(path), code);
  if (code == std::errc::file_exists) code.clear();
  return FromCode("link " + root.Resolve(path), code);
}

base::Status RemoveAll(const base::Root& root, const std::string& path) {
  std::error_code code;
  fs::remove_all(root.Resolve(path), code);
  return FromCode("remove " + root.Resolve(path), code);
}

base::Status MakeDevice(const base::Root& root, const std::string& path, bool real) {
  const std::string full = root.Resolve(path);
  if (root.Exists(path)) return base::Ok();
  RETURN_IF_ERROR(MakeFolders(root, path.substr(0, path.rfind('/'))));
  if (!real) return root.WriteAtomic(path, "");
  // The umask may have taken away bits of the mode that mknod was given.
  const bool made = mknod(full.c_str(), S_IFCHR, makedev(kHarmlessMajor, kHarmlessMinor)) == 0 &&
                    chmod(full.c_str(), 0666) == 0;
  if (made) return base::Ok();
  return FromCode("make real device " + full, {errno, std::generic_category()});
}

base::Status WriteCardFiles(const base::Root& root, const Card& card) {
  const std::string pci_link = "/sys/bus/pci/devices/" + card.pci_bus_id;
  if (card.vanished) {
    RETURN_IF_ERROR(RemoveAll(root, TopologyFolder(card)));
    RETURN_IF_ERROR(root.RemoveFile(pci_link));
    RETURN_IF_ERROR(RemoveAll(root, PciFolder(card)));
    return WriteDevices(root, card);
  }
  RETURN_IF_ERROR(WriteDevices(root, card));
  RETURN_IF_ERROR(WritePci(root, card));
  RETURN_IF_ERROR(Link(root, pci_link, "../../../devices/pci0000:00/" + card.pci_bus_id));
  return WriteTopology(root, card);
}

}  // namespace vdcu::hosts
