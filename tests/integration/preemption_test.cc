// Pods that have others of a lower priority evicted, on a real API server and its Eviction API. No
// kubelet ends the pods here: the tests do.
#include <map>
#include <string>

#include "tests/integration/placement_fixture.h"

namespace vdcu::integration {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

// "small" has four cards.
const std::map<std::string, std::string> kOnSmall{{"hygon.com/use-dcutype", "Z100L"}};
constexpr char kBudgets[] = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";

class PreemptionTest : public PlacementTest {
 protected:
  void SetUp() override {
    PlacementTest::SetUp();
    MakeClass("least", 1, "PreemptLowerPriority");
    MakeClass("less", 500, "PreemptLowerPriority");
    MakeClass("almost", 501, "PreemptLowerPriority");
    MakeClass("more", 1000, "PreemptLowerPriority");
    MakeClass("waits", 1000, "Never");
  }
  void TearDown() override {
    world::DeleteAll(api(), kBudgets);
    PlacementTest::TearDown();
  }
  static void MakeClass(const std::string& name, int value, const std::string& policy) {
    api().Call("POST", "/apis/scheduling.k8s.io/v1/priorityclasses",
               {{"apiVersion", "scheduling.k8s.io/v1"},
                {"kind", "PriorityClass"},
                {"metadata", {{"name", name}}},
                {"value", value},
                {"preemptionPolicy", policy}});
  }
  static json Whole(const std::string& name, const std::string& of,
                    const std::string& cards = "1") {
    json pod = Pod(name, {{"dcunum", cards}}, kOnSmall);
    pod["spec"]["priorityClassName"] = of;
    pod["metadata"]["labels"]["app"] = name;
    return pod;
  }
  void Fill(const std::map<std::string, std::string>& pods) {
    for (const auto& [name, of] : pods) {
      Create(Whole(name, of));
      ASSERT_EQ(Bound(name), "small");
    }
  }
  bool IsGoing(const std::string& pod) const {
    return FindPod(pod)["metadata"].contains("deletionTimestamp");
  }
  bool IsBound(const std::string& pod) const { return FindPod(pod)["spec"].contains("nodeName"); }
  std::string NominatedFor(const std::string& pod) const {
    return FindPod(pod)["status"].value("nominatedNodeName", "");
  }
  void SeesGo(const std::string& pod) {
    Eventually(pod + " is evicted", [&] { return IsGoing(pod); });
  }
};

TEST_F(PreemptionTest, TheLeastImportantGoesAndNobodyElseGetsItsRoom) {
  Fill({{"a", "almost"}, {"b", "least"}, {"c", "almost"}, {"d", "less"}});
  const std::string uid = Create(Whole("high", "more"))["metadata"]["uid"];
  SeesGo("b");
  Eventually("its status says where", [&] { return NominatedFor("high") == "small"; });
  Waits("high", "Unschedulable",
        ". preemption: waiting for pods of lower priority on node small to end");
  EXPECT_EQ(Condition(FindPod("b"), "DisruptionTarget")["reason"], "EvictionByEvictionAPI");
  EXPECT_EQ(FindPod("b")["metadata"]["deletionGracePeriodSeconds"], 30) << "gracefully";
  Eventually("an event says for whom", [&] {
    return HasEvent("b", "Preempted", "Preempted by pod " + uid + " on node small");
  });
  Create(Whole("next", "less"));
  Waits("next", "Unschedulable", "0/2 nodes fit");
  Create(Whole("same", "waits"));
  Waits("same", "Unschedulable", ". preemption: not eligible due to preemptionPolicy=Never.");
  Delete(kPods, "b");
  EXPECT_EQ(Bound("high"), "small");
  for (const char* pod : {"next", "same"}) EXPECT_FALSE(IsBound(pod)) << pod;
  for (const char* pod : {"a", "c", "d"}) EXPECT_FALSE(IsGoing(pod)) << pod;
  ExpectNoBreach();
  ExpectFilesOfAssignments();
}

TEST_F(PreemptionTest, ABudgetKeepsItsPodAndAnotherGoes) {
  Fill({{"a", "almost"}, {"b", "least"}, {"c", "almost"}, {"d", "less"}});
  // What has never run a budget does not keep.
  api().Call("PATCH", std::string(kPods) + "/b/status", {{"status", {{"phase", "Running"}}}});
  const auto made = api().Call(
      "POST", kBudgets,
      {{"apiVersion", "policy/v1"},
       {"kind", "PodDisruptionBudget"},
       {"metadata", {{"name", "keep"}}},
       {"spec", {{"minAvailable", 1}, {"selector", {{"matchLabels", {{"app", "b"}}}}}}}});
  ASSERT_EQ(made.code, 201) << made.body.dump();
  Create(Whole("high", "more"));
  SeesGo("d");
  EXPECT_FALSE(IsGoing("b"));
  Delete(kPods, "d");
  EXPECT_EQ(Bound("high"), "small");
  for (const char* pod : {"a", "b", "c"}) EXPECT_FALSE(IsGoing(pod)) << pod;
}

TEST_F(PreemptionTest, WhereABudgetKeepsAllItWaitsUntilThatIsGone) {
  Fill({{"a", "more"}, {"b", "least"}, {"c", "more"}, {"d", "more"}});
  api().Call("PATCH", std::string(kPods) + "/b/status", {{"status", {{"phase", "Running"}}}});
  api().Call("POST", kBudgets,
             {{"apiVersion", "policy/v1"},
              {"kind", "PodDisruptionBudget"},
              {"metadata", {{"name", "keep"}}},
              {"spec", {{"minAvailable", 1}, {"selector", {{"matchLabels", {{"app", "b"}}}}}}}});
  Create(Whole("high", "more"));
  Waits("high", "Unschedulable", "The eviction of others was refused and is tried again.");
  EXPECT_FALSE(IsGoing("b"));
  Eventually("its status names no node", [&] { return NominatedFor("high").empty(); });
  Delete(kBudgets, "keep");
  SeesGo("b");
}

TEST_F(PreemptionTest, NobodyGoesForOneThatNeverPreemptsNorWhereItIsOff) {
  Fill({{"a", "least"}, {"b", "least"}, {"c", "least"}, {"d", "least"}});
  Create(Whole("never", "waits"));
  Waits("never", "Unschedulable", ". preemption: not eligible due to preemptionPolicy=Never.");
  world().controller.reset();
  world().controller = world().MakeController("controller", {"--preemption=false"});
  Create(Whole("high", "more"));
  Waits("high", "Unschedulable", "0/2 nodes fit");
  EXPECT_THAT(Condition(FindPod("high"), "PodScheduled")["message"].get<std::string>(),
              Not(HasSubstr("preemption")));
  EXPECT_EQ(NominatedFor("high"), "");
  for (const char* pod : {"a", "b", "c", "d"}) EXPECT_FALSE(IsGoing(pod)) << pod;
  world().controller.reset();  // the next test has its own
}

TEST_F(PreemptionTest, TheLeaderIsKilledMeanwhileAndTheNextOneKeepsTheRoom) {
  Fill({{"a", "more"}, {"b", "least"}, {"c", "more"}, {"d", "least"}});
  // Older than who has others evicted, and as important.
  json older = Whole("older", "more");
  older["spec"]["schedulingGates"] = json::array({{{"name", "example.com/later"}}});
  Create(older);
  Create(Whole("high", "more", "2"));
  SeesGo("b");
  SeesGo("d");
  Eventually("its status says where", [&] { return NominatedFor("high") == "small"; });
  world().controller.reset();  // SIGKILL
  const auto opened = api().Call("PATCH", std::string(kPods) + "/older",
                                 {{"spec", {{"schedulingGates", nullptr}}}});
  ASSERT_EQ(opened.code, 200) << opened.body.dump();
  Delete(kPods, "b");
  world().controller = world().MakeController("controller");
  Eventually("its slice is free", [&] { return PartitionsOf("b").empty(); });
  Waits("older", "Unschedulable", "0/2 nodes fit");
  EXPECT_FALSE(IsGoing("a") || IsGoing("c"));
  Delete(kPods, "d");
  EXPECT_EQ(Bound("high"), "small");
  EXPECT_FALSE(IsBound("older"));
  ExpectNoBreach();
}

}  // namespace
}  // namespace vdcu::integration
