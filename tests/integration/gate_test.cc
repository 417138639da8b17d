// The real kube-scheduler, which knows nothing of cards but their number, and the API server asks
// vdcu-controller about each of its bindings; two real vdcu-node.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "kclient/base64.h"
#include "tests/world/control_plane.h"
#include "tests/world/free_port.h"
#include "tests/world/invariants.h"
#include "tests/world/objects.h"
#include "tests/world/process.h"
#include "tests/world/worker.h"

namespace vdcu::integration {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;
using world::Condition;
using world::kPartitions;
using world::kPods;
using world::Limits;
using world::Until;
using world::Worker;

constexpr char kAddress[] = "10.20.30.40";  // of nobody
constexpr char kSlices[] = "/apis/discovery.k8s.io/v1/namespaces/vdcu-system/endpointslices";
constexpr char kConfigurations[] =
    "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
const Limits kQuarter{{"dcunum", "1"}, {"dcumem", "2000"}, {"dcucores", "25"}};
const Limits kMost{{"dcunum", "1"}, {"dcumem", "2000"}, {"dcucores", "60"}};

struct World : world::ControlPlane {
  World()
      : ControlPlane({.config = "advertising"}),
        wide(cluster, api, "wide", {.cards = 8, .model = "Z100L", .serial_prefix = "wide"}),
        tiny(cluster, api, "tiny", {.cards = 1, .model = "Z100L", .serial_prefix = "tiny"}) {
    const auto made = world::RunProgram(
        {"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-keyout", Pem("gate.key"), "-out", Pem("gate.crt"), "-subj", "/CN=gate",
         "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"});
    EXPECT_EQ(made.exit_code, 0) << made.text;
    AllowAddress();
    Configure();
    StartGate();
    StartScheduler();
  }

