#include "node/node_pod.h"

#include <algorithm>

#include "crds/keys.h"
#include "crds/pod_request.h"
#include "kclient/core/pod.h"
#include "kclient/core/quantity.h"

namespace vdcu::node {

namespace {

bool AsksForDcu(kclient::JsonView container) {
  bool asks = false;
  const auto resources = kclient::Get(container, "resources");
  for (const char* kind : {"limits", "requests"}) {
    if (!resources) break;
    kclient::ForEachMember(*resources, kind, [&](std::string_view name, kclient::JsonView) {
      asks = asks || crds::IsDcuResource(name);
    });
  }
  return asks;
}

// The API server holds limits and requests of such resources equal, and fills in either.
void AddRequests(kclient::JsonView container, std::vector<NodePod::DeviceRequest>& requests) {
  const auto resources = kclient::Get(container, "resources");
  if (!resources) return;
  kclient::ForEachMember(
      *resources, "requests", [&](std::string_view name, kclient::JsonView value) {
        const bool counts =
            std::any_of(crds::kResourceNames.begin(), crds::kResourceNames.end(),
                        [name](const crds::ResourceNames& names) { return names.count == name; });
        const auto text = value.String();
        if (!counts || !text) return;
        const int64_t count = kclient::ParseQuantity(*text).value_or(0);
        if (count > 0) {
          requests.push_back({kclient::GetStringOr(container, "name"), std::string(name), count});
        }
      });
}

std::optional<Refusal> UnassignedIn(kclient::JsonView status) {
  const auto conditions = kclient::ParseConditions(status);
  const auto* assigned = kclient::FindCondition(conditions, crds::kSliceAssigned);
  if (assigned == nullptr || assigned->status != "False") return std::nullopt;
  return Refusal{assigned->reason, assigned->message};
}

}  // namespace

base::Result<NodePod> NodePod::FromJson(kclient::JsonView object) {
  NodePod pod;
  ASSIGN_OR_RETURN(
      pod.meta, kclient::ParseMeta(object, {.labels = false, .annotation_prefixes = {"vdcu.io/"}}));
  pod.partition = crds::BoundPartition(pod.meta);
  pod.mirror = kclient::IsMirror(object);
  if (const auto spec = kclient::Get(object, "spec")) {
    pod.node_name = kclient::GetStringOr(*spec, "nodeName");
    kclient::ForEach(*spec, "containers", [&](kclient::JsonView container) {
      if (pod.container.empty() && AsksForDcu(container)) {
        pod.container = kclient::GetStringOr(container, "name");
      }
      AddRequests(container, pod.device_requests);
    });
  }
  if (const auto status = kclient::Get(object, "status")) {
    pod.phase = kclient::GetStringOr(*status, "phase");
    pod.started = !kclient::GetStringOr(*status, "startTime").empty();
    pod.unassigned = UnassignedIn(*status);
  }
  return pod;
}

}  // namespace vdcu::node
