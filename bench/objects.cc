#include "bench/objects.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "crds/dcunode.h"
#include "crds/keys.h"
#include "crds/vdcupartition.h"

namespace vdcu::bench {

std::string NodeName(size_t n) { return "node-" + std::to_string(n); }

namespace {

using nlohmann::json;

constexpr size_t kCards = 8;
constexpr size_t kSlicesOfANode = 10;

std::string PodName(size_t n) { return "inference-6c9f7d5b8d-" + std::to_string(100'000 + n); }

std::string Uid(const char* kind, size_t n) {
  char text[64];
  std::snprintf(text, sizeof text, "%s-5b7a-4c3e-9f00-%012zu", kind, n);
  return text;
}

std::string Uuid(size_t node, size_t card) {
  return "DCU-T6T82900" + std::to_string(10'000'000 + node * kCards + card);
}

// Different for each object, as in a cluster that has grown.
std::string TimeOf(size_t n) {
  const auto begin = base::ParseTime("2026-01-02T15:04:05Z").value();
  return base::FormatTime(begin + std::chrono::seconds(31 * n));
}

json Meta(const std::string& name, const std::string& uid, size_t version) {
  return {{"name", name},
          {"uid", uid},
          {"resourceVersion", std::to_string(1'000'000 + version)},
          {"creationTimestamp", TimeOf(version)}};
}

json ManagedFields(const char* manager, int entries) {
  json fields;
  for (int i = 0; i < entries; ++i) {
    const std::string key = "k:{\"name\":\"SETTING_OF_THE_MODEL_" + std::to_string(i) + "\"}";
    fields["f:spec"]["f:containers"]["k:{\"name\":\"main\"}"]["f:env"][key] = {
        {".", json::object()}, {"f:name", json::object()}, {"f:value", json::object()}};
  }
  return {{"manager", manager},       {"operation", "Update"},
          {"apiVersion", "v1"},       {"time", "2026-01-02T15:04:05Z"},
          {"fieldsType", "FieldsV1"}, {"fieldsV1", fields}};
}

json Container() {
  json container{{"name", "main"},
                 {"image", "registry.example/inference/server:v1.2.3"},
                 {"command", {"/usr/bin/server", "--model", "/models/large", "--port", "8080"}},
                 {"ports", {{{"name", "http"}, {"containerPort", 8080}, {"protocol", "TCP"}}}},
                 {"resources",
                  {{"limits",
                    {{"cpu", "4"},
                     {"memory", "16Gi"},
                     {"hygon.com/dcunum", "1"},
                     {"hygon.com/dcumem", "2000"},
                     {"hygon.com/dcucores", "15"}}},
                   {"requests", {{"cpu", "2"}, {"memory", "8Gi"}, {"hygon.com/dcunum", "1"}}}}},
                 {"livenessProbe",
                  {{"httpGet", {{"path", "/health"}, {"port", 8080}}}, {"periodSeconds", 10}}},
                 {"terminationMessagePath", "/dev/termination-log"},
                 {"imagePullPolicy", "IfNotPresent"}};
  for (int i = 0; i < 25; ++i) {
    container["env"].push_back(
        {{"name", "SETTING_OF_THE_MODEL_" + std::to_string(i)},
         {"value", "a value as they are: /models/large/v" + std::to_string(i)}});
  }
  for (int i = 0; i < 6; ++i) {
    container["volumeMounts"].push_back({{"name", "volume-" + std::to_string(i)},
                                         {"mountPath", "/mnt/volume-" + std::to_string(i)}});
  }
  return container;
}

json PodSpec() {
  json spec{{"schedulerName", "vdcu-scheduler"},
            {"nodeName", "NODE-NAME"},
            {"containers", json::array({Container()})},
            {"serviceAccountName", "inference"},
            {"restartPolicy", "Always"},
            {"dnsPolicy", "ClusterFirst"},
            {"terminationGracePeriodSeconds", 30},
            {"priority", 0}};
  for (int i = 0; i < 6; ++i) {
    spec["volumes"].push_back({{"name", "volume-" + std::to_string(i)},
                               {"configMap", {{"name", "config"}, {"defaultMode", 420}}}});
  }
  for (const char* key : {"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"}) {
    spec["tolerations"].push_back({{"key", key},
                                   {"operator", "Exists"},
                                   {"effect", "NoExecute"},
                                   {"tolerationSeconds", 300}});
  }
  return spec;
}

json PodStatus() {
  json status{{"phase", "Running"},
              {"hostIP", "10.1.2.3"},
              {"podIP", "10.244.1.2"},
              {"qosClass", "Burstable"},
              {"startTime", "2026-01-02T15:04:05Z"}};
  for (const char* type : {"PodScheduled", "Initialized", "ContainersReady", "Ready"}) {
    status["conditions"].push_back(
        {{"type", type}, {"status", "True"}, {"lastTransitionTime", "2026-01-02T15:04:05Z"}});
  }
  status["containerStatuses"] = {
      {{"name", "main"},
       {"ready", true},
       {"restartCount", 0},
       {"image", "registry.example/inference/server:v1.2.3"},
       {"containerID",
        "containerd://0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0"},
       {"state", {{"running", {{"startedAt", "2026-01-02T15:04:05Z"}}}}}}};
  return status;
}

// What differs between pods is put in later: building 50,000 of them would take longer than what
// is measured.
std::string PodTemplate() {
  json meta{{"name", "POD-NAME"},
            {"namespace", "inference"},
            {"uid", "POD-UID"},
            {"resourceVersion", "POD-VERSION"},
            {"creationTimestamp", "POD-CREATED"},
            {"labels", {{"app", "inference"}, {"pod-template-hash", "6c9f7d5b8d"}}},
            {"annotations", {{"prometheus.io/scrape", "true"}, {"hygon.com/use-dcutype", "K100"}}}};
  meta["managedFields"] = {ManagedFields("kube-controller-manager", 25),
                           ManagedFields("kubelet", 10)};
  return json{{"apiVersion", "v1"},
              {"kind", "Pod"},
              {"metadata", meta},
              {"spec", PodSpec()},
              {"status", PodStatus()}}
      .dump();
}

void Replace(std::string& text, std::string_view what, const std::string& by) {
  text.replace(text.find(what), what.size(), by);
}

kclient::Condition True(std::string_view type, size_t n) {
  return {.type = std::string(type),
          .status = "True",
          .reason = std::string(type),
          .message = "",
          .last_transition_time = TimeOf(n),
          .observed_generation = 1};
}

dcu::Assignment AssignmentOf(size_t n) {
  const size_t slice = n % kSlicesOfANode;
  dcu::Assignment assignment;
  assignment.node = NodeName(n / kSlicesOfANode);
  assignment.device = Uuid(n / kSlicesOfANode, slice / 4);
  assignment.pci_bus_id = "0000:33:00.0";
  assignment.compute_units = 18;
  // Three slices of 18 units in the first word, the fourth in the second.
  constexpr uint64_t kUnits = (uint64_t{1} << 18) - 1;
  assignment.units =
      slice % 4 == 3 ? dcu::CuMask(0, kUnits) : dcu::CuMask(kUnits << (18 * (slice % 4)), 0);
  assignment.memory = dcu::MiB{2000};
  assignment.pipe = static_cast<int>(slice % 4);
  assignment.vdev = static_cast<int>(slice);
  return assignment;
}

}  // namespace

std::string PodJson(size_t n) {
  static const std::string kTemplate = PodTemplate();
  std::string pod = kTemplate;
  Replace(pod, "POD-NAME", PodName(n));
  Replace(pod, "POD-UID", Uid("3f6c1d0e", n));
  Replace(pod, "POD-VERSION", std::to_string(1'000'000 + n));
  Replace(pod, "POD-CREATED", TimeOf(n));
  Replace(pod, "NODE-NAME", NodeName(n / kSlicesOfANode));
  return pod;
}

std::string WaitingPodJson(size_t n) {
  json pod = json::parse(PodJson(n));
  pod["spec"].erase("nodeName");
  pod["spec"]["schedulerName"] = "default-scheduler";
  pod["status"] = {{"phase", "Pending"}};
  return pod.dump();
}

std::string NamespaceJson() {
  return json{{"apiVersion", "v1"},
              {"kind", "Namespace"},
              {"metadata", Meta("inference", Uid("4d5e6f70", 0), 0)}}
      .dump();
}

std::string PartitionJson(size_t n) {
  crds::VdcuPartition partition;
  partition.meta.name = crds::PartitionName(PodName(n), Uid("3f6c1d0e", n), "main", 0);
  partition.meta.ns = "inference";
  partition.meta.finalizers = {std::string(crds::kFinalizer)};
  partition.meta.owner_references = {{"v1", "Pod", PodName(n), Uid("3f6c1d0e", n), true}};
  partition.spec.request.percent = 15;
  partition.spec.request.memory = dcu::MiB{2000};
  partition.spec.pod_ref = crds::PodRef{PodName(n), Uid("3f6c1d0e", n), "main"};
  partition.spec.assignment = AssignmentOf(n);
  partition.status.conditions = {True(crds::kPrepared, n), True(crds::kHealthy, n + 1),
                                 True(crds::kReady, n + 1)};
  partition.status.vdev_file = "/etc/vdev/vdev" + std::to_string(n % kSlicesOfANode) + ".conf";
  json object = crds::ToJson(partition);
  object["status"] = crds::ToJson(partition.status);
  object["metadata"].update(Meta(partition.meta.name, Uid("7a8b9c0d", n), n));
  object["metadata"]["managedFields"] = json::array({ManagedFields("vdcu-controller", 4)});
  return object.dump();
}

std::string NodeJson(size_t n) {
  json resources{{"cpu", "64"}, {"memory", "512Gi"}, {"pods", "110"}, {"hygon.com/dcunum", "32"}};
  json node{{"apiVersion", "v1"},
            {"kind", "Node"},
            {"metadata", Meta(NodeName(n), Uid("1e2d3c4b", n), n)}};
  node["metadata"]["labels"] = {{"kubernetes.io/hostname", NodeName(n)},
                                {"kubernetes.io/arch", "amd64"},
                                {"kubernetes.io/os", "linux"},
                                {"topology.kubernetes.io/zone", "zone-a"}};
  node["status"] = {{"capacity", resources},
                    {"allocatable", resources},
                    {"conditions", {{{"type", "Ready"}, {"status", "True"}}}}};
  return node.dump();
}

std::string DcuNodeJson(size_t n) {
  crds::DcuNodeStatus status;
  status.driver_version = "6.3.8";
  for (size_t card = 0; card < kCards; ++card) {
    dcu::Device device;
    device.index = static_cast<int>(card);
    device.uuid = Uuid(n, card);
    device.model = "K100_AI";
    device.pci_device_id = "6210";
    device.pci_bus_id = "0000:" + std::to_string(33 + card) + ":00.0";
    device.compute_units = 120;
    device.memory = dcu::MiB{65520};
    device.numa_node = static_cast<int>(card / 4);
    device.drm_card_minor = static_cast<int>(card);
    device.drm_render_minor = static_cast<int>(128 + card);
    status.devices.push_back(device);
  }
  status.models = "K100_AI";
  status.vdcus = "10/32";
  status.healthy = "8/8";
  status.conditions = {True(crds::kReady, n)};
  return json{{"apiVersion", "vdcu.io/v1alpha1"},
              {"kind", "DCUNode"},
              {"metadata", Meta(NodeName(n), Uid("5f6e7d8c", n), n)},
              {"status", crds::ToJson(status)}}
      .dump();
}

}  // namespace vdcu::bench
