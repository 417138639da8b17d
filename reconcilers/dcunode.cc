#include "reconcilers/dcunode.h"

#include <string>
#include <utility>

#include "crds/keys.h"
#include "crds/resources.h"

namespace vdcu::reconcilers {

namespace {

Plan SayUnknown(const crds::DcuNode& node, std::string_view reason, const std::string& message,
                const Instant& at) {
  std::vector<kclient::Condition> conditions = node.status.conditions;
  kclient::SetCondition(conditions, {std::string(crds::kReady), "Unknown", std::string(reason),
                                     message, at.wall, node.meta.generation});
  Plan plan;
  plan.writes.push_back({kclient::MakePatch(crds::kDcuNodes, "", node.meta.name, "status",
                                            {{"status", {{"conditions", ToJson(conditions)}}}},
                                            node.meta.uid, node.meta.resource_version),
                         AssumeDoubted{node.meta.name, node.meta.resource_version}});
  return plan;
}

// All taints: they are one list, which a patch replaces.
PlannedWrite GiveTaint(const kclient::Node& node, const std::string& key) {
  nlohmann::json taints = nlohmann::json::array();
  for (const kclient::Taint& taint : node.taints) {
    nlohmann::json& has = taints.emplace_back();
    has = {{"key", taint.key}, {"effect", taint.effect}};
    if (!taint.value.empty()) has["value"] = taint.value;
  }
  taints.push_back({{"key", key}, {"effect", "NoSchedule"}});
  return {kclient::MakePatch(kclient::kNodes, "", node.meta.name, "",
                             {{"spec", {{"taints", std::move(taints)}}}}, node.meta.uid,
                             node.meta.resource_version),
          AssumeTainted{node.meta.name, node.meta.resource_version}};
}

kclient::Event DoubtEvent(const crds::DcuNode& node, const Doubt& doubt) {
  return {{std::string(crds::kApiVersion), std::string(crds::kDcuNodes.kind), "", node.meta.name,
           node.meta.uid},
          kclient::EventType::kWarning,
          std::string(doubt.reason),
          "Watching",
          doubt.message + ": no new slices until vdcu-node has published what it holds"};
}

Plan ReconcileReady(const View& view, std::string_view name, const Instant& at) {
  const auto node = view.dcu_nodes().Find(name);
  if (!node || view.dcu_nodes().IsWritten(*node)) return {};
  const kclient::Condition* ready = kclient::FindCondition(node->status.conditions, crds::kReady);
  if (ready == nullptr || ready->status == "False") return {};
  const Doubt* doubt = view.dcu_nodes().doubts().Find(name);
  const base::TimePoint due =
      doubt ? view.dcu_nodes().doubts().DueAt(name) : base::TimePoint::max();
  const bool node_is_back = ready->reason == crds::kNodeNotReady &&
                            (doubt == nullptr || doubt->reason != crds::kNodeNotReady);
  if (ready->status == "Unknown" && node_is_back && at.now < due) {
    return SayUnknown(*node, crds::kAwaitingDaemon, "the node is back, vdcu-node not yet", at);
  }
  if (doubt == nullptr) return {};
  if (ready->status == "Unknown" && ready->reason == doubt->reason) return {};
  Plan plan;
  if (at.now < due) {
    plan.requeue_after = due - at.now;
    return plan;
  }
  plan = SayUnknown(*node, doubt->reason, doubt->message, at);
  plan.events.push_back(DoubtEvent(*node, *doubt));
  return plan;
}

}  // namespace

Plan ReconcileDcuNode(const View& view, std::string_view name, const Instant& at) {
  Plan plan = ReconcileReady(view, name, at);
  if (const auto node = view.dcu_nodes().FindUntainted(name)) {
    plan.writes.push_back(GiveTaint(*node, view.settings().node_taint));
  }
  return plan;
}

}  // namespace vdcu::reconcilers
