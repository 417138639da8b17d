#include "reconcilers/plan.h"

namespace vdcu::reconcilers {

namespace {

Key KeyOfOne(const AssumeCreated& created) { return PartitionKey(created.partition.meta.key()); }
Key KeyOfOne(const AssumeAssigned& assigned) { return PartitionKey(assigned.partition); }
Key KeyOfOne(const AssumeWritten& written) { return PartitionKey(written.partition); }
Key KeyOfOne(const AssumeBound& bound) { return PodKey(bound.pod); }
Key KeyOfOne(const AssumeReported& reported) { return PodKey(reported.pod); }
Key KeyOfOne(const AssumeDoubted& doubted) { return DcuNodeKey(doubted.node); }
Key KeyOfOne(const AssumeNudged& nudged) { return PodKey(nudged.pod); }

}  // namespace

Key KeyOf(const Assumption& assumption) {
  return std::visit([](const auto& assumed) { return KeyOfOne(assumed); }, assumption);
}

Key RequestKeyOf(const Assumption& assumption) {
  const auto* created = std::get_if<AssumeCreated>(&assumption);
  if (created == nullptr || !created->partition.spec.pod_ref) return KeyOf(assumption);
  return {kPod, created->partition.meta.ns, created->partition.spec.pod_ref->name};
}

std::string_view RefusedReasonOf(const Assumption& assumption) {
  if (std::holds_alternative<AssumeCreated>(assumption)) return "CreateRefused";
  if (std::holds_alternative<AssumeAssigned>(assumption)) return "AssignRefused";
  if (std::holds_alternative<AssumeBound>(assumption)) return "BindRefused";
  return "WriteRefused";
}

}  // namespace vdcu::reconcilers
