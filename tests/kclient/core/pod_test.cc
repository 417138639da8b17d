#include "kclient/core/pod.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/kclient/core/parsed.h"

namespace vdcu::kclient {
namespace {

constexpr std::string_view kPending = R"({"kind": "Pod", "apiVersion": "v1",
  "metadata": {"name": "train-0", "namespace": "team-a", "uid": "u1", "labels": {"app": "x"},
    "annotations": {"vdcu.io/partition": "p1", "hygon.com/use-dcutype": "K100_AI", "other": "y"}},
  "spec": {
    "schedulerName": "vdcu-scheduler", "priority": 1000, "preemptionPolicy": "Never",
    "nodeSelector": {"zone": "a"},
    "schedulingGates": [{"name": "wait"}],
    "affinity": {
      "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
        {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["node-1"]}]}]}},
      "podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1}]}},
    "tolerations": [{"key": "dcu", "operator": "Exists", "effect": "NoSchedule"}],
    "topologySpreadConstraints": [{"maxSkew": 1, "whenUnsatisfiable": "ScheduleAnyway"}],
    "volumes": [
      {"name": "data", "persistentVolumeClaim": {"claimName": "data-claim"}},
      {"name": "scratch", "ephemeral": {"volumeClaimTemplate": {"spec": {}}}},
      {"name": "tmp", "emptyDir": {}}],
    "initContainers": [
      {"name": "fetch", "ports": [{"containerPort": 1, "hostPort": 1}],
       "resources": {"requests": {"cpu": "2"}}},
      {"name": "proxy", "restartPolicy": "Always",
       "ports": [{"containerPort": 9000, "hostPort": 9000, "protocol": "UDP"}]}],
    "containers": [
      {"name": "main", "image": "registry/train:1", "env": [{"name": "A", "value": "b"}],
       "ports": [{"containerPort": 80},
                 {"containerPort": 8080, "hostPort": 8080, "hostIP": "10.0.0.1"}],
       "resources": {"limits": {"hygon.com/dcunum": "1", "hygon.com/dcumem": "2000"},
                     "requests": {"cpu": "1", "hygon.com/dcunum": "1"}}}]},
  "status": {"phase": "Pending", "nominatedNodeName": "node-1", "conditions": [
    {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3",
     "lastTransitionTime": "2026-01-02T00:00:00Z"}]}})";

TEST(Pod, APendingOneKeepsWhatPlacementNeeds) {
  const Parsed json(kPending);
  const auto pod = Pod::FromJson(json.view(), {"vdcu.io/", "hygon.com/"});
  ASSERT_TRUE(pod) << pod.error().message;
  EXPECT_EQ(pod->meta.key(), "team-a/train-0");
  EXPECT_EQ(pod->meta.labels, (Labels{{"app", "x"}}));
  EXPECT_EQ(pod->meta.annotations,
            (Labels{{"vdcu.io/partition", "p1"}, {"hygon.com/use-dcutype", "K100_AI"}}));
  EXPECT_EQ(pod->scheduler_name, "vdcu-scheduler");
  EXPECT_EQ(pod->priority, 1000);
  EXPECT_EQ(pod->phase, "Pending");
  EXPECT_FALSE(pod->bound());
  EXPECT_FALSE(pod->terminal());
  EXPECT_EQ(pod->requests,
            (ResourceList{{"cpu", 2000}, {"hygon.com/dcunum", 1}, {"hygon.com/dcumem", 2000}}));
  const std::vector<HostPort> want_ports{{"", "UDP", 9000}, {"10.0.0.1", "TCP", 8080}};
  EXPECT_EQ(pod->host_ports, want_ports) << "of sidecars and containers only";

  ASSERT_NE(pod->scheduling, nullptr);
  const PodScheduling& scheduling = *pod->scheduling;
  ASSERT_EQ(scheduling.containers.size(), 1U);
  EXPECT_EQ(scheduling.containers[0].name, "main");
  EXPECT_EQ(scheduling.containers[0].limits,
            (ResourceList{{"hygon.com/dcunum", 1}, {"hygon.com/dcumem", 2000}}));
  EXPECT_EQ(scheduling.containers[0].requests,
            (ResourceList{{"cpu", 1000}, {"hygon.com/dcunum", 1}, {"hygon.com/dcumem", 2000}}));
  ASSERT_EQ(scheduling.init_containers.size(), 2U);
  EXPECT_EQ(scheduling.init_containers[1].name, "proxy");
  EXPECT_EQ(scheduling.node_selector, (Labels{{"zone", "a"}}));
  EXPECT_TRUE(Matches(scheduling.affinity, "node-1", {}));
  EXPECT_FALSE(Matches(scheduling.affinity, "node-2", {}));
  EXPECT_EQ(scheduling.tolerations, (std::vector<Toleration>{{"dcu", "Exists", "", "NoSchedule"}}));
  EXPECT_EQ(scheduling.claims, (std::vector<std::string>{"data-claim", "train-0-scratch"}));
  EXPECT_TRUE(scheduling.gated);
  EXPECT_FALSE(scheduling.preempts);
  EXPECT_EQ(scheduling.nominated, "node-1");
  EXPECT_TRUE(scheduling.unsupported.empty()) << "preferences are no needs";
  EXPECT_EQ(scheduling.scheduled.reason, "Unschedulable");
}

