#include "node/node_pod.h"

#include "crds/keys.h"
#include "crds/pod_request.h"

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

}  // namespace

base::Result<NodePod> NodePod::FromJson(kclient::JsonView object) {
  NodePod pod;
  ASSIGN_OR_RETURN(
      pod.meta, kclient::ParseMeta(object, {.labels = false, .annotation_prefixes = {"vdcu.io/"}}));
  if (const auto named = pod.meta.annotations.find(crds::kPartitionAnnotation);
      named != pod.meta.annotations.end()) {
    pod.partition = named->second;
  }
  if (const auto spec = kclient::Get(object, "spec")) {
    pod.node_name = kclient::GetStringOr(*spec, "nodeName");
    kclient::ForEach(*spec, "containers", [&](kclient::JsonView container) {
      if (pod.container.empty() && AsksForDcu(container)) {
        pod.container = kclient::GetStringOr(container, "name");
      }
    });
  }
  if (const auto status = kclient::Get(object, "status")) {
    pod.phase = kclient::GetStringOr(*status, "phase");
  }
  return pod;
}

}  // namespace vdcu::node