  std::string Pem(const std::string& name) const { return cluster.folder() + "/" + name; }
  std::string Url() const { return "https://127.0.0.1:" + std::to_string(port) + "/bindings"; }
  void StartGate() {
    controller = MakeController("controller", {"--webhook", "127.0.0.1:" + std::to_string(port),
                                               "--webhook-cert", Pem("gate.crt"), "--webhook-key",
                                               Pem("gate.key"), "--gate-advertise", kAddress});
  }
  // What the chart allows the controller where it serves the gate.
  void AllowAddress() const {
    const std::string path = "/apis/rbac.authorization.k8s.io/v1/namespaces/vdcu-system/";
    const json meta{{"name", "gate"}};
    const json create{{"apiGroups", {"discovery.k8s.io"}},
                      {"resources", {"endpointslices"}},
                      {"verbs", {"create"}}};
    json patch = create;
    patch["resourceNames"] = {"vdcu-gate"};
    patch["verbs"] = {"get", "patch"};
    const json subject{
        {"kind", "ServiceAccount"}, {"name", "vdcu-controller"}, {"namespace", "vdcu-system"}};
    const json role{{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", "Role"}, {"name", "gate"}};
    api.Call("POST", path + "roles", {{"metadata", meta}, {"rules", json::array({create, patch})}});
    api.Call("POST", path + "rolebindings",
             {{"metadata", meta}, {"subjects", json::array({subject})}, {"roleRef", role}});
  }
  // As config/schedulers/gate.yaml, but for where it is and whose bindings it asks about.
  void Configure() const {
    std::ifstream file(Pem("gate.crt"));
    const std::string ca{std::istreambuf_iterator<char>(file), {}};
    const json rule{{"apiGroups", {""}},
                    {"apiVersions", {"v1"}},
                    {"operations", {"CREATE"}},
                    {"resources", {"pods/binding", "bindings"}}};
    const json webhook{
        {"name", "bindings.vdcu.io"},
        {"admissionReviewVersions", {"v1"}},
        {"sideEffects", "NoneOnDryRun"},
        {"failurePolicy", "Ignore"},
        {"timeoutSeconds", 10},
        {"clientConfig", {{"url", Url()}, {"caBundle", kclient::EncodeBase64(ca)}}},
        {"matchConditions",
         {{{"name", "schedulers"}, {"expression", "request.userInfo.username in ['admin']"}}}},
        {"rules", json::array({rule})}};
    const auto answer =
        api.Call("POST", kConfigurations,
                 {{"metadata", {{"name", "vdcu-gate"}}}, {"webhooks", json::array({webhook})}});
    EXPECT_EQ(answer.code, 201) << answer.body.dump();
  }
  void StartScheduler() {
    const json fit{
        {"ignoredResources",
         {"hygon.com/dcumem", "hygon.com/dcucores", "hygon.com/hcumem", "hygon.com/hcucores"}}};
    const json profile{{"schedulerName", "default-scheduler"},
                       {"pluginConfig", {{{"name", "NodeResourcesFit"}, {"args", fit}}}}};
    const json config{{"apiVersion", "kubescheduler.config.k8s.io/v1"},
                      {"kind", "KubeSchedulerConfiguration"},
                      {"leaderElection", {{"leaderElect", false}}},
                      {"clientConnection", {{"kubeconfig", cluster.admin_kubeconfig()}}},
                      {"profiles", json::array({profile})}};
    const std::string path = Pem("kube-scheduler.yaml");
    std::ofstream(path) << config.dump();
    scheduler = std::make_unique<world::Background>(
        std::vector<std::string>{cluster.folder() + "/c/bin/kube-scheduler", "--config", path,
                                 "--secure-port=0"},
        cluster.folder() + "/kube-scheduler.log");
  }

  const int port = world::FreePort();
  Worker wide;
  Worker tiny;
  std::unique_ptr<world::Background> scheduler;
};

class GateTest : public testing::Test {
 protected:
  static World& world() {
    static World one;
    return one;
  }
  static const world::Api& api() { return world().api; }

  void SetUp() override {
    for (const Worker* worker : {&world().wide, &world().tiny}) {
      ASSERT_TRUE(
          Eventually(worker->name() + " published its cards", [&] { return worker->Published(); }));
    }
    ASSERT_TRUE(
        Eventually("the gate answers", [] { return Review("nobody", "", "tiny").empty(); }));
  }
  void TearDown() override {
    ExpectNoBreach();
    for (const char* path : {kPods, kPartitions}) world::DeleteAll(api(), path);
    Eventually("all partitions are gone", [] { return api().List(kPartitions).empty(); });
  }

  static void Create(const std::string& name, const Limits& limits, const std::string& node = "",
                     const std::string& scheduler = "default-scheduler") {
    json pod = world::Pod(name, limits);
    json& spec = pod["spec"];
    spec["schedulerName"] = scheduler;
    spec["terminationGracePeriodSeconds"] = 0;  // no kubelet ends pods here
    if (!node.empty()) spec["nodeSelector"] = {{"kubernetes.io/hostname", node}};
    world::Create(api(), pod);
  }
  static std::string NodeOf(const std::string& name) {
    const json pod = api().Find(kPods, name);
    return pod.is_object() ? pod["spec"].value("nodeName", "") : "";
  }
  static size_t CountBound() {
    size_t bound = 0;
    for (const json& pod : api().List(kPods)) bound += pod["spec"].contains("nodeName") ? 1 : 0;
    return bound;
  }
  static size_t CountReady() {
    size_t ready = 0;
    for (const json& partition : api().List(kPartitions)) {
      const json condition = Condition(partition, "Ready");
      ready += condition.is_object() && condition["status"] == "True" ? 1 : 0;
    }
    return ready;
  }
  // Each bound pod has its Ready slice, on its node, and nothing else has one.
  static void ExpectSlicesOfBoundPods() {
    std::map<std::string, std::string> want;
    std::map<std::string, std::string> has;
    for (const json& pod : api().List(kPods)) {
      if (!pod["spec"].contains("nodeName")) continue;
      want[pod["metadata"]["name"]] = pod["spec"]["nodeName"];
    }
    for (const json& partition : api().List(kPartitions)) {
      has[partition["spec"]["podRef"]["name"]] = partition["spec"]["assignment"]["node"];
      EXPECT_EQ(Condition(partition, "Ready")["status"], "True") << partition.dump();
    }
    EXPECT_EQ(has, want);
  }
  // As an API server asks. "": it may be bound; else why not, or what went wrong.
  static std::string Review(const std::string& pod, const std::string& uid, const std::string& node,
                            bool dry_run = false) {
    const json object{{"kind", "Binding"},
                      {"apiVersion", "v1"},
                      {"metadata", {{"name", pod}, {"namespace", "default"}, {"uid", uid}}},
                      {"target", {{"kind", "Node"}, {"name", node}}}};
    const json review{
        {"apiVersion", "admission.k8s.io/v1"},
        {"kind", "AdmissionReview"},
        {"request",
         {{"uid", "r-1"}, {"namespace", "default"}, {"dryRun", dry_run}, {"object", object}}}};
    const auto output = world::RunProgram({"curl", "--silent", "--cacert", world().Pem("gate.crt"),
                                           "--data", review.dump(), world().Url()});
    const json answer = json::parse(output.text, nullptr, /*allow_exceptions=*/false);
    if (!answer.is_object()) return "no review: " + output.text;
    const json& response = answer["response"];
    return response["allowed"] == true ? "" : response["status"]["message"].get<std::string>();
  }
  static void ExpectNoBreach() {
    EXPECT_THAT(world::BreachesOfObjects(api().List(kPartitions), {&world().wide, &world().tiny}),
                IsEmpty());
    for (const Worker* worker : {&world().wide, &world().tiny}) {
      EXPECT_THAT(world::BreachesOfFiles(*worker), IsEmpty());
    }
  }
  static bool Eventually(const std::string& what, const std::function<bool()>& done) {
    const bool did = Until(done);
    EXPECT_TRUE(did) << "never came true: " << what << "\ncontroller:\n"
                     << world().LogOf() << "kube-scheduler:\n"
                     << world().LogOf("kube-scheduler");
    return did;
  }
};

TEST_F(GateTest, EachPodIsBoundWithItsSlicePreparedAndNoneTwice) {
  for (int i = 0; i < 20; ++i) Create("p" + std::to_string(i), kQuarter);
  // No pod is seen bound before its slice is Ready.
  ASSERT_TRUE(Eventually("all are bound", [] {
    const size_t bound = CountBound();
    EXPECT_LE(bound, CountReady());
    return bound == 20;
  }));
  ExpectSlicesOfBoundPods();
  EXPECT_THAT(world().LogOf("kube-scheduler"), testing::Not(HasSubstr("Failed to bind")));
  for (const json& pod : api().List(kPods)) {
    EXPECT_FALSE(world::HasEvent(api(), pod["metadata"]["name"], "Adopted", "")) << "too late";
  }
}

// kube-scheduler sees three free tokens of the card.
TEST_F(GateTest, WithoutRoomItIsDeniedWithTheReasonAndTriedAgainUntilThereIs) {
  Create("first", kMost, "tiny");
  ASSERT_TRUE(Eventually("it is bound", [] { return NodeOf("first") == "tiny"; }));
  Create("second", kMost, "tiny");
  ASSERT_TRUE(Eventually("it says why", [] {
    const json scheduled = Condition(api().Find(kPods, "second"), "PodScheduled");
    const std::string why = scheduled.is_object() ? scheduled.value("message", "") : "";
    return why.find("node tiny: ") != std::string::npos &&
           why.find("1 card: ") != std::string::npos;
  }));
  EXPECT_EQ(NodeOf("second"), "");
  EXPECT_EQ(api().List(kPartitions).size(), 1u);
  world::Delete(api(), kPods, "first");
  EXPECT_TRUE(Eventually("it is tried again", [] { return NodeOf("second") == "tiny"; }));
  EXPECT_FALSE(world::HasEvent(api(), "second", "Adopted", ""));
}

TEST_F(GateTest, WhileNobodyAnswersPodsAreBoundAndGivenTheirSlicesAfterwards) {
  world().controller.reset();  // SIGKILL
  for (int i = 0; i < 6; ++i) Create("p" + std::to_string(i), kQuarter);
  Create("plain", {});
  ASSERT_TRUE(Eventually("all are bound", [] { return CountBound() == 7; }));
  EXPECT_THAT(api().List(kPartitions), IsEmpty());
  world().StartGate();
  EXPECT_TRUE(Eventually("each has its slice", [] { return CountReady() == 6; }));
  EXPECT_TRUE(Eventually("as one that came by itself",
                         [] { return world::HasEvent(api(), "p0", "Adopted", ""); }));
}

TEST_F(GateTest, TheLeaderIsKilledAgainAndAgainAndEachHasItsSliceOnce) {
  for (int i = 0; i < 12; ++i) Create("p" + std::to_string(i), kQuarter);
  for (int i = 0; i < 3; ++i) {
    const size_t before = api().List(kPartitions).size();
    Until([&] { return api().List(kPartitions).size() > before || CountBound() == 12; },
          std::chrono::seconds(20));
    world().controller.reset();  // SIGKILL
    ExpectNoBreach();
    world().StartGate();
  }
  ASSERT_TRUE(Eventually("all are bound", [] { return CountBound() == 12; }));
  ASSERT_TRUE(Eventually("each has its slice, and nobody else", [] {
    return CountReady() == 12 && api().List(kPartitions).size() == 12;
  }));
}

TEST_F(GateTest, TheServiceLeadsToWhoLeads) {
  const std::string want = kAddress + (":" + std::to_string(world().port));
  EXPECT_TRUE(Eventually("it leads to the controller", [&] {
    const json slice = api().Find(kSlices, "vdcu-gate");
    return slice.is_object() && slice["endpoints"][0]["addresses"][0].get<std::string>() + ":" +
                                        std::to_string(slice["ports"][0]["port"].get<int>()) ==
                                    want;
  }));
}

// Of a scheduler that asks and does nothing.
TEST_F(GateTest, WhatIsAskedForAndNotBoundGoesAndADryRunMakesNothing) {
  Create("asked", kQuarter, "", "nobody");
  const std::string uid = api().Find(kPods, "asked")["metadata"]["uid"];
  EXPECT_EQ(Review("asked", uid, "tiny", true), "");
  EXPECT_THAT(api().List(kPartitions), IsEmpty());
  EXPECT_EQ(Review("asked", uid, "tiny"), "");
  EXPECT_EQ(CountReady(), 1u) << "it was prepared before the answer";
  EXPECT_EQ(Review("asked", uid, "tiny"), "") << "asked again";
  EXPECT_EQ(api().List(kPartitions).size(), 1u) << "given once";
  EXPECT_TRUE(Eventually("it is taken back", [] { return api().List(kPartitions).empty(); }));
  EXPECT_EQ(NodeOf("asked"), "");
}

}  // namespace
}  // namespace vdcu::integration
