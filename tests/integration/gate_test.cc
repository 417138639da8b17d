// The real kube-scheduler, which knows nothing of cards but their number, and the API server asks
// vdcu-controller about each of its bindings; two real vdcu-node.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/world/control_plane.h"
#include "tests/world/gate.h"
#include "tests/world/invariants.h"
#include "tests/world/objects.h"
#include "tests/world/process.h"
#include "tests/world/schedulers.h"
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
const Limits kQuarter{{"dcunum", "1"}, {"dcumem", "2000"}, {"dcucores", "25"}};
const Limits kMost{{"dcunum", "1"}, {"dcumem", "2000"}, {"dcucores", "60"}};

struct World : world::ControlPlane {
  World()
      : ControlPlane({.config = "advertising"}),
        wide(cluster, api, "wide", {.cards = 8, .model = "Z100L", .serial_prefix = "wide"}),
        tiny(cluster, api, "tiny", {.cards = 1, .model = "Z100L", .serial_prefix = "tiny"}) {
    world::AllowAddress(api, "vdcu-gate");
    gate.Configure(api);
    StartGate();
    StartScheduler();
  }

  void StartGate() {
    std::vector<std::string> flags = gate.Flags();
    flags.insert(flags.end(), {"--gate-advertise", kAddress});
    controller = MakeController("controller", flags);
  }
  void StartScheduler() {
    const json fit{
        {"ignoredResources",
         {"hygon.com/dcumem", "hygon.com/dcucores", "hygon.com/hcumem", "hygon.com/hcucores"}}};
    const json profile{{"schedulerName", "default-scheduler"},
                       {"pluginConfig", {{{"name", "NodeResourcesFit"}, {"args", fit}}}}};
    scheduler = world::StartKubeScheduler(cluster, {{"profiles", json::array({profile})}});
  }

  const world::Gate gate{cluster};
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
  static size_t CountBound() { return world::CountBound(api()); }
  static size_t CountReady() {
    size_t ready = 0;
    for (const json& partition : api().List(kPartitions)) {
      const json condition = Condition(partition, "Ready");
      ready += condition.is_object() && condition["status"] == "True" ? 1 : 0;
    }
    return ready;
  }
  static void ExpectSlicesOfBoundPods() {
    EXPECT_THAT(world::DifferencesOfSlices(api()), IsEmpty());
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
    const auto output =
        world::RunProgram({"curl", "--silent", "--cacert", world().gate.certificate(), "--data",
                           review.dump(), world().gate.Url()});
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

// The API server waits for it as long as the webhook's configuration says, 10 s.
TEST_F(GateTest, WhileItHangsPodsAreBoundAllTheSameAndGivenTheirSlicesAfterwards) {
  world().controller->Signal(SIGSTOP);
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < 3; ++i) Create("p" + std::to_string(i), kQuarter);
  const bool bound = Until([] { return CountBound() == 3; }, std::chrono::seconds(90));
  const size_t slices = api().List(kPartitions).size();
  world().controller->Signal(SIGCONT);
  EXPECT_TRUE(bound);
  EXPECT_GE(std::chrono::steady_clock::now() - began, std::chrono::seconds(10)) << "it was asked";
  EXPECT_EQ(slices, 0u);
  EXPECT_TRUE(Eventually("each has its slice, and nobody else",
                         [] { return CountReady() == 3 && api().List(kPartitions).size() == 3; }));
  ExpectSlicesOfBoundPods();
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
  const std::string want = kAddress + (":" + std::to_string(world().gate.port()));
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
