// Objects as the tests of this folder need them.
#pragma once

#include <string>

#include "crds/keys.h"
#include "crds/vdcupartition.h"
#include "dcu/device.h"
#include "node/node_pod.h"

namespace vdcu::node {

inline dcu::Device MakeDevice(const std::string& uuid) {
  dcu::Device device;
  device.uuid = uuid;
  device.model = "Z100L";
  device.pci_device_id = "55b7";
  device.pci_bus_id = "0000:33:00.0";
  device.compute_units = 60;
  device.memory = {32768};
  return device;
}

inline dcu::Device MakeSick(dcu::Device device) {
  device.healthy = false;
  device.reason = "DriverUnbound";
  device.message = "it is";
  return device;
}

// Of node "n", on card DCU-0, with units 10 * slot to 10 * slot + 8.
inline dcu::Assignment MakeAssignment(int slot) {
  dcu::Assignment assignment;
  assignment.node = "n";
  assignment.device = "DCU-0";
  assignment.pci_bus_id = "0000:33:00.0";
  assignment.units = dcu::CuMask(uint64_t{0x1ff} << (10 * slot), 0);
  assignment.compute_units = 9;
  assignment.memory = {2000};
  assignment.pipe = slot;
  assignment.vdev = 4 + slot;
  return assignment;
}

inline dcu::Assignment MakeWholeCard() {
  dcu::Assignment assignment = MakeAssignment(0);
  assignment.units = dcu::CuMask::FirstUnits(60);
  assignment.compute_units = 60;
  assignment.memory = {32768};
  assignment.pipe.reset();
  assignment.vdev.reset();
  return assignment;
}

inline crds::VdcuPartition MakePartition(const std::string& name, dcu::Assignment assignment) {
  crds::VdcuPartition partition;
  partition.meta.ns = "team";
  partition.meta.name = name;
  partition.meta.uid = "uid-" + name;
  partition.meta.resource_version = "7";
  partition.meta.generation = 2;
  partition.meta.creation_timestamp = "2026-01-02T03:04:05Z";
  partition.meta.finalizers = {"other/one", std::string(crds::kFinalizer)};
  partition.spec.assignment = std::move(assignment);
  return partition;
}

inline crds::VdcuPartition Deleting(crds::VdcuPartition partition) {
  partition.meta.deletion_timestamp = "2026-01-02T04:00:00Z";
  return partition;
}

// As one of which nothing can be read.
inline crds::VdcuPartition Unread(crds::VdcuPartition partition, const std::string& why) {
  partition.unread = crds::Unread{.why = why, .node = "n"};
  partition.spec = {};
  return partition;
}

inline NodePod MakePod(const std::string& name, const std::string& partition = "") {
  NodePod pod;
  pod.meta.ns = "team";
  pod.meta.name = name;
  pod.meta.uid = "uid-" + name;
  pod.meta.creation_timestamp = "2026-01-02T03:04:05Z";
  pod.node_name = "n";
  pod.phase = "Running";
  pod.partition = partition;
  pod.container = "main";
  return pod;
}

inline crds::PodRef RefOf(const NodePod& pod) {
  return {.name = pod.meta.name, .uid = pod.meta.uid, .container = pod.container};
}

}  // namespace vdcu::node
