#include "crds/assignment_json.h"

namespace vdcu::crds {
namespace {

dcu::CuMask ReadMasks(Fields& fields) {
  const std::vector<std::string> lines = fields.Strings("cuMasks");
  if (lines.size() == 2) {
    if (const auto units = dcu::CuMask::Parse(lines[0], lines[1])) return *units;
  }
  fields.Fail("cuMasks", "must be two masks such as \"0x00000000000001ff\"");
  return {};
}

}  // namespace

dcu::Assignment ReadAssignment(Fields& fields) {
  dcu::Assignment assignment;
  assignment.device = fields.Required("device");
  assignment.pci_bus_id = fields.Required("pciBusID");
  assignment.compute_units = fields.RequiredInt("computeUnits", 1, dcu::kMaxComputeUnits);
  assignment.units = ReadMasks(fields);
  assignment.memory = fields.RequiredMemory("memory");
  assignment.pipe = fields.Int("pipe", 0, dcu::kMaxSlicesPerCard - 1);
  assignment.vdev = fields.Int("vdev", 0, kMaxVdev);
  assignment.share = fields.Sharing("share");
  if (assignment.units.Count() != assignment.compute_units) {
    fields.Fail("computeUnits", "must be the number of units in cuMasks, " +
                                    std::to_string(assignment.units.Count()));
  }
  if (assignment.memory.value < 1) fields.Fail("memory", "must be at least 1Mi");
  if (assignment.pipe.has_value() != assignment.vdev.has_value()) {
    fields.Fail("pipe", "pipe and vdev must be there both (a slice) or neither (a whole card)");
  }
  return assignment;
}

nlohmann::json ToJson(const dcu::Assignment& assignment) {
  nlohmann::json json{{"device", assignment.device},
                      {"pciBusID", assignment.pci_bus_id},
                      {"computeUnits", assignment.compute_units},
                      {"cuMasks", assignment.units.Lines()},
                      {"memory", MemoryText(assignment.memory)}};
  if (!assignment.node.empty()) json["node"] = assignment.node;
  if (assignment.pipe) json["pipe"] = *assignment.pipe;
  if (assignment.vdev) json["vdev"] = *assignment.vdev;
  if (assignment.share != dcu::Sharing::kCluster) json["share"] = ToString(assignment.share);
  return json;
}

}  // namespace vdcu::crds
