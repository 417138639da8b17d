// The real kube-scheduler with vdcu-controller as its extender, and two real vdcu-node.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/world/control_plane.h"
#include "tests/world/invariants.h"
#include "tests/world/objects.h"
#include "tests/world/schedulers.h"
#include "tests/world/worker.h"

namespace vdcu::integration {
namespace {

using nlohmann::json;
using testing::IsEmpty;
using world::Condition;
using world::kPartitions;
using world::kPods;
using world::Limits;
using world::Until;
using world::Worker;

constexpr char kAddress[] = "10.20.30.40";  // of nobody
constexpr char kSlices[] = "/apis/discovery.k8s.io/v1/namespaces/vdcu-system/endpointslices";
constexpr char kPriorities[] = "/apis/scheduling.k8s.io/v1/priorityclasses";
constexpr char kVolumes[] = "/api/v1/persistentvolumes";
constexpr char kClaims[] = "/api/v1/namespaces/default/persistentvolumeclaims";
const Limits kTenth{{"dcunum", "1"}, {"dcumem", "1000"}, {"dcucores", "10"}};
const Limits kQuarter{{"dcunum", "1"}, {"dcumem", "2000"}, {"dcucores", "25"}};

struct World : world::ControlPlane {
  World()
      : ControlPlane({.config = "advertising"}),
        wide(cluster, api, "wide", {.cards = 14, .model = "Z100L", .serial_prefix = "wide"}),
        tiny(cluster, api, "tiny", {.cards = 1, .model = "Z100L", .serial_prefix = "tiny"}) {
    world::AllowAddress(api, "vdcu-extender");
    StartController();
    scheduler = extender.StartScheduler();
    for (const auto& [name, value] : {std::pair("low", 10), {"high", 1000}}) {
      api.Call("POST", kPriorities, {{"metadata", {{"name", name}}}, {"value", value}});
    }
  }

  void StartController() {
    std::vector<std::string> flags = extender.Flags();
    flags.insert(flags.end(), {"--extender-advertise", kAddress});
    controller = MakeController("controller", flags);
  }

  const world::KubeExtender extender{cluster};
  Worker wide;
  Worker tiny;
  std::unique_ptr<world::Background> scheduler;
};

class ExtenderTest : public testing::Test {
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
  }
  void TearDown() override {
    ExpectNoBreach();
    for (const char* path : {kPods, kPartitions}) world::DeleteAll(api(), path);
    Eventually("all partitions are gone", [] { return api().List(kPartitions).empty(); });
  }

