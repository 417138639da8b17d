#include "dcu/vdev.h"

#include "base/check.h"

namespace vdcu::dcu {

VdevFile MakeVdevFile(const Assignment& assignment, std::string_view pci_bus_id) {
  CHECK(assignment.vdev && assignment.pipe, "a whole card has no vdev file");
  VdevFile file;
  file.pci_bus_id = pci_bus_id;
  file.units = assignment.units;
  file.cu_count = assignment.units.Count();
  file.memory = assignment.memory;
  file.vdev_id = *assignment.vdev;
  file.pipe_id = *assignment.pipe;
  return file;
}

std::string Render(const VdevFile& file) {
  const auto [low, high] = file.units.Lines();
  return "PciBusId: " + file.pci_bus_id + "\ncu_mask: " + low + "\ncu_mask: " + high +
         "\ncu_count: " + std::to_string(file.cu_count) +
         "\nmem: " + std::to_string(file.memory.value) +
         " MiB\ndevice_id: " + std::to_string(file.device_id) +
         "\nvdev_id: " + std::to_string(file.vdev_id) +
         "\npipe_id: " + std::to_string(file.pipe_id) +
         "\nenable: " + std::to_string(file.enable ? 1 : 0) + "\n";
}

}  // namespace vdcu::dcu
