// The real Volcano, whose extender is vdcu-controller, and two real vdcu-node.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/world/control_plane.h"
#include "tests/world/free_port.h"
#include "tests/world/gate.h"
#include "tests/world/http.h"
#include "tests/world/invariants.h"
#include "tests/world/objects.h"
#include "tests/world/schedulers.h"
#include "tests/world/worker.h"

namespace vdcu::volcano {
namespace {

using nlohmann::json;
using testing::IsEmpty;
using world::Condition;
using world::kPartitions;
using world::kPods;
using world::Limits;
using world::Until;
using world::Worker;

constexpr char kVolcanoJobs[] = "/apis/batch.volcano.sh/v1alpha1/namespaces/default/jobs";
constexpr char kPodGroups[] = "/apis/scheduling.volcano.sh/v1beta1/namespaces/default/podgroups";
constexpr char kQueues[] = "/apis/scheduling.volcano.sh/v1beta1/queues";
// In the words of the vendor's documents: GiB.
const Limits kQuarter{{"dcunum", "1"}, {"dcumem", "2"}, {"dcucores", "25"}};
const Limits kMost{{"dcunum", "1"}, {"dcumem", "2"}, {"dcucores", "60"}};

struct World : world::ControlPlane {
  World()
      : ControlPlane({.config = "advertising"}),
        four(cluster, api, "four", {.cards = 4, .model = "Z100L", .serial_prefix = "four"}, kParts),
        eight(cluster, api, "eight", {.cards = 8, .model = "Z100L", .serial_prefix = "eight"},
              kParts) {
    StartController();
    volcano.StartControllers();
    volcano.StartScheduler(world::Volcano::kToday);
  }

  static inline const std::vector<std::string> kParts{"--advertise-parts", "--memory-unit", "Gi"};
  void StartController() {
    std::vector<std::string> flags = volcano.Flags();
    const auto more = gate.Flags();
    flags.insert(flags.end(), more.begin(), more.end());
    flags.insert(flags.end(),
                 {"--memory-unit", "Gi", "--listen", "127.0.0.1:" + std::to_string(metrics_port)});
    controller = MakeController("controller", flags);
  }

  world::Volcano volcano{cluster};
  const world::Gate gate{cluster};
  const int metrics_port = world::FreePort();
  Worker four;
  Worker eight;
};

class VolcanoTest : public testing::Test {
 protected:
  static World& world() {
    static World one;
    return one;
  }
  static const world::Api& api() { return world().api; }

  void SetUp() override {
    for (const Worker* worker : {&world().four, &world().eight}) {
      ASSERT_TRUE(
          Eventually(worker->name() + " published its cards", [&] { return worker->Published(); }));
    }
    ASSERT_TRUE(Eventually("the default queue is there",
                           [] { return api().Find(kQueues, "default").is_object(); }));
  }
  void TearDown() override {
    ExpectNoBreach();
    world::DeleteAll(api(), kVolcanoJobs);
    Eventually("all is gone", [] {
      world::DeleteAll(api(), kPods);
      return api().List(kPods).empty() && api().List(kPartitions).empty();
    });
    // They belong to the pods; no garbage collector runs here, and their queue would stay full.
    world::DeleteAll(api(), kPodGroups);
  }

