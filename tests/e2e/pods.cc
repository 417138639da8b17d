#include "tests/e2e/pods.h"

#include <algorithm>

namespace vdcu::e2e {

using nlohmann::json;

namespace {

constexpr char kScript[] =
    "cat /etc/vdev/docker/vdev0.conf 2>/dev/null; "
    "for node in /dev/kfd /dev/mkfd /dev/dri/*; do "
    "head -c 1 $node >/dev/null 2>&1 && echo opens $node; done; echo done; "
    "trap 'exit 0' TERM; sleep 1000000 & wait";

}  // namespace

Limits Slice(int cores, int mebibytes) {
  return {
      {"dcunum", "1"}, {"dcucores", std::to_string(cores)}, {"dcumem", std::to_string(mebibytes)}};
}

json RealContainer(const std::string& name, const Limits& limits) {
  json container = world::Container(name, limits);
  container["image"] = "localhost/busybox:1";
  container["imagePullPolicy"] = "Never";
  container["command"] = {"sh", "-c", kScript};
  return container;
}

json PodOf(const std::string& name, const std::vector<json>& containers) {
  json pod = world::Pod(name, {});
  pod["spec"]["containers"] = containers;
  pod["spec"]["hostNetwork"] = true;
  pod["spec"]["terminationGracePeriodSeconds"] = 2;
  pod["spec"]["restartPolicy"] = "Never";
  return pod;
}

json RealPod(const std::string& name, const Limits& limits,
             const std::map<std::string, std::string>& annotations) {
  json pod = PodOf(name, {RealContainer("main", limits)});
  pod["metadata"]["annotations"] = annotations;
  return pod;
}

json On(const std::string& node, json pod) {
  pod["spec"].erase("schedulerName");
  pod["spec"]["nodeName"] = node;
  return pod;
}

json ReplicaSet(const std::string& name, int replicas, const json& pod) {
  json spec = pod["spec"];
  spec["restartPolicy"] = "Always";
  const json labels{{"set", name}};
  return {{"apiVersion", "apps/v1"},
          {"kind", "ReplicaSet"},
          {"metadata", {{"name", name}}},
          {"spec",
           {{"replicas", replicas},
            {"selector", {{"matchLabels", labels}}},
            {"template", {{"metadata", {{"labels", labels}}}, {"spec", spec}}}}}};
}

json Job(const std::string& name, int completions, const json& pod) {
  json spec = pod["spec"];
  spec["containers"][0]["command"] = {"cat", "/etc/vdev/docker/vdev0.conf"};
  // With Never, a kubelet that dies between a container's creation and its start may leave the pod
  // Pending for good, with slices or without.
  spec["restartPolicy"] = "OnFailure";
  return {{"apiVersion", "batch/v1"},
          {"kind", "Job"},
          {"metadata", {{"name", name}}},
          {"spec",
           {{"completions", completions},
            {"parallelism", 2},
            {"backoffLimit", 1000},
            {"template", {{"spec", spec}}}}}};
}

bool IsRunning(const json& pod) {
  if (!pod.is_object() || pod["status"].value("phase", "") != "Running") return false;
  const json statuses = pod["status"].value("containerStatuses", json::array());
  return !statuses.empty() && std::all_of(statuses.begin(), statuses.end(), [](const json& status) {
    return status["state"].contains("running");
  });
}

}  // namespace vdcu::e2e
