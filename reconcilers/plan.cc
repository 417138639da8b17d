#include "reconcilers/plan.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace vdcu::reconcilers {

namespace {

template <class T>
void AppendTo(std::vector<T>& list, std::vector<T>& more) {
  std::move(more.begin(), more.end(), std::back_inserter(list));
}

Key KeyOfOne(const AssumeCreated& created) { return PartitionKey(created.partition.meta.key()); }
Key KeyOfOne(const AssumeAssigned& assigned) { return PartitionKey(assigned.partition); }
Key KeyOfOne(const AssumeWritten& written) { return PartitionKey(written.partition); }
Key KeyOfOne(const AssumeBound& bound) { return PodKey(bound.pod); }
Key KeyOfOne(const AssumeReported& reported) { return PodKey(reported.pod); }
Key KeyOfOne(const AssumeDoubted& doubted) { return DcuNodeKey(doubted.node); }
Key KeyOfOne(const AssumeTainted& tainted) { return DcuNodeKey(tainted.node); }
Key KeyOfOne(const AssumeNudged& nudged) { return PodKey(nudged.pod); }
Key KeyOfOne(const AssumeEvicted& evicted) { return PodKey(evicted.pod); }
Key KeyOfOne(const AssumeNominated& nominated) { return PodKey(nominated.pod); }

}  // namespace

void Append(Plan& plan, Plan more) {
  AppendTo(plan.writes, more.writes);
  AppendTo(plan.events, more.events);
  AppendTo(plan.notes, more.notes);
  if (more.requeue_after) {
    plan.requeue_after =
        std::min(plan.requeue_after.value_or(*more.requeue_after), *more.requeue_after);
  }
  plan.place |= more.place;
  plan.commit |= more.commit;
  if (more.waits) plan.waits = std::move(more.waits);
}

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
  if (std::holds_alternative<AssumeEvicted>(assumption)) return "EvictionRefused";
  return "WriteRefused";
}

}  // namespace vdcu::reconcilers
