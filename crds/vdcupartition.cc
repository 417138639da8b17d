#include "crds/vdcupartition.h"

#include "crds/assignment_json.h"
#include "crds/fields.h"
#include "crds/keys.h"
#include "crds/spelling.h"

namespace vdcu::crds {
namespace {

PodRef ReadPodRef(Fields& fields) {
  return {.name = fields.Required("name"),
          .uid = fields.RequiredUid("uid"),
          .container = fields.Required("container")};
}

dcu::SliceRequest ReadRequest(Fields& spec) {
  dcu::SliceRequest request;
  request.compute_units = spec.Int("computeUnits", 1, dcu::kMaxComputeUnits);
  request.percent = spec.Int("cores", 1, 100);
  request.memory = spec.Memory("memory");
  if (request.compute_units && request.percent) {
    spec.Fail("cores", "set cores (percent) or computeUnits, not both");
  }
  if (request.memory && request.memory->value < 1) spec.Fail("memory", "must be at least 1Mi");
  if (auto devices = spec.Object("devices")) {
    dcu::DeviceSelector selector;
    selector.models = devices->Strings("models");
    selector.exclude_models = devices->Strings("excludeModels");
    selector.uuids = devices->Strings("uuids");
    selector.exclude_uuids = devices->Strings("excludeUUIDs");
    request.devices = base::Interned(std::move(selector));
  }
  return request;
}

kclient::Labels ReadNodeSelector(Fields& spec) {
  kclient::Labels labels;
  kclient::ForEachMember(spec.view(), "nodeSelector",
                         [&](std::string_view key, kclient::JsonView value) {
                           const auto text = value.String();
                           if (!text) spec.Fail("nodeSelector", "values must be strings");
                           labels.emplace(key, text.value_or(""));
                         });
  return labels;
}

PartitionSpec ReadPartitionSpec(Fields& fields) {
  PartitionSpec spec;
  spec.request = ReadRequest(fields);
  spec.node_selector = ReadNodeSelector(fields);
  if (const std::string policy = fields.String("policy"); !policy.empty()) {
    spec.policy = ParsePolicy(policy);
    if (!spec.policy) fields.Fail("policy", "must be BinPack, Spread or FragmentationAware");
  }
  spec.share = fields.Sharing("share");
  if (auto pod_ref = fields.Object("podRef")) spec.pod_ref = ReadPodRef(*pod_ref);
  if (auto assignment = fields.Object("assignment")) {
    spec.assignment = ReadAssignment(*assignment);
    spec.assignment->node = assignment->Required("node");
  }
  return spec;
}

PartitionStatus ReadStatus(Fields& fields) {
  PartitionStatus status;
  status.conditions = kclient::ParseConditions(fields.view());
  status.vdev_file = fields.String("vdevFile");
  if (auto used_by = fields.Object("usedBy")) status.used_by = ReadPodRef(*used_by);
  return status;
}

base::Result<kclient::ObjectMeta> ReadPartitionMeta(kclient::JsonView object) {
  return kclient::ParseMeta(object, {.labels = true, .annotation_prefixes = {}});
}

base::Status ReadFields(kclient::JsonView object, VdcuPartition& partition) {
  base::Status read;
  Fields root(object, "", read);
  if (auto spec = root.Object("spec")) partition.spec = ReadPartitionSpec(*spec);
  if (auto status = root.Object("status")) partition.status = ReadStatus(*status);
  return read;
}

nlohmann::json PodRefJson(const PodRef& pod_ref) {
  return {{"name", pod_ref.name}, {"uid", pod_ref.uid}, {"container", pod_ref.container}};
}

nlohmann::json DevicesJson(const dcu::DeviceSelector& devices) {
  nlohmann::json json = nlohmann::json::object();
  if (!devices.models.empty()) json["models"] = devices.models;
  if (!devices.exclude_models.empty()) json["excludeModels"] = devices.exclude_models;
  if (!devices.uuids.empty()) json["uuids"] = devices.uuids;
  if (!devices.exclude_uuids.empty()) json["excludeUUIDs"] = devices.exclude_uuids;
  return json;
}

nlohmann::json SpecJson(const PartitionSpec& spec) {
  nlohmann::json json = nlohmann::json::object();
  const dcu::SliceRequest& request = spec.request;
  if (request.compute_units) json["computeUnits"] = *request.compute_units;
  if (request.percent) json["cores"] = *request.percent;
  if (request.memory) json["memory"] = MemoryText(*request.memory);
  if (auto devices = DevicesJson(*request.devices); !devices.empty()) json["devices"] = devices;
  if (!spec.node_selector.empty()) json["nodeSelector"] = spec.node_selector;
  if (spec.policy) json["policy"] = ToString(*spec.policy);
  if (spec.share != dcu::Sharing::kCluster) json["share"] = ToString(spec.share);
  if (spec.pod_ref) json["podRef"] = PodRefJson(*spec.pod_ref);
  if (spec.assignment) json["assignment"] = ToJson(*spec.assignment);
  return json;
}

}  // namespace

bool VdcuPartition::holds() const {
  return assigned() && (!meta.deleting() || meta.HasFinalizer(kFinalizer));
}

base::Result<VdcuPartition> VdcuPartition::FromJson(kclient::JsonView object) {
  VdcuPartition partition;
  ASSIGN_OR_RETURN(partition.meta, ReadPartitionMeta(object));
  if (const base::Status read = ReadFields(object, partition); !read) {
    return WithContext(read.error(), "VDCUPartition " + partition.meta.key());
  }
  return partition;
}

base::Result<VdcuPartition> VdcuPartition::Unreadable(kclient::JsonView object) {
  VdcuPartition read;
  const base::Status why = ReadFields(object, read);
  VdcuPartition partition;
  ASSIGN_OR_RETURN(partition.meta, ReadPartitionMeta(object));
  partition.status.conditions = std::move(read.status.conditions);
  partition.unread = Unread{.why = why ? "" : why.error().message, .node = ""};
  if (read.spec.assignment) partition.unread->node = std::move(read.spec.assignment->node);
  return partition;
}

std::string AssignedNode(kclient::JsonView partition) {
  const auto spec = kclient::Get(partition, "spec");
  const auto assignment = spec ? kclient::Get(*spec, "assignment") : std::nullopt;
  return assignment ? kclient::GetStringOr(*assignment, "node") : "";
}

nlohmann::json ToJson(const VdcuPartition& partition) {
  return {{"apiVersion", kApiVersion},
          {"kind", "VDCUPartition"},
          {"metadata", kclient::ToJson(partition.meta)},
          {"spec", SpecJson(partition.spec)}};
}

nlohmann::json ToJson(const PartitionStatus& status) {
  nlohmann::json json{{"conditions", kclient::ToJson(status.conditions)},
                      {"vdevFile", nullptr},
                      {"usedBy", nullptr}};
  if (!status.vdev_file.empty()) json["vdevFile"] = status.vdev_file;
  if (status.used_by) json["usedBy"] = PodRefJson(*status.used_by);
  return json;
}

std::string_view ToString(dcu::Policy policy) { return Spell(kPolicies, policy); }

std::optional<dcu::Policy> ParsePolicy(std::string_view text) { return Read(kPolicies, text); }

}  // namespace vdcu::crds
