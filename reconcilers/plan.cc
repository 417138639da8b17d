#include "reconcilers/plan.h"

namespace vdcu::reconcilers {

namespace {

std::string KeyOfOne(const AssumeCreated& created) {
  return PartitionKey(created.partition.meta.key());
}
std::string KeyOfOne(const AssumeAssigned& assigned) { return PartitionKey(assigned.partition); }
std::string KeyOfOne(const AssumeWritten& written) { return PartitionKey(written.partition); }
std::string KeyOfOne(const AssumeBound& bound) { return PodKey(bound.pod); }
std::string KeyOfOne(const AssumeReported& reported) { return PodKey(reported.pod); }
std::string KeyOfOne(const AssumeDoubted& doubted) { return DcuNodeKey(doubted.node); }

}  // namespace

std::string PodKey(std::string_view object_key) { return "pod/" + std::string(object_key); }

std::string PartitionKey(std::string_view object_key) {
  return "partition/" + std::string(object_key);
}

std::string LineKey(std::string_view partition_key) { return "line/" + std::string(partition_key); }
std::string DcuNodeKey(std::string_view name) { return "dcunode/" + std::string(name); }

std::string KeyOf(const Assumption& assumption) {
  return std::visit([](const auto& assumed) { return KeyOfOne(assumed); }, assumption);
}

std::string RequestKeyOf(const Assumption& assumption) {
  const auto* created = std::get_if<AssumeCreated>(&assumption);
  if (created == nullptr || !created->partition.spec.pod_ref) return KeyOf(assumption);
  return PodKey(created->partition.meta.ns + "/" + created->partition.spec.pod_ref->name);
}

}  // namespace vdcu::reconcilers
