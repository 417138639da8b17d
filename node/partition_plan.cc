#include "node/partition_plan.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "crds/keys.h"
#include "crds/writes.h"
#include "node/slice_files.h"

namespace vdcu::node {

namespace {

using kclient::Condition;

constexpr char kTrue[] = "True";
constexpr char kFalse[] = "False";

// The conditions of one partition, each set with the object's generation.
class Conditions {
 public:
  Conditions(std::vector<Condition> before, const kclient::ObjectMeta& meta, base::WallTime now)
      : conditions_(std::move(before)), generation_(meta.generation), now_(base::FormatTime(now)) {
    // The controller's, from before there was an assignment.
    std::erase_if(conditions_, [](const Condition& c) { return c.type == crds::kAssigned; });
  }

  void Set(std::string_view type, const char* status, std::string reason, std::string message) {
    kclient::SetCondition(conditions_, {.type = std::string(type),
                                        .status = status,
                                        .reason = std::move(reason),
                                        .message = std::move(message),
                                        .last_transition_time = now_,
                                        .observed_generation = generation_});
  }
  std::vector<Condition> Take() { return std::move(conditions_); }

 private:
  std::vector<Condition> conditions_;
  const int64_t generation_;
  const std::string now_;
};

Refusal HealthOf(const dcu::Device* device, const dcu::Assignment& assignment) {
  if (device == nullptr) return {kVanished, "card " + assignment.device + " is not there"};
  if (device->healthy) return {"Healthy", "card " + device->uuid + " is healthy"};
  return {device->reason, "card " + device->uuid + ": " + device->message};
}

std::string PreparedMessage(const dcu::Assignment& assignment) {
  if (assignment.whole_card()) return "the whole card is held; it needs no vdev file";
  return HostVdevPath(assignment) + " is written";
}

crds::PartitionStatus StatusOf(const PartitionView& view, base::WallTime now) {
  const dcu::Assignment& assignment = *view.partition.spec.assignment;
  crds::PartitionStatus status;
  Conditions conditions(view.partition.status.conditions, view.partition.meta, now);
  const bool healthy = view.device != nullptr && view.device->healthy;
  const Refusal health = HealthOf(view.device, assignment);
  if (!view.held) {
    const Refusal refusal = view.refusal.value_or(Refusal{"NotAdmitted", ""});
    conditions.Set(crds::kPrepared, kFalse, refusal.reason, refusal.message);
    conditions.Set(crds::kHealthy, healthy ? kTrue : kFalse, health.reason, health.message);
    conditions.Set(crds::kReady, kFalse, refusal.reason, refusal.message);
    status.conditions = conditions.Take();
    return status;
  }
  conditions.Set(crds::kPrepared, kTrue, "Prepared", PreparedMessage(assignment));
  conditions.Set(crds::kHealthy, healthy ? kTrue : kFalse, health.reason, health.message);
  const Refusal ready =
      !healthy ? health
               : view.device_lost.value_or(Refusal{"Ready", "prepared, and its card is healthy"});
  conditions.Set(crds::kReady, healthy && !view.device_lost ? kTrue : kFalse, ready.reason,
                 ready.message);
  status.conditions = conditions.Take();
  status.vdev_file = HostVdevPath(assignment);
  status.used_by = view.used_by;
  return status;
}

bool Differs(const std::vector<Condition>& before, const std::vector<Condition>& after,
             std::string_view type) {
  const Condition* old = kclient::FindCondition(before, type);
  const Condition* now = kclient::FindCondition(after, type);
  return old == nullptr || now == nullptr || old->status != now->status ||
         old->reason != now->reason;
}

// At most one: the refusal, or the change of health.
std::vector<kclient::Event> EventsOf(const PartitionView& view,
                                     const std::vector<Condition>& after) {
  const kclient::ObjectMeta& meta = view.partition.meta;
  const auto& before = view.partition.status.conditions;
  if (!view.held) {
    if (!Differs(before, after, crds::kPrepared)) return {};
    const Condition& prepared = *kclient::FindCondition(after, crds::kPrepared);
    return {crds::PartitionEvent(meta, kclient::EventType::kWarning, prepared.reason, "Preparing",
                                 prepared.message)};
  }
  const Condition* was = kclient::FindCondition(before, crds::kHealthy);
  const Condition& health = *kclient::FindCondition(after, crds::kHealthy);
  const bool was_unhealthy = was != nullptr && was->status == kFalse;
  const bool unhealthy = health.status == kFalse;
  if (unhealthy == was_unhealthy) return {};
  return {crds::PartitionEvent(
      meta, unhealthy ? kclient::EventType::kWarning : kclient::EventType::kNormal, health.reason,
      "CheckingHealth", health.message)};
}

kclient::Write LiftFinalizer(const kclient::ObjectMeta& meta) {
  return crds::PatchPartition(meta, "",
                              {{"metadata", {{"finalizers", crds::FinalizersWithoutOurs(meta)}}}});
}

PartitionPlan PlanLettingGo(const PartitionView& view) {
  PartitionPlan plan;
  const kclient::ObjectMeta& meta = view.partition.meta;
  if (view.pod == PodState::kUnknown) {
    plan.ask_for_pod = true;
    return plan;
  }
  if (view.pod == PodState::kUsing || view.pod == PodState::kEnding) return plan;
  // The pod may be given it at any moment.
  if (view.pod == PodState::kWaiting && view.held) return plan;
  plan.release = view.held;
  if (meta.HasFinalizer(crds::kFinalizer)) plan.write = LiftFinalizer(meta);
  return plan;
}

}  // namespace

PartitionPlan PlanPartition(const PartitionView& view, base::WallTime now) {
  if (view.partition.meta.deleting()) return PlanLettingGo(view);
  PartitionPlan plan;
  crds::PartitionStatus status = StatusOf(view, now);
  if (status == view.partition.status) return plan;
  const kclient::ObjectMeta& meta = view.partition.meta;
  plan.events = EventsOf(view, status.conditions);
  plan.write = crds::PatchPartition(meta, "status", {{"status", crds::ToJson(status)}});
  return plan;
}

std::optional<crds::PodRef> PickUser(const crds::VdcuPartition& partition,
                                     const std::vector<const NodePod*>& pods) {
  const auto& holder = partition.status.used_by;
  const NodePod* oldest = nullptr;
  for (const NodePod* pod : pods) {
    if (pod->meta.ns != partition.meta.ns || pod->terminal() || pod->container.empty()) continue;
    if (holder && pod->meta.uid == holder->uid) return holder;
    if (pod->partition != partition.meta.name) continue;
    const auto age = [](const NodePod* p) {
      return std::tie(p->meta.creation_timestamp, p->meta.name);
    };
    if (oldest == nullptr || age(pod) < age(oldest)) oldest = pod;
  }
  if (oldest == nullptr) return std::nullopt;
  return crds::PodRef{
      .name = oldest->meta.name, .uid = oldest->meta.uid, .container = oldest->container};
}

PartitionPlan PlanUnread(const crds::VdcuPartition& partition, base::WallTime now) {
  const kclient::ObjectMeta& meta = partition.meta;
  const std::vector<Condition>& conditions = partition.status.conditions;
  const std::string& error = partition.unread->why;
  PartitionPlan plan;
  if (meta.deleting()) {
    if (meta.HasFinalizer(crds::kFinalizer)) plan.write = LiftFinalizer(meta);
    return plan;
  }
  Conditions changed(conditions, meta, now);
  changed.Set(crds::kPrepared, kFalse, "Unreadable", error);
  changed.Set(crds::kReady, kFalse, "Unreadable", error);
  const std::vector<Condition> after = changed.Take();
  if (after == conditions) return plan;
  plan.events = {
      crds::PartitionEvent(meta, kclient::EventType::kWarning, "Unreadable", "Preparing", error)};
  plan.write =
      crds::PatchPartition(meta, "status", {{"status", {{"conditions", kclient::ToJson(after)}}}});
  return plan;
}

}  // namespace vdcu::node
