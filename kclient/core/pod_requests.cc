// PodRequests, after component-helpers resource/helpers.go with UseStatusResources and
// InPlacePodLevelResourcesVerticalScalingEnabled.
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "kclient/core/pod.h"

namespace vdcu::kclient {

namespace {

// What a container, or the pod as a whole, has where it may be resized in place.
struct ResizeState {
  ResourceList spec;
  ResourceList actual;
  ResourceList allocated;
};

bool ResizeIsInfeasible(JsonView pod) {
  const auto status = Get(pod, "status");
  if (!status) return false;
  const auto conditions = ParseConditions(*status);
  const Condition* pending = FindCondition(conditions, "PodResizePending");
  return pending != nullptr && pending->reason == "Infeasible";
}

// A resize that will never happen does not count.
ResourceList Effective(ResizeState state, bool infeasible) {
  ResourceList most = infeasible ? ResourceList() : std::move(state.spec);
  TakeMax(most, state.actual);
  TakeMax(most, state.allocated);
  return most;
}

class Summing {
 public:
  explicit Summing(JsonView pod) : infeasible_(ResizeIsInfeasible(pod)) {
    const auto status = Get(pod, "status");
    if (!status) return;
    for (const std::string_view kind : {"containerStatuses", "initContainerStatuses"}) {
      ForEach(*status, kind, [&](JsonView item) {
        if (const auto name = GetString(item, "name")) statuses_.insert_or_assign(*name, item);
      });
    }
  }

  // Containers and sidecars run together; while the n-th init container runs, only the sidecars
  // started before it do.
  ResourceList Containers(JsonView spec) const {
    ResourceList sum;
    ForEach(spec, "containers", [&](JsonView item) { Add(sum, Resizable(item)); });
    ResourceList sidecars;
    ResourceList most_init;
    ForEach(spec, "initContainers", [&](JsonView item) {
      if (GetString(item, "restartPolicy") == "Always") {
        const ResourceList requests = Resizable(item);
        Add(sum, requests);
        Add(sidecars, requests);
        TakeMax(most_init, sidecars);
      } else {
        ResourceList requests = ContainerRequests(item);
        Add(requests, sidecars);
        TakeMax(most_init, requests);
      }
    });
    TakeMax(sum, most_init);
    return sum;
  }

  // Pod-level requests replace what the containers add up to.
  void OverrideByPodLevel(JsonView pod, JsonView spec, ResourceList& sum) const {
    const auto resources = Get(spec, "resources");
    if (!resources) return;
    ResizeState state{
        .spec = ParseResourceList(*resources, "requests"), .actual = {}, .allocated = {}};
    const ResourceList asked = state.spec;
    const auto status = Get(pod, "status");
    const auto actual = status ? Get(*status, "resources") : std::nullopt;
    if (actual) {
      state.actual = ParseResourceList(*actual, "requests");
      state.allocated = ParseResourceList(*status, "allocatedResources");
    }
    ResourceList effective = Effective(std::move(state), infeasible_ && actual);
    for (const auto& [name, amount] : asked) {
      const bool supported = name == "cpu" || name == "memory" || name.starts_with("hugepages-");
      if (supported) sum[name] = effective[name];
    }
  }

 private:
  ResourceList Resizable(JsonView container) const {
    const auto status = statuses_.find(GetString(container, "name").value_or(""));
    const auto actual = status == statuses_.end() ? std::nullopt : Get(status->second, "resources");
    if (!actual) return ContainerRequests(container);
    return Effective({.spec = ContainerRequests(container),
                      .actual = ParseResourceList(*actual, "requests"),
                      .allocated = ParseResourceList(status->second, "allocatedResources")},
                     infeasible_);
  }

  bool infeasible_;
  std::map<std::string_view, JsonView> statuses_;  // by the container's name
};

}  // namespace

ResourceList ContainerRequests(JsonView container) {
  const auto resources = Get(container, "resources");
  if (!resources) return {};
  ResourceList requests = ParseResourceList(*resources, "requests");
  requests.merge(ParseResourceList(*resources, "limits"));
  return requests;
}

ResourceList PodRequests(JsonView pod) {
  const auto spec = Get(pod, "spec");
  if (!spec) return {};
  const Summing summing(pod);
  ResourceList sum = summing.Containers(*spec);
  summing.OverrideByPodLevel(pod, *spec, sum);
  Add(sum, ParseResourceList(*spec, "overhead"));
  return sum;
}

}  // namespace vdcu::kclient
