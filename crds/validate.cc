#include "crds/fields.h"
#include "crds/vdcupartition.h"

namespace vdcu::crds {
namespace {

constexpr size_t kMaxModels = 16;
constexpr size_t kMaxUuids = 64;
constexpr size_t kMaxNodeLabels = 16;

base::Error Wrong(std::string_view field, const std::string& value, const std::string& right) {
  return base::Invalid("spec." + std::string(field) + ": " + value + ": " + right);
}

base::Status InRange(std::string_view field, int64_t value, int64_t least, int64_t most) {
  if (value >= least && value <= most) return base::Ok();
  return Wrong(field, std::to_string(value),
               "must be from " + std::to_string(least) + " to " + std::to_string(most));
}

base::Status MemoryInRange(std::string_view field, dcu::MiB memory) {
  if (memory >= dcu::MiB{1} && memory <= kMaxMemory) return base::Ok();
  return Wrong(field, MemoryText(memory), "must be from 1Mi to " + MemoryText(kMaxMemory));
}

base::Status NotEmpty(std::string_view field, std::string_view value) {
  if (!value.empty()) return base::Ok();
  return Wrong(field, "\"\"", "must not be empty");
}

base::Status ListOfNames(std::string_view field, const std::vector<std::string>& names,
                         size_t most) {
  if (names.size() > most) {
    return Wrong(field, std::to_string(names.size()) + " items", "at most " + std::to_string(most));
  }
  for (const std::string& name : names) RETURN_IF_ERROR(NotEmpty(field, name));
  return base::Ok();
}

base::Status ValidateRequest(const dcu::SliceRequest& request) {
  if (request.compute_units && request.percent) {
    return Wrong("cores", std::to_string(*request.percent),
                 "set cores (percent) or computeUnits, not both");
  }
  if (request.compute_units) {
    RETURN_IF_ERROR(InRange("computeUnits", *request.compute_units, 1, dcu::kMaxComputeUnits));
  }
  if (request.percent) RETURN_IF_ERROR(InRange("cores", *request.percent, 1, 100));
  if (request.memory) RETURN_IF_ERROR(MemoryInRange("memory", *request.memory));
  const dcu::DeviceSelector& devices = *request.devices;
  RETURN_IF_ERROR(ListOfNames("devices.models", devices.models, kMaxModels));
  RETURN_IF_ERROR(ListOfNames("devices.excludeModels", devices.exclude_models, kMaxModels));
  RETURN_IF_ERROR(ListOfNames("devices.uuids", devices.uuids, kMaxUuids));
  return ListOfNames("devices.excludeUUIDs", devices.exclude_uuids, kMaxUuids);
}

base::Status ValidateAssignment(const dcu::Assignment& assignment) {
  RETURN_IF_ERROR(NotEmpty("assignment.node", assignment.node));
  RETURN_IF_ERROR(NotEmpty("assignment.device", assignment.device));
  RETURN_IF_ERROR(NotEmpty("assignment.pciBusID", assignment.pci_bus_id));
  RETURN_IF_ERROR(
      InRange("assignment.computeUnits", assignment.compute_units, 1, dcu::kMaxComputeUnits));
  if (assignment.units.Count() != assignment.compute_units) {
    return Wrong(
        "assignment.computeUnits", std::to_string(assignment.compute_units),
        "must be the number of units in cuMasks, " + std::to_string(assignment.units.Count()));
  }
  RETURN_IF_ERROR(MemoryInRange("assignment.memory", assignment.memory));
  if (assignment.pipe.has_value() != assignment.vdev.has_value()) {
    return Wrong("assignment.pipe", assignment.pipe ? std::to_string(*assignment.pipe) : "none",
                 "set pipe and vdev both (a slice), or neither (a whole card)");
  }
  if (assignment.pipe) {
    RETURN_IF_ERROR(InRange("assignment.pipe", *assignment.pipe, 0, dcu::kMaxSlicesPerCard - 1));
    RETURN_IF_ERROR(InRange("assignment.vdev", *assignment.vdev, 0, kMaxVdev));
  }
  return base::Ok();
}

}  // namespace

base::Status Validate(const PartitionSpec& spec) {
  RETURN_IF_ERROR(ValidateRequest(spec.request));
  if (spec.node_selector.size() > kMaxNodeLabels) {
    return Wrong("nodeSelector", std::to_string(spec.node_selector.size()) + " labels",
                 "at most " + std::to_string(kMaxNodeLabels));
  }
  for (const auto& [key, value] : spec.node_selector) {
    RETURN_IF_ERROR(NotEmpty("nodeSelector", key));
  }
  if (spec.pod_ref) {
    RETURN_IF_ERROR(NotEmpty("podRef.name", spec.pod_ref->name));
    RETURN_IF_ERROR(NotEmpty("podRef.uid", spec.pod_ref->uid));
    RETURN_IF_ERROR(NotEmpty("podRef.container", spec.pod_ref->container));
  }
  return spec.assignment ? ValidateAssignment(*spec.assignment) : base::Ok();
}

}  // namespace vdcu::crds
