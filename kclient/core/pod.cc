#include "kclient/core/pod.h"

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <utility>

namespace vdcu::kclient {

namespace {

constexpr std::string_view kRequired = "requiredDuringSchedulingIgnoredDuringExecution";
constexpr std::string_view kMirror = "kubernetes.io/config.mirror";

// A value below several keys: Find(pod, {"spec", "affinity"}).
std::optional<JsonView> Find(JsonView object, std::initializer_list<std::string_view> path) {
  std::optional<JsonView> found = object;
  for (const std::string_view key : path) {
    found = Get(*found, key);
    if (!found) break;
  }
  return found;
}

bool IsSidecar(JsonView init_container) {
  return GetString(init_container, "restartPolicy") == "Always";
}

std::vector<Container> ParseContainers(JsonView spec, std::string_view key) {
  std::vector<Container> containers;
  ForEach(spec, key, [&](JsonView container) {
    const auto resources = Get(container, "resources");
    containers.push_back(
        {.name = GetStringOr(container, "name"),
         .requests = ContainerRequests(container),
         .limits = resources ? ParseResourceList(*resources, "limits") : ResourceList()});
  });
  return containers;
}

void AddHostPorts(JsonView container, std::vector<HostPort>& host_ports) {
  ForEach(container, "ports", [&](JsonView port) {
    const int64_t number = GetInt(port, "hostPort").value_or(0);
    if (number <= 0) return;
    host_ports.push_back({.ip = GetStringOr(port, "hostIP"),
                          .protocol = GetStringOr(port, "protocol", "TCP"),
                          .port = static_cast<int>(number)});
  });
}

// Those that are open as long as the pod runs, so not those of plain init containers.
std::vector<HostPort> ParseHostPorts(JsonView spec) {
  std::vector<HostPort> host_ports;
  ForEach(spec, "initContainers", [&](JsonView container) {
    if (IsSidecar(container)) AddHostPorts(container, host_ports);
  });
  ForEach(spec, "containers", [&](JsonView container) { AddHostPorts(container, host_ports); });
  return host_ports;
}

Labels ParseNodeSelectorLabels(JsonView spec) {
  Labels labels;
  ForEachMember(spec, "nodeSelector", [&](std::string_view name, JsonView value) {
    if (const auto text = value.String()) labels.emplace(name, *text);
  });
  return labels;
}

std::vector<std::string> ParseClaims(JsonView spec, const std::string& pod_name) {
  std::vector<std::string> claims;
  ForEach(spec, "volumes", [&](JsonView volume) {
    if (const auto claim = Get(volume, "persistentVolumeClaim")) {
      claims.push_back(GetStringOr(*claim, "claimName"));
    } else if (Get(volume, "ephemeral")) {
      claims.push_back(pod_name + "-" + GetStringOr(volume, "name"));
    }
  });
  return claims;
}

std::vector<std::string> FindUnsupported(JsonView spec) {
  std::vector<std::string> fields;
  if (HasElements(spec, "resourceClaims")) fields.emplace_back("spec.resourceClaims");
  for (const std::string_view group : {"schedulingGroup", "workloadRef"}) {
    if (Get(spec, group)) fields.push_back("spec." + std::string(group));
  }
  return fields;
}

void ParsePodConditions(JsonView status, const std::vector<std::string>& prefixes,
                        PodScheduling& scheduling) {
  for (Condition& condition : ParseConditions(status)) {
    const bool kept = std::any_of(prefixes.begin(), prefixes.end(), [&](const auto& prefix) {
      return condition.type.starts_with(prefix);
    });
    if (condition.type == "PodScheduled") scheduling.scheduled = condition;
    if (kept) scheduling.conditions.push_back(std::move(condition));
  }
}

std::shared_ptr<const PodScheduling> ParseScheduling(JsonView pod, JsonView spec,
                                                     const ObjectMeta& meta,
                                                     const std::vector<std::string>& prefixes) {
  auto scheduling = std::make_shared<PodScheduling>();
  scheduling->init_containers = ParseContainers(spec, "initContainers");
  scheduling->containers = ParseContainers(spec, "containers");
  scheduling->node_selector = ParseNodeSelectorLabels(spec);
  if (const auto required = Find(spec, {"affinity", "nodeAffinity", kRequired})) {
    scheduling->affinity = ParseNodeSelector(*required);
  }
  scheduling->tolerations = ParseTolerations(spec);
  scheduling->claims = ParseClaims(spec, meta.name);
  if (const auto required = Find(spec, {"affinity", "podAffinity"})) {
    scheduling->pod_affinity = ParseAffinityTerms(*required, kRequired, meta.ns);
  }
  scheduling->spread = ParseSpreadConstraints(spec, meta.labels);
  scheduling->gated = HasElements(spec, "schedulingGates");
  scheduling->preempts = GetString(spec, "preemptionPolicy") != "Never";
  scheduling->unsupported = FindUnsupported(spec);
  if (const auto status = Get(pod, "status")) {
    scheduling->nominated = GetStringOr(*status, "nominatedNodeName");
    ParsePodConditions(*status, prefixes, *scheduling);
  }
  return scheduling;
}

// Its kubelet has written its status.
bool IsTakenIn(JsonView pod) {
  const auto status = Get(pod, "status");
  return status && !GetStringOr(*status, "startTime").empty();
}

}  // namespace

bool Clash(const HostPort& a, const HostPort& b) {
  const auto any = [](const std::string& ip) { return ip.empty() || ip == "0.0.0.0"; };
  return a.port == b.port && a.protocol == b.protocol && (any(a.ip) || any(b.ip) || a.ip == b.ip);
}

base::Result<Pod> Pod::FromJson(JsonView object,
                                const std::vector<std::string>& annotation_prefixes) {
  Pod pod;
  ASSIGN_OR_RETURN(pod.meta,
                   ParseMeta(object, {.labels = true, .annotation_prefixes = annotation_prefixes}));
  const auto spec = Get(object, "spec");
  if (!spec) return base::Corrupt("Pod " + pod.meta.key() + " has no spec");
  pod.scheduler_name = GetStringOr(*spec, "schedulerName");
  pod.node_name = GetStringOr(*spec, "nodeName");
  if (const auto status = Get(object, "status")) pod.phase = GetStringOr(*status, "phase");
  pod.priority = static_cast<int>(GetInt(*spec, "priority").value_or(0));
  pod.requests = PodRequests(object);
  pod.host_ports = ParseHostPorts(*spec);
  if (const auto keeps_away = Find(*spec, {"affinity", "podAntiAffinity"})) {
    pod.anti_affinity = ParseAffinityTerms(*keeps_away, kRequired, pod.meta.ns);
  }
  pod.mirror = IsMirror(object);
  const bool waits = !pod.bound() || (!pod.terminal() && !IsTakenIn(object));
  if (waits) pod.scheduling = ParseScheduling(object, *spec, pod.meta, annotation_prefixes);
  return pod;
}

bool IsMirror(JsonView pod) {
  const auto annotations = Find(pod, {"metadata", "annotations"});
  return annotations && Get(*annotations, kMirror).has_value();
}

}  // namespace vdcu::kclient