  static json Spec(const Limits& limits, const std::string& node = "") {
    json spec = world::Pod("p", limits)["spec"];
    spec["schedulerName"] = "volcano";
    spec["terminationGracePeriodSeconds"] = 0;  // no kubelet ends pods here
    if (!node.empty()) spec["nodeSelector"] = {{"kubernetes.io/hostname", node}};
    return spec;
  }
  static void Create(const std::string& name, const Limits& limits, const std::string& node = "") {
    json pod = world::Pod(name, limits);
    pod["spec"] = Spec(limits, node);
    world::Create(api(), pod);
  }
  static void CreateGang(const std::string& name, int members, const Limits& limits,
                         const std::string& node) {
    const json task{
        {"name", "main"}, {"replicas", members}, {"template", {{"spec", Spec(limits, node)}}}};
    const json job{{"apiVersion", "batch.volcano.sh/v1alpha1"},
                   {"kind", "Job"},
                   {"metadata", {{"name", name}, {"namespace", "default"}}},
                   {"spec",
                    {{"schedulerName", "volcano"},
                     {"queue", "default"},
                     {"minAvailable", members},
                     {"tasks", json::array({task})}}}};
    const auto answer = api().Call("POST", kVolcanoJobs, job);
    ASSERT_EQ(answer.code, 201) << answer.body.dump();
  }
  static size_t CountBound() { return world::CountBound(api()); }
  static bool BecomeBound(size_t count) {
    return Eventually(std::to_string(count) + " pods are bound and have their slices", [&] {
      return CountBound() == count && world::DifferencesOfSlices(api()).empty();
    });
  }
  static void ExpectNoBreach() {
    EXPECT_THAT(world::BreachesOfObjects(api().List(kPartitions), {&world().four, &world().eight}),
                IsEmpty());
    for (const Worker* worker : {&world().four, &world().eight}) {
      EXPECT_THAT(world::BreachesOfFiles(*worker), IsEmpty());
    }
  }
  // Of one line of the controller's metrics; 0: it is not there.
  static double Metric(const std::string& line) {
    const auto answer = world::Fetch(
        {.url = "http://127.0.0.1:" + std::to_string(world().metrics_port) + "/metrics"});
    const size_t at = answer.text.find("\n" + line + " ");
    return at == std::string::npos ? 0 : std::stod(answer.text.substr(at + line.size() + 2));
  }
  static std::string Logs() {
    return "controller:\n" + world().LogOf() + "Volcano's scheduler:\n" +
           world().LogOf("scheduler") + "Volcano's controllers:\n" +
           world().LogOf("controller-manager") + world().four.Log();
  }
  static bool Eventually(const std::string& what, const std::function<bool()>& done) {
    const bool did = Until(done);
    EXPECT_TRUE(did) << "never came true: " << what << "\n" << Logs();
    return did;
  }
};

TEST_F(VolcanoTest, ThePodOfTheUsersDocumentsGetsExactlyWhatItAsksFor) {
  Create("binpack-1", {{"dcunum", "1"}, {"dcumem", "2"}, {"dcucores", "50"}}, "four");
  ASSERT_TRUE(BecomeBound(1));
  const json assignment = api().List(kPartitions)[0]["spec"]["assignment"];
  EXPECT_EQ(assignment["memory"], "2048Mi") << assignment.dump();
  EXPECT_EQ(assignment["computeUnits"], 30);
}

TEST_F(VolcanoTest, AGangIsBoundAsAWholeOrNotAtAll) {
  Create("blocks", {{"dcunum", "1"}}, "four");
  ASSERT_TRUE(BecomeBound(1));
  // By sums all four fit.
  CreateGang("gang", 4, kMost, "four");
  const std::string calls = R"(vdcu_extender_calls_total{result="released",verb="deallocate"})";
  ASSERT_TRUE(Eventually("sessions have put three there, and taken them back",
                         [&] { return Metric(calls) >= 9; }));
  EXPECT_EQ(CountBound(), 1u);
  EXPECT_EQ(api().List(kPartitions).size(), 1u);
  EXPECT_TRUE(Eventually("nothing is kept", [] { return Metric("vdcu_holds") == 0; }));
  world::Delete(api(), kPods, "blocks");
  BecomeBound(4);
}

TEST_F(VolcanoTest, AllPodsThatFitAreBoundAtOnceAndNoneTwice) {
  for (int i = 0; i < 30; ++i) Create("p" + std::to_string(i), kQuarter);
  BecomeBound(30);
}

TEST_F(VolcanoTest, PredicatesAloneAreEnough) {
  world().volcano.StartScheduler(world::Volcano::kUpTo112);
  Create("plain", {});
  for (int i = 0; i < 8; ++i) Create("q" + std::to_string(i), kMost, "eight");
  CreateGang("gang", 4, kMost, "four");
  BecomeBound(13);
  world().volcano.StartScheduler(world::Volcano::kToday);
}

// Volcano asks nobody, and sees sums: four of the others would fit beside the first.
TEST_F(VolcanoTest, TheGateAloneIsEnough) {
  world().volcano.StartScheduler("");
  world().gate.Configure(api());
  Create("probe", {{"dcunum", "5"}}, "four");
  const json binding{{"apiVersion", "v1"},
                     {"kind", "Binding"},
                     {"metadata", {{"name", "probe"}}},
                     {"target", {{"kind", "Node"}, {"name", "four"}}}};
  ASSERT_TRUE(Eventually("bindings are asked about", [&] {
    return api().CallOnce("POST", std::string(kPods) + "/probe/binding?dryRun=All", binding).code >=
           400;
  }));
  Create("first", {{"dcunum", "1"}, {"dcumem", "2"}, {"dcucores", "50"}}, "four");
  ASSERT_TRUE(BecomeBound(1));
  EXPECT_EQ(api().List(kPartitions)[0]["spec"]["assignment"]["memory"], "2048Mi");
  for (int i = 0; i < 4; ++i) Create("gated" + std::to_string(i), kMost, "four");
  ASSERT_TRUE(BecomeBound(4));
  ASSERT_TRUE(Eventually("the last says why", [] {
    for (const json& pod : api().List(kPods)) {
      const json scheduled = Condition(pod, "PodScheduled");
      const std::string why = scheduled.is_object() ? scheduled.value("message", "") : "";
      if (pod["metadata"]["name"] == "probe") continue;
      if (why.find("node four: ") != std::string::npos) return true;
    }
    return false;
  }));
  EXPECT_EQ(CountBound(), 4u);
  for (const json& pod : api().List(kPods)) {
    EXPECT_FALSE(world::HasEvent(api(), pod["metadata"]["name"], "Adopted", "")) << "too late";
  }
  world::Delete(api(), kPods, "first");
  BecomeBound(4);
  EXPECT_EQ(world::Condition(api().Find(kPods, "probe"), "PodScheduled")["status"], "False");
  world().gate.Remove(api());
  world().volcano.StartScheduler(world::Volcano::kToday);
}

TEST_F(VolcanoTest, NothingIsLostOrGrantedTwiceWhenTheLeaderIsKilledAgainAndAgain) {
  for (int i = 0; i < 24; ++i) Create("p" + std::to_string(i), kQuarter);
  for (int i = 0; i < 4; ++i) {
    const size_t before = api().List(kPartitions).size();
    Until([&] { return api().List(kPartitions).size() > before || CountBound() == 24; },
          std::chrono::seconds(20));
    world().controller.reset();  // SIGKILL
    ExpectNoBreach();
    world().StartController();
  }
  BecomeBound(24);
}

}  // namespace
}  // namespace vdcu::volcano
