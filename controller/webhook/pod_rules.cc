#include "controller/webhook/pod_rules.h"

#include <algorithm>
#include <string_view>

#include "base/text.h"
#include "crds/decode.h"
#include "crds/keys.h"
#include "crds/pod_group.h"
#include "crds/pod_request.h"
#include "kclient/core/pod.h"

namespace vdcu::controller {

using kclient::JsonView;
using nlohmann::json;

namespace {

constexpr char kDefaultScheduler[] = "default-scheduler";

// Of one container: whether it names a resource of ours, right or wrong.
bool NamesCards(JsonView container) {
  bool names = false;
  const auto resources = kclient::Get(container, "resources");
  if (!resources) return false;
  for (const std::string_view list : {"limits", "requests"}) {
    kclient::ForEachMember(*resources, list, [&](std::string_view name, JsonView /*amount*/) {
      names = names || crds::IsDcuResource(name);
    });
  }
  return names;
}

bool NamesCards(JsonView spec, std::string_view containers) {
  bool names = false;
  kclient::ForEach(spec, containers,
                   [&](JsonView container) { names = names || NamesCards(container); });
  return names;
}

bool AsksForCards(JsonView spec) {
  return NamesCards(spec, "containers") || NamesCards(spec, "initContainers");
}

bool Tolerates(JsonView toleration, const std::string& taint) {
  const std::string key = kclient::GetStringOr(toleration, "key");
  return (key.empty() || key == taint) &&
         kclient::GetStringOr(toleration, "operator") == "Exists" &&
         kclient::GetStringOr(toleration, "effect").empty();
}

void AddToleration(JsonView spec, const std::string& taint, json& patch) {
  bool tolerates = false;
  bool any = false;
  kclient::ForEach(spec, "tolerations", [&](JsonView toleration) {
    any = true;
    tolerates = tolerates || Tolerates(toleration, taint);
  });
  if (tolerates) return;
  const json toleration{{"key", taint}, {"operator", "Exists"}};
  if (any) {
    patch.push_back({{"op", "add"}, {"path", "/spec/tolerations/-"}, {"value", toleration}});
  } else {
    patch.push_back(
        {{"op", "add"}, {"path", "/spec/tolerations"}, {"value", json::array({toleration})}});
  }
}

std::string SchedulerOf(JsonView spec) {
  const std::string name = kclient::GetStringOr(spec, "schedulerName");
  return name.empty() ? kDefaultScheduler : name;
}

// Past these schedulers the kubelet fails the pod, and its owner makes the next, without end.
std::string FailsUnless(const PodRules& rules) {
  std::string text = "pods that ask for cards fail on their node unless they are placed by ";
  text += rules.scheduler_name;
  for (const std::string& other : rules.schedulers) text += " or " + other;
  return text;
}

base::Status CheckScheduler(JsonView spec, const PodRules& rules) {
  const std::string name = SchedulerOf(spec);
  const auto& others = rules.schedulers;
  if (name == rules.scheduler_name) return base::Ok();
  if (std::find(others.begin(), others.end(), name) != others.end()) return base::Ok();
  return base::Invalid("spec.schedulerName: " + base::Quote(name) + ": " + FailsUnless(rules));
}

// It is given slices where it is, but no reserved partition.
base::Status CheckPlaced(const kclient::Pod& pod, const crds::PodRequest& request,
                         const PodRules& rules) {
  if (request.partition.empty()) return base::Ok();
  return base::Invalid(
      "spec.nodeName: " + base::Quote(pod.node_name) + ": a pod that names a reserved partition (" +
      std::string(crds::kPartitionAnnotation) + ") is given it when " + rules.scheduler_name +
      " binds the pod; leave out nodeName, and choose nodes by nodeSelector or "
      "affinity");
}

}  // namespace

json PatchOf(JsonView pod, const PodRules& rules) {
  json patch = json::array();
  const auto spec = kclient::Get(pod, "spec");
  if (!spec || !AsksForCards(*spec)) return patch;
  if (SchedulerOf(*spec) == kDefaultScheduler) {
    patch.push_back(
        {{"op", "add"}, {"path", "/spec/schedulerName"}, {"value", rules.scheduler_name}});
  }
  if (!rules.tolerated_taint.empty()) AddToleration(*spec, rules.tolerated_taint, patch);
  return patch;
}

base::Status CheckPod(JsonView object, const PodRules& rules) {
  const auto spec = kclient::Get(object, "spec");
  if (!spec || !AsksForCards(*spec)) return base::Ok();
  ASSIGN_OR_RETURN(const kclient::Pod pod, crds::Decode<kclient::Pod>(object));
  // A kubelet shows it so: what it shows has begun.
  if (pod.scheduling == nullptr) return base::Ok();
  ASSIGN_OR_RETURN(const crds::PodRequest request, crds::ParsePodRequest(pod, rules.memory_unit));
  if (pod.bound()) return CheckPlaced(pod, request, rules);
  if (request.empty()) return base::Ok();
  if (pod.scheduler_name == rules.scheduler_name) RETURN_IF_ERROR(crds::ParsePodGroup(pod.meta));
  return CheckScheduler(*spec, rules);
}

}  // namespace vdcu::controller