TEST(Pod, ABoundOneKeepsItsSchedulingPartUntilItsKubeletHasTakenItIn) {
  struct Case {
    std::string name;
    std::string status;
    bool want;
  };
  for (const Case& c : std::vector<Case>{
           {"it has just been bound", R"({"phase": "Pending"})", true},
           {"its kubelet has written its status",
            R"({"phase": "Pending", "startTime": "2026-01-02T00:00:00Z"})", false},
           {"it was refused", R"({"phase": "Failed"})", false},
       }) {
    const Parsed json(R"({"metadata": {"name": "p"}, "spec": {"nodeName": "node-1",
                          "containers": [{"name": "c"}]}, "status": )" +
                      c.status + "}");
    const auto pod = Pod::FromJson(json.view(), {});
    ASSERT_TRUE(pod) << c.name;
    EXPECT_EQ(pod->scheduling != nullptr, c.want) << c.name;
  }
}

TEST(Pod, OurConditionsAreKeptAndAMirrorIsKnown) {
  const Parsed json(R"({"metadata": {"name": "p", "annotations": {
      "kubernetes.io/config.mirror": "1a2b"}}, "spec": {"containers": [{"name": "c"}]},
    "status": {"conditions": [{"type": "Ready", "status": "True"},
                              {"type": "vdcu.io/SliceAssigned", "status": "False"}]}})");
  const auto pod = Pod::FromJson(json.view(), {"vdcu.io/"});
  ASSERT_TRUE(pod);
  EXPECT_TRUE(pod->mirror);
  EXPECT_TRUE(pod->meta.annotations.empty());
  ASSERT_EQ(pod->scheduling->conditions.size(), 1U);
  EXPECT_EQ(pod->scheduling->conditions[0].type, "vdcu.io/SliceAssigned");
}

TEST(Pod, ABoundOneThatIsTakenInKeepsNoSchedulingPart) {
  std::string text(kPending);
  text.replace(text.find("\"schedulerName\""), 0, R"("nodeName": "node-1", )");
  text.replace(text.find("\"phase\""), 0, R"("startTime": "2026-01-02T00:00:00Z", )");
  const Parsed json(text);
  const auto pod = Pod::FromJson(json.view(), {});
  ASSERT_TRUE(pod);
  EXPECT_TRUE(pod->meta.annotations.empty()) << "none was asked for";
  EXPECT_TRUE(pod->bound());
  EXPECT_EQ(pod->scheduling, nullptr);
  EXPECT_EQ(pod->requests.at("cpu"), 2000);
  EXPECT_EQ(pod->host_ports.size(), 2U);
}

TEST(Pod, ABareOneHasNoWishes) {
  const Parsed json(R"({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c"}]}})");
  const auto pod = Pod::FromJson(json.view(), {});
  ASSERT_TRUE(pod);
  ASSERT_NE(pod->scheduling, nullptr);
  EXPECT_FALSE(pod->scheduling->affinity.present);
  EXPECT_FALSE(pod->scheduling->gated);
  EXPECT_TRUE(pod->scheduling->preempts);
  EXPECT_TRUE(pod->scheduling->scheduled.type.empty());
  EXPECT_TRUE(pod->requests.empty());
}

TEST(Pod, WithoutNameOrSpecItIsCorrupt) {
  for (const std::string_view text :
       {R"({"kind": "Pod", "spec": {}})", R"({"kind": "Pod", "metadata": {"name": "p"}})"}) {
    const Parsed json(text);
    const auto pod = Pod::FromJson(json.view(), {});
    ASSERT_FALSE(pod) << text;
    EXPECT_EQ(pod.error().code, base::ErrorCode::kCorrupt);
  }
}

struct NeedCase {
  std::string name;
  std::string spec;
  std::vector<std::string> want;
};

TEST(Pod, NamesTheFieldsThatNobodyHereUnderstands) {
  const std::vector<NeedCase> cases = {
      {"required pod affinity",
       R"({"affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{}]}}})",
       {}},
      {"a strict spread",
       R"({"topologySpreadConstraints": [{"whenUnsatisfiable": "DoNotSchedule"}]})",
       {}},
      {"resource claims", R"({"resourceClaims": [{"name": "gpu"}]})", {"spec.resourceClaims"}},
      {"a scheduling group",
       R"({"schedulingGroup": {"podGroupName": "g"}})",
       {"spec.schedulingGroup"}},
      {"a workload", R"({"workloadRef": {"name": "w"}})", {"spec.workloadRef"}},
      {"several",
       R"({"resourceClaims": [{}], "schedulingGroup": {}})",
       {"spec.resourceClaims", "spec.schedulingGroup"}},
  };
  for (const auto& [name, spec, want] : cases) {
    const Parsed json(R"({"metadata": {"name": "p"}, "spec": )" + spec + "}");
    const auto pod = Pod::FromJson(json.view(), {});
    ASSERT_TRUE(pod) << name;
    EXPECT_EQ(pod->scheduling->unsupported, want) << name;
  }
}

TEST(HostPort, ClashesOnTheSamePortProtocolAndAddress) {
  const HostPort port{"10.0.0.1", "TCP", 80};
  EXPECT_TRUE(Clash(port, port));
  EXPECT_TRUE(Clash(port, {"", "TCP", 80}));
  EXPECT_TRUE(Clash({"0.0.0.0", "TCP", 80}, port));
  EXPECT_FALSE(Clash(port, {"10.0.0.2", "TCP", 80}));
  EXPECT_FALSE(Clash(port, {"", "UDP", 80}));
  EXPECT_FALSE(Clash(port, {"", "TCP", 81}));
}

}  // namespace
}  // namespace vdcu::kclient
