#include "crds/dcunode.h"

#include <limits>

#include "crds/assignment_json.h"
#include "crds/fields.h"
#include "crds/keys.h"

namespace vdcu::crds {
namespace {

constexpr int kAnyInt = std::numeric_limits<int>::max();
constexpr char kKubelet[] = "Kubelet";  // of heartbeat
constexpr char kLease[] = "Lease";

DcuNodeSpec ReadNodeSpec(Fields& fields) {
  return {.unschedulable_devices = fields.Strings("unschedulableDevices"),
          .memory_reserve = fields.Memory("memoryReserve").value_or(dcu::MiB{}),
          .share_cards = fields.Sharing("shareCards")};
}

dcu::Mode ReadMode(Fields& fields) {
  const std::string mode = fields.Required("mode");
  if (mode != "vdcu" && mode != "mig") fields.Fail("mode", "must be vdcu or mig");
  return mode == "mig" ? dcu::Mode::kMig : dcu::Mode::kVdcu;
}

dcu::Device ReadDevice(Fields& fields) {
  return {.index = fields.RequiredInt("index", 0, kAnyInt),
          .uuid = fields.Required("uuid"),
          .model = fields.Required("model"),
          .pci_device_id = fields.Required("pciDeviceID"),
          .pci_bus_id = fields.Required("pciBusID"),
          .compute_units = fields.RequiredInt("computeUnits", 0, dcu::kMaxComputeUnits),
          .memory = fields.RequiredMemory("memory"),
          .numa_node = fields.Int("numaNode", 0, kAnyInt).value_or(-1),
          .drm_card_minor = fields.Int("drmCardMinor", 0, kAnyInt).value_or(-1),
          .drm_render_minor = fields.Int("drmRenderMinor", 0, kAnyInt).value_or(-1),
          .mode = ReadMode(fields),
          .healthy = fields.RequiredBool("healthy"),
          .reason = fields.String("reason"),
          .message = fields.String("message"),
          .unhealthy_since = fields.String("unhealthySince")};
}

HeldSlice ReadHeld(Fields& fields, const std::string& node) {
  HeldSlice held{.partition_uid = fields.RequiredUid("partitionUID"),
                 .assignment = {},
                 .pod_uid = fields.Uid("podUID"),
                 .since = fields.String("since"),
                 .ns = fields.String("namespace")};
  if (auto assignment = fields.Object("assignment")) {
    held.assignment = ReadAssignment(*assignment);
  } else {
    fields.Fail("assignment", "must be there");
  }
  held.assignment.node = node;
  return held;
}

Heartbeat ReadHeartbeat(Fields& fields) {
  const std::string heartbeat = fields.String("heartbeat");
  if (heartbeat == kKubelet) return Heartbeat::kKubelet;
  if (heartbeat == kLease) return Heartbeat::kLease;
  if (!heartbeat.empty()) fields.Fail("heartbeat", "must be Kubelet or Lease");
  return Heartbeat::kNone;
}

DcuNodeStatus ReadStatus(Fields& fields, const std::string& node) {
  DcuNodeStatus status;
  status.driver_version = fields.String("driverVersion");
  fields.ForEach("devices", [&](Fields& device) { status.devices.push_back(ReadDevice(device)); });
  fields.ForEach("held", [&](Fields& held) { status.held.push_back(ReadHeld(held, node)); });
  status.occupied_vdevs = fields.Ints("occupiedVdevs", 0, kMaxVdev);
  status.conditions = kclient::ParseConditions(fields.view());
  status.heartbeat = ReadHeartbeat(fields);
  status.serving_since = fields.String("servingSince");
  status.models = fields.String("models");
  status.vdcus = fields.String("vdcus");
  status.healthy = fields.String("healthy");
  return status;
}

base::Result<kclient::ObjectMeta> ReadNodeMeta(kclient::JsonView object) {
  return kclient::ParseMeta(object, {.labels = false, .annotation_prefixes = {}});
}

nlohmann::json HeldJson(HeldSlice held) {
  held.assignment.node.clear();
  nlohmann::json json{{"partitionUID", held.partition_uid},
                      {"assignment", ToJson(held.assignment)}};
  if (!held.pod_uid.empty()) json["podUID"] = held.pod_uid;
  if (!held.since.empty()) json["since"] = held.since;
  if (!held.ns.empty()) json["namespace"] = held.ns;
  return json;
}

}  // namespace

std::string_view DcuNode::ready_status() const {
  const kclient::Condition* ready = kclient::FindCondition(status.conditions, kReady);
  return ready != nullptr ? std::string_view(ready->status) : std::string_view();
}

base::Result<DcuNode> DcuNode::FromJson(kclient::JsonView object) {
  DcuNode node;
  ASSIGN_OR_RETURN(node.meta, ReadNodeMeta(object));
  base::Status read;
  Fields root(object, "", read);
  if (auto spec = root.Object("spec")) node.spec = ReadNodeSpec(*spec);
  if (auto status = root.Object("status")) node.status = ReadStatus(*status, node.meta.name);
  if (!read) return WithContext(read.error(), "DCUNode " + node.meta.name);
  return node;
}

base::Result<DcuNode> DcuNode::Unreadable(kclient::JsonView object) {
  DcuNode node;
  ASSIGN_OR_RETURN(node.meta, ReadNodeMeta(object));
  base::Status spec_read;
  Fields root(object, "", spec_read);
  if (auto spec = root.Object("spec")) node.spec = ReadNodeSpec(*spec);
  if (!spec_read) node.spec_unread = spec_read.error().message;
  base::Status status_read;
  Fields rest(object, "", status_read);
  if (auto status = rest.Object("status")) node.status = ReadStatus(*status, node.meta.name);
  if (!status_read) node.status = {};
  return node;
}

nlohmann::json ToJson(const DcuNodeStatus& status) {
  nlohmann::json json{{"driverVersion", status.driver_version},
                      {"deviceCount", status.devices.size()},
                      {"devices", nlohmann::json::array()},
                      {"held", nlohmann::json::array()},
                      {"occupiedVdevs", status.occupied_vdevs},
                      {"conditions", kclient::ToJson(status.conditions)},
                      {"models", status.models},
                      {"vdcus", status.vdcus},
                      {"healthy", status.healthy},
                      {"servingSince", nullptr}};
  if (status.heartbeat == Heartbeat::kKubelet) json["heartbeat"] = kKubelet;
  if (status.heartbeat == Heartbeat::kLease) json["heartbeat"] = kLease;
  if (!status.serving_since.empty()) json["servingSince"] = status.serving_since;
  for (const dcu::Device& device : status.devices) json["devices"].push_back(ToJson(device));
  for (const HeldSlice& held : status.held) json["held"].push_back(HeldJson(held));
  return json;
}

nlohmann::json ToJson(const dcu::Device& device) {
  nlohmann::json json{{"index", device.index},
                      {"uuid", device.uuid},
                      {"model", device.model},
                      {"pciDeviceID", device.pci_device_id},
                      {"pciBusID", device.pci_bus_id},
                      {"computeUnits", device.compute_units},
                      {"memory", MemoryText(device.memory)},
                      {"mode", device.mode == dcu::Mode::kMig ? "mig" : "vdcu"},
                      {"healthy", device.healthy}};
  if (device.numa_node >= 0) json["numaNode"] = device.numa_node;
  if (device.drm_card_minor >= 0) json["drmCardMinor"] = device.drm_card_minor;
  if (device.drm_render_minor >= 0) json["drmRenderMinor"] = device.drm_render_minor;
  if (!device.reason.empty()) json["reason"] = device.reason;
  if (!device.message.empty()) json["message"] = device.message;
  if (!device.unhealthy_since.empty()) json["unhealthySince"] = device.unhealthy_since;
  return json;
}

}  // namespace vdcu::crds