  static json Asking(const std::string& name, const Limits& limits) {
    json pod = world::Pod(name, limits);
    pod["spec"]["schedulerName"] = "vdcu-kube";
    pod["spec"]["terminationGracePeriodSeconds"] = 0;  // no kubelet ends pods here
    return pod;
  }
  static void Create(const std::string& name, const Limits& limits, const std::string& node = "",
                     const std::string& priority = "") {
    json pod = Asking(name, limits);
    json& spec = pod["spec"];
    if (!node.empty()) spec["nodeSelector"] = {{"kubernetes.io/hostname", node}};
    if (!priority.empty()) spec["priorityClassName"] = priority;
    world::Create(api(), pod);
  }
  static std::string NodeOf(const std::string& name) {
    const json pod = api().Find(kPods, name);
    return pod.is_object() ? pod["spec"].value("nodeName", "") : "";
  }
  static size_t CountBound() { return world::CountBound(api()); }
  static void ExpectSlicesOfBoundPods() {
    EXPECT_THAT(world::DifferencesOfSlices(api()), IsEmpty());
  }
  static void ExpectNoBreach() {
    EXPECT_THAT(world::BreachesOfObjects(api().List(kPartitions), {&world().wide, &world().tiny}),
                IsEmpty());
    for (const Worker* worker : {&world().wide, &world().tiny}) {
      EXPECT_THAT(world::BreachesOfFiles(*worker), IsEmpty());
    }
  }
  static std::string Logs() {
    return "controller:\n" + world().LogOf() + "kube-scheduler:\n" +
           world().LogOf("kube-scheduler") + "wide:\n" + world().wide.Log();
  }
  static bool Eventually(const std::string& what, const std::function<bool()>& done) {
    const bool did = Until(done);
    EXPECT_TRUE(did) << "never came true: " << what << "\n" << Logs();
    return did;
  }
};

// Four on each of fifteen cards: no room is left.
TEST_F(ExtenderTest, AllPodsThatFitAreBoundAtOnceAndNoneTwice) {
  for (int i = 0; i < 60; ++i) Create("p" + std::to_string(i), kQuarter);
  ASSERT_TRUE(Eventually("all are bound", [] { return CountBound() == 60; }));
  ExpectSlicesOfBoundPods();
  EXPECT_THAT(world().LogOf("kube-scheduler"), testing::Not(testing::HasSubstr("Failed to bind")));
  const std::string events = world().cluster.Kubectl({"events"}).text;
  EXPECT_THAT(events, testing::HasSubstr("Scheduled"));
}

TEST_F(ExtenderTest, APodWaitsWithOurReasonAndIsWokenWhenASliceIsFree) {
  for (int i = 0; i < 4; ++i) Create("p" + std::to_string(i), kQuarter, "tiny");
  ASSERT_TRUE(Eventually("the card is full", [] { return CountBound() == 4; }));
  Create("waits", {{"dcunum", "1"}, {"dcumem", "1000"}, {"dcucores", "10"}}, "tiny");
  Create("more", kQuarter, "tiny");
  ASSERT_TRUE(Eventually("it waits", [] {
    return Condition(api().Find(kPods, "waits"), "PodScheduled").is_object();
  }));
  // The token is free when the pod is gone, and the slice later: kube-scheduler asks in between,
  // and then nothing that it knows of changes.
  world().tiny.daemon().Signal(SIGSTOP);
  world::Delete(api(), kPods, "p0");
  const bool asked = Until(
      [] {
        const json scheduled = Condition(api().Find(kPods, "waits"), "PodScheduled");
        return scheduled.is_object() &&
               scheduled["message"].get<std::string>().find(" card") != std::string::npos;
      },
      std::chrono::seconds(8));
  world().tiny.daemon().Signal(SIGCONT);
  EXPECT_TRUE(asked) << Condition(api().Find(kPods, "waits"), "PodScheduled").dump();
  // Without being told kube-scheduler would try again after five minutes.
  EXPECT_TRUE(Eventually("one of them is bound",
                         [] { return !NodeOf("waits").empty() || !NodeOf("more").empty(); }));
  ExpectNoBreach();
}

// kube-scheduler looks when the token is free, which is before the slice is; by itself it would
// then wait for five minutes.
TEST_F(ExtenderTest, OfManyThatWaitOneIsWokenForEachSliceThatComesFree) {
  for (int i = 0; i < 4; ++i) Create("holds" + std::to_string(i), kQuarter, "tiny");
  ASSERT_TRUE(Eventually("the card is full", [] { return CountBound() == 4; }));
  for (int i = 0; i < 20; ++i) Create("waits" + std::to_string(i), kQuarter, "tiny");
  const auto bound = [] {
    std::vector<std::string> names;
    for (const json& pod : api().List(kPods)) {
      if (pod["spec"].contains("nodeName")) names.push_back(pod["metadata"]["name"]);
    }
    return names;
  };
  const auto began = std::chrono::steady_clock::now();
  for (int freed = 1; freed <= 20; ++freed) {
    world::Delete(api(), kPods, bound().front());
    ASSERT_TRUE(Eventually("pod " + std::to_string(freed) + " takes what came free",
                           [&] { return bound().size() == 4; }));
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  EXPECT_LT(took.count(), 240) << "20 in a row";
  RecordProperty("seconds", std::to_string(took.count()));
  ExpectSlicesOfBoundPods();
}

TEST_F(ExtenderTest, NothingIsLostOrGrantedTwiceWhenTheLeaderIsKilledAgainAndAgain) {
  for (int i = 0; i < 24; ++i) Create("p" + std::to_string(i), kQuarter);
  for (int i = 0; i < 6; ++i) {
    const size_t before = api().List(kPartitions).size();
    Until([&] { return api().List(kPartitions).size() > before || CountBound() == 24; },
          std::chrono::seconds(20));
    world().controller.reset();  // SIGKILL
    ExpectNoBreach();
    world().StartController();
  }
  ASSERT_TRUE(Eventually("all are bound", [] { return CountBound() == 24; }));
  ASSERT_TRUE(Eventually("no slice is left of what was given up",
                         [] { return api().List(kPartitions).size() == 24; }));
  ExpectSlicesOfBoundPods();
}

TEST_F(ExtenderTest, PodsAreEvictedOnlyWhereThatFreesASlice) {
  for (int i = 0; i < 4; ++i) Create("low" + std::to_string(i), kQuarter, "tiny", "low");
  ASSERT_TRUE(Eventually("all tokens are taken", [] { return CountBound() == 4; }));
  // A quarter of the card comes free with each, and kube-scheduler sees tokens alone.
  Create("big", {{"dcunum", "1"}, {"dcumem", "2000"}, {"dcucores", "60"}}, "tiny", "high");
  ASSERT_TRUE(Eventually("it was not placed", [] {
    return Condition(api().Find(kPods, "big"), "PodScheduled").is_object();
  }));
  Create("fits", kQuarter, "tiny", "high");
  ASSERT_TRUE(Eventually("the other is bound", [] { return NodeOf("fits") == "tiny"; }));
  EXPECT_EQ(NodeOf("big"), "");
  const auto evicted_for = [](const std::string& name) {
    const std::string uid = api().Find(kPods, name)["metadata"]["uid"];
    for (int i = 0; i < 4; ++i) {
      if (world::HasEvent(api(), "low" + std::to_string(i), "Preempted", uid)) return true;
    }
    return false;
  };
  EXPECT_TRUE(Eventually("a pod made room for it", [&] { return evicted_for("fits"); }));
  EXPECT_FALSE(evicted_for("big")) << "no slice of that size would have come free";
}

// The fullest node alone, which we prefer, would have room for all of them.
TEST_F(ExtenderTest, SpreadConstraintsAndAntiAffinityAreKeptTo) {
  constexpr char kHost[] = "kubernetes.io/hostname";
  const auto selector = [](const std::string& app) {
    return json{{"matchLabels", {{"app", app}}}};
  };
  for (int i = 0; i < 4; ++i) {
    json pod = Asking("spread" + std::to_string(i), kTenth);
    pod["metadata"]["labels"]["app"] = "spread";
    const json evenly{{"maxSkew", 1},
                      {"topologyKey", kHost},
                      {"whenUnsatisfiable", "DoNotSchedule"},
                      {"labelSelector", selector("spread")}};
    pod["spec"]["topologySpreadConstraints"] = json::array({evenly});
    world::Create(api(), pod);
  }
  for (int i = 0; i < 2; ++i) {
    json pod = Asking("apart" + std::to_string(i), kTenth);
    pod["metadata"]["labels"]["app"] = "apart";
    const json term{{"topologyKey", kHost}, {"labelSelector", selector("apart")}};
    pod["spec"]["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"] =
        json::array({term});
    world::Create(api(), pod);
  }
  ASSERT_TRUE(Eventually("all are bound", [] { return CountBound() == 6; }));
  int on_tiny = 0;
  for (int i = 0; i < 4; ++i) on_tiny += NodeOf("spread" + std::to_string(i)) == "tiny" ? 1 : 0;
  EXPECT_EQ(on_tiny, 2);
  EXPECT_NE(NodeOf("apart0"), NodeOf("apart1"));
  ExpectSlicesOfBoundPods();
}

// The other node is the one that we prefer each time.
TEST_F(ExtenderTest, RequiredNodeAffinityIsKeptTo) {
  Create("begun", kTenth, "wide");
  ASSERT_TRUE(Eventually("it is bound", [] { return NodeOf("begun") == "wide"; }));
  const auto create = [](const std::string& name, const std::string& how) {
    const json term{
        {"matchExpressions",
         {{{"key", "kubernetes.io/hostname"}, {"operator", how}, {"values", {"tiny"}}}}}};
    json pod = Asking(name, kTenth);
    json& affinity = pod["spec"]["affinity"]["nodeAffinity"];
    affinity["requiredDuringSchedulingIgnoredDuringExecution"] = {
        {"nodeSelectorTerms", json::array({term})}};
    world::Create(api(), pod);
  };
  create("there", "In");
  ASSERT_TRUE(Eventually("it is bound where it must be", [] { return NodeOf("there") == "tiny"; }));
  for (int i = 0; i < 3; ++i) create("away" + std::to_string(i), "NotIn");
  ASSERT_TRUE(Eventually("all are bound", [] { return CountBound() == 5; }));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(NodeOf("away" + std::to_string(i)), "wide");
  ExpectSlicesOfBoundPods();
}

// No controller of volumes runs here: the test does its part.
TEST_F(ExtenderTest, AVolumeThatWaitsForItsFirstConsumerSaysWhereThePodGoes) {
  const json class_meta{{"name", "local"}};
  api().Call("POST", "/apis/storage.k8s.io/v1/storageclasses",
             {{"metadata", class_meta},
              {"provisioner", "kubernetes.io/no-provisioner"},
              {"volumeBindingMode", "WaitForFirstConsumer"}});
  const json on_tiny{
      {"key", "kubernetes.io/hostname"}, {"operator", "In"}, {"values", json::array({"tiny"})}};
  const json terms = json::array({{{"matchExpressions", json::array({on_tiny})}}});
  const json modes = json::array({"ReadWriteOnce"});
  const auto made =
      api().Call("POST", kVolumes,
                 {{"metadata", {{"name", "disk"}}},
                  {"spec",
                   {{"capacity", {{"storage", "1Gi"}}},
                    {"accessModes", modes},
                    {"storageClassName", "local"},
                    {"local", {{"path", "/disk"}}},
                    {"nodeAffinity", {{"required", {{"nodeSelectorTerms", terms}}}}}}}});
  ASSERT_EQ(made.code, 201) << made.body.dump();
  api().Call("PATCH", std::string(kVolumes) + "/disk/status",
             {{"status", {{"phase", "Available"}}}});
  const auto claimed = api().Call("POST", kClaims,
                                  {{"metadata", {{"name", "data"}}},
                                   {"spec",
                                    {{"accessModes", modes},
                                     {"storageClassName", "local"},
                                     {"resources", {{"requests", {{"storage", "1Gi"}}}}}}}});
  ASSERT_EQ(claimed.code, 201) << claimed.body.dump();
  json pod = Asking("reads", kTenth);
  const json volume{{"name", "data"}, {"persistentVolumeClaim", {{"claimName", "data"}}}};
  pod["spec"]["volumes"] = json::array({volume});
  world::Create(api(), pod);
  ASSERT_TRUE(Eventually("kube-scheduler has given it the volume",
                         [] { return api().Find(kVolumes, "disk")["spec"].contains("claimRef"); }));
  api().Call("PATCH", std::string(kClaims) + "/data",
             {{"metadata", {{"annotations", {{"pv.kubernetes.io/bind-completed", "yes"}}}}},
              {"spec", {{"volumeName", "disk"}}}});
  EXPECT_TRUE(Eventually("it is where its volume is", [] { return NodeOf("reads") == "tiny"; }));
  ExpectSlicesOfBoundPods();
}

TEST_F(ExtenderTest, TheServiceLeadsToWhoLeads) {
  const auto leads_to = []() -> std::string {
    const json slice = api().Find(kSlices, "vdcu-extender");
    if (!slice.is_object()) return "";
    return slice["endpoints"][0]["addresses"][0].get<std::string>() + ":" +
           std::to_string(slice["ports"][0]["port"].get<int>());
  };
  const std::string want = kAddress + (":" + std::to_string(world().extender.port()));
  ASSERT_TRUE(Eventually("it leads to the controller", [&] { return leads_to() == want; }));
  const json another{{"endpoints", json::array({{{"addresses", {"10.9.9.9"}}}})}};
  const auto patched = api().Call("PATCH", std::string(kSlices) + "/vdcu-extender", another);
  ASSERT_EQ(patched.code, 200) << patched.body.dump();
  world().controller.reset();
  world().StartController();
  EXPECT_TRUE(Eventually("who leads next takes it over", [&] { return leads_to() == want; }));
}

}  // namespace
}  // namespace vdcu::integration
