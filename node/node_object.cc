#include "node/node_object.h"

#include <utility>

#include "crds/resources.h"
#include "node/report.h"

namespace vdcu::node {

namespace {
constexpr base::Duration kUseDelay{2000};
}  // namespace

NodeObject::NodeObject(const NodeState& state, base::Loop& loop)
    : state_(state), loop_(loop), use_timer_(loop.MakeTimer([this] {
        use_is_due_ = true;
        state_.changes.NoteDcuNode();
      })) {}

kclient::WorkPlan NodeObject::Reconcile() {
  const auto object = state_.dcunodes.Get(state_.node);
  if (!object) {
    return kclient::PlanOf(
        kclient::MakeCreate(crds::kDcuNodes, "", state_.node, nlohmann::json::object()));
  }
  const bool has_kubelet = state_.kubelet != nullptr;
  const crds::DcuNodeStatus status =
      BuildStatus({.devices = state_.holdings.devices(),
                   .slices = state_.holdings.slices(),
                   .driver_version = state_.scan.driver_version,
                   .problems = state_.scan.problems,
                   .disk = state_.holdings.disk(),
                   .heartbeat = has_kubelet ? crds::Heartbeat::kKubelet : crds::Heartbeat::kLease,
                   .serves = state_.admits(),
                   .serving_since = state_.serving_since,
                   .spec_unread = object->spec_unread},
                  object->status, object->meta.generation, loop_.clock().Wall());
  if (status == object->status) {
    published_ = true;
    use_is_due_ = false;
    return {};
  }
  if (OnlyUseDiffers(status, object->status)) {
    published_ = true;
    if (!std::exchange(use_is_due_, false)) {
      if (!use_timer_->armed()) use_timer_->Start(kUseDelay);
      return {};
    }
  }
  return kclient::PlanOf(kclient::MakePatch(crds::kDcuNodes, "", state_.node, "status",
                                            {{"status", crds::ToJson(status)}}, object->meta.uid,
                                            object->meta.resource_version));
}

std::map<std::string, int64_t> AmountsOf(const Advertised& advertised,
                                         const std::vector<dcu::Device>& cards) {
  constexpr int64_t kPercentOfCard = 100;
  const auto count = static_cast<int64_t>(cards.size());
  dcu::MiB memory;
  for (const dcu::Device& card : cards) memory += card.memory;
  std::map<std::string, int64_t> amounts;
  for (const std::string& resource : advertised.counts) {
    amounts[resource] = count * dcu::kMaxSlicesPerCard;
  }
  for (const crds::ResourceNames& names : advertised.parts) {
    amounts[std::string(names.memory)] = memory.value / crds::MiBOf(advertised.memory_unit);
    amounts[std::string(names.cores)] = count * kPercentOfCard;
  }
  return amounts;
}

kclient::WorkPlan Advertise(const kclient::Store<kclient::Node>& store, const std::string& node,
                            const std::map<std::string, int64_t>& amounts) {
  const auto object = store.Get(node);
  if (!object) return {};
  nlohmann::json offered = nlohmann::json::object();
  for (const auto& [resource, amount] : amounts) {
    const auto stands = object->allocatable.find(resource);
    if (stands != object->allocatable.end() && stands->second == amount) continue;
    offered[resource] = std::to_string(amount);
  }
  if (offered.empty()) return {};
  // No resourceVersion: heartbeats change the Node all the time, and these names are ours alone.
  return kclient::PlanOf(kclient::MakePatch(
      kclient::kNodes, "", node, "status",
      {{"status", {{"capacity", offered}, {"allocatable", offered}}}}, object->meta.uid, ""));
}

}  // namespace vdcu::node
