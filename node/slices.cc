#include "node/slices.h"

#include <algorithm>

namespace vdcu::node {

namespace {

std::string Text(dcu::MiB memory) { return std::to_string(memory.value) + " MiB"; }

std::optional<Refusal> AdmitOnCard(const dcu::Assignment& wanted, const dcu::Device& device) {
  if (device.mode == dcu::Mode::kMig) {
    return Refusal{"MigMode", "card " + device.uuid + " is in MIG mode, which excludes slices"};
  }
  if (wanted.units.empty() || wanted.units.Count() != wanted.compute_units) {
    return Refusal{"MaskCountMismatch", "cuMasks name " + std::to_string(wanted.units.Count()) +
                                            " units, computeUnits says " +
                                            std::to_string(wanted.compute_units)};
  }
  if (!dcu::CuMask::FirstUnits(device.compute_units).Contains(wanted.units)) {
    return Refusal{"UnitsOutOfRange", "cuMasks name units past the " +
                                          std::to_string(device.compute_units) + " of card " +
                                          device.uuid};
  }
  if (wanted.memory > device.memory) {
    return Refusal{"MemoryExceedsCard", Text(wanted.memory) + " of card " + device.uuid +
                                            ", which has " + Text(device.memory)};
  }
  return std::nullopt;
}

std::optional<Refusal> AdmitBeside(const dcu::Assignment& wanted, const std::string& ns,
                                   const Slice& other) {
  const std::string whom = "VDCUPartition " + other.key() + " of this node";
  const bool same_card = wanted.device == other.assignment.device;
  if (same_card && (wanted.whole_card() || other.assignment.whole_card())) {
    return Refusal{"CardInUse", "card " + wanted.device + " cannot be shared with " + whom};
  }
  const dcu::Sharing share = dcu::Stricter(wanted.share, other.assignment.share);
  if (same_card && share == dcu::Sharing::kNamespace && ns != other.ns) {
    return Refusal{"OtherNamespace",
                   "card " + wanted.device + " cannot be shared with another namespace: " + whom};
  }
  if (same_card && wanted.units.Intersects(other.assignment.units)) {
    const int units = (wanted.units & other.assignment.units).Count();
    return Refusal{"UnitsOverlap", std::to_string(units) + " units of card " + wanted.device +
                                       " are held by " + whom};
  }
  if (same_card && wanted.pipe == other.assignment.pipe) {
    return Refusal{"PipeTaken", "pipe " + std::to_string(wanted.pipe.value_or(0)) + " of card " +
                                    wanted.device + " is held by " + whom};
  }
  if (!wanted.whole_card() && wanted.vdev == other.assignment.vdev) {
    return Refusal{"VdevTaken", "vdev " + std::to_string(*wanted.vdev) + " is held by " + whom};
  }
  return std::nullopt;
}

std::optional<Refusal> AdmitSum(const dcu::Assignment& wanted, const dcu::Device& device,
                                int slices, dcu::MiB used) {
  if (slices >= dcu::kMaxSlicesPerCard) {
    return Refusal{"TooManySlices", "card " + device.uuid + " has " + std::to_string(slices) +
                                        " slices, the most that a card can have"};
  }
  if (used + wanted.memory > device.memory) {
    return Refusal{"MemoryExceedsCard", Text(wanted.memory) + " beside the " + Text(used) +
                                            " held of card " + device.uuid + ", which has " +
                                            Text(device.memory)};
  }
  return std::nullopt;
}

}  // namespace

std::optional<Refusal> Admit(const Slices& held, const std::string& uid, const std::string& ns,
                             const dcu::Assignment& assignment,
                             const std::vector<dcu::Device>& devices) {
  const dcu::Device* device = FindDevice(devices, assignment.device);
  if (device == nullptr) {
    return Refusal{"UnknownDevice", "this node has no card " + assignment.device};
  }
  if (auto refusal = AdmitOnCard(assignment, *device)) return refusal;
  int slices = 0;
  dcu::MiB used;
  for (const auto& [other_uid, other] : held) {
    if (other_uid == uid) continue;
    if (auto refusal = AdmitBeside(assignment, ns, other)) return refusal;
    if (other.assignment.device != assignment.device) continue;
    ++slices;
    used += other.assignment.memory;
  }
  return AdmitSum(assignment, *device, slices, used);
}

const dcu::Device* FindDevice(const std::vector<dcu::Device>& devices, std::string_view uuid) {
  const auto found = std::find_if(devices.begin(), devices.end(),
                                  [&](const dcu::Device& device) { return device.uuid == uuid; });
  return found == devices.end() ? nullptr : &*found;
}

}  // namespace vdcu::node
