#include "node/partition_plan.h"

#include <gtest/gtest.h>

#include "tests/node/builders.h"

namespace vdcu::node {
namespace {

using kclient::EventType;
using nlohmann::json;

constexpr base::WallTime kNow{std::chrono::seconds(1'800'000'000)};

// "Prepared=True/Prepared Healthy=..." of a status patch.
std::string ConditionsOf(const kclient::Write& write) {
  std::string text;
  for (const json& condition : write.body["status"]["conditions"]) {
    text += (text.empty() ? "" : " ") + condition["type"].get<std::string>() + "=" +
            condition["status"].get<std::string>() + "/" + condition["reason"].get<std::string>();
  }
  return text;
}

// The object as the API has it after the plan's status patch.
crds::VdcuPartition After(crds::VdcuPartition partition, const PartitionPlan& plan) {
  const std::string text = json{{"metadata", {{"name", "p"}, {"namespace", "team"}, {"uid", "u"}}},
                                {"spec", json::object()},
                                {"status", plan.write.value().body["status"]}}
                               .dump();
  kclient::JsonParser parser;
  const auto read = crds::VdcuPartition::FromJson(parser.Parse(text).value());
  EXPECT_TRUE(read) << read.error().message;
  partition.status = read->status;
  return partition;
}

TEST(PartitionPlan, ReportsWhatIs) {
  const dcu::Device healthy = MakeDevice("DCU-0");
  const dcu::Device sick = MakeSick(healthy);
  struct Case {
    std::string sentence;
    bool held;
    std::optional<Refusal> refusal;
    const dcu::Device* device;
    std::string want_conditions;
    json want_vdev_file;
    std::string want_event;  // reason
  };
  const std::vector<Case> cases = {
      {"held on a healthy card",
       true,
       {},
       &healthy,
       "Prepared=True/Prepared Healthy=True/Healthy Ready=True/Ready",
       "/etc/vdev/vdev4.conf",
       ""},
      {"held on a sick card",
       true,
       {},
       &sick,
       "Prepared=True/Prepared Healthy=False/DriverUnbound Ready=False/DriverUnbound",
       "/etc/vdev/vdev4.conf",
       "DriverUnbound"},
      {"held on a card that is gone",
       true,
       {},
       nullptr,
       "Prepared=True/Prepared Healthy=False/Vanished Ready=False/Vanished",
       "/etc/vdev/vdev4.conf",
       "Vanished"},
      {"refused", false, Refusal{"UnitsOverlap", "with p0"}, &healthy,
       "Prepared=False/UnitsOverlap Healthy=True/Healthy Ready=False/UnitsOverlap", nullptr,
       "UnitsOverlap"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.sentence);
    const auto partition = MakePartition("p", MakeAssignment(0));
    const PartitionView view{
        .partition = partition, .held = c.held, .refusal = c.refusal, .device = c.device};
    const PartitionPlan plan = PlanPartition(view, kNow);
    ASSERT_TRUE(plan.write);
    const kclient::Write& write = *plan.write;
    EXPECT_EQ(write.Describe(), "patch vdcupartitions/status team/p");
    EXPECT_EQ(write.body["metadata"], (json{{"uid", "uid-p"}, {"resourceVersion", "7"}}));
    EXPECT_EQ(ConditionsOf(write), c.want_conditions);
    EXPECT_EQ(write.body["status"]["vdevFile"], c.want_vdev_file);
    for (const json& condition : write.body["status"]["conditions"]) {
      EXPECT_EQ(condition["observedGeneration"], 2);
      EXPECT_EQ(condition["lastTransitionTime"], base::FormatTime(kNow));
    }
    ASSERT_EQ(plan.events.size(), c.want_event.empty() ? 0u : 1u);
    if (!c.want_event.empty()) {
      EXPECT_EQ(plan.events[0].reason, c.want_event);
      EXPECT_EQ(plan.events[0].type, EventType::kWarning);
      EXPECT_EQ(plan.events[0].regarding.uid, "uid-p");
    }
    // The same again is no write.
    const auto written = After(partition, plan);
    const PartitionView again{
        .partition = written, .held = c.held, .refusal = c.refusal, .device = c.device};
    const PartitionPlan second = PlanPartition(again, kNow + std::chrono::hours(1));
    EXPECT_FALSE(second.write);
    EXPECT_TRUE(second.events.empty());
  }
}

TEST(PartitionPlan, TellsIllnessAndRecoveryOnce) {
  const dcu::Device healthy = MakeDevice("DCU-0");
  const dcu::Device sick = MakeSick(healthy);
  auto partition = MakePartition("p", MakeAssignment(0));
  const auto step = [&](const dcu::Device& device) {
    const PartitionPlan plan =
        PlanPartition({.partition = partition, .held = true, .device = &device}, kNow);
    if (plan.write) partition = After(partition, plan);
    return plan.events;
  };
  EXPECT_TRUE(step(healthy).empty());
  const auto fell_ill = step(sick);
  ASSERT_EQ(fell_ill.size(), 1u);
  EXPECT_EQ(fell_ill[0].type, EventType::kWarning);
  EXPECT_TRUE(step(sick).empty());
  const auto recovered = step(healthy);
  ASSERT_EQ(recovered.size(), 1u);
  EXPECT_EQ(recovered[0].type, EventType::kNormal);
  EXPECT_EQ(recovered[0].reason, "Healthy");
  EXPECT_TRUE(step(healthy).empty());
}

TEST(PartitionPlan, TakesAwayTheControllersConditionAndKeepsTransitionTimes) {
  const dcu::Device device = MakeDevice("DCU-0");
  auto partition = MakePartition("p", MakeAssignment(0));
  partition.status.conditions = {
      {"Assigned", "False", "NoFit", "none", "2026-01-01T00:00:00Z", 1},
      {"Prepared", "True", "Prepared", "old", "2026-01-01T00:00:00Z", 1}};
  const PartitionPlan plan =
      PlanPartition({.partition = partition, .held = true, .device = &device}, kNow);
  ASSERT_TRUE(plan.write);
  EXPECT_EQ(ConditionsOf(*plan.write),
            "Prepared=True/Prepared Healthy=True/Healthy Ready=True/Ready");
  EXPECT_EQ(plan.write->body["status"]["conditions"][0]["lastTransitionTime"],
            "2026-01-01T00:00:00Z");
}

TEST(PartitionPlan, WritesWhoUsesAReservedOne) {
  const dcu::Device device = MakeDevice("DCU-0");
  auto partition = MakePartition("p", MakeAssignment(0));
  const NodePod pod = MakePod("a", "p");
  const PartitionPlan taken = PlanPartition(
      {.partition = partition, .held = true, .device = &device, .used_by = RefOf(pod)}, kNow);
  EXPECT_EQ(taken.write.value().body["status"]["usedBy"],
            (json{{"name", "a"}, {"uid", "uid-a"}, {"container", "main"}}));
  partition = After(partition, taken);
  const PartitionPlan left =
      PlanPartition({.partition = partition, .held = true, .device = &device}, kNow);
  const json& status = left.write.value().body["status"];
  ASSERT_TRUE(status.contains("usedBy"));
  EXPECT_TRUE(status["usedBy"].is_null()) << "a merge patch clears only what it names";
}

TEST(PartitionPlan, LetsGoOnlyOnceThePodIsGone) {
  struct Case {
    std::string sentence;
    PodState pod;
    bool held;
    bool want_ask;
    bool want_release;
    bool want_lift;
  };
  for (const Case& c : std::vector<Case>{
           {"no pod", PodState::kNone, true, false, true, true},
           {"a pod that runs", PodState::kUsing, true, false, false, false},
           {"a pod that runs without it", PodState::kUsing, false, false, false, false},
           {"a pod that may begin with it", PodState::kWaiting, true, false, false, false},
           {"a pod that awaits another", PodState::kWaiting, false, false, false, true},
           {"a pod that is gone", PodState::kGone, true, false, true, true},
           {"a pod that the watch does not show", PodState::kUnknown, true, true, false, false},
           {"nothing held", PodState::kGone, false, false, false, true}}) {
    SCOPED_TRACE(c.sentence);
    const auto partition = Deleting(MakePartition("p", MakeAssignment(0)));
    const PartitionPlan plan =
        PlanPartition({.partition = partition, .held = c.held, .pod = c.pod}, kNow);
    EXPECT_EQ(plan.ask_for_pod, c.want_ask);
    EXPECT_EQ(plan.release, c.want_release);
    ASSERT_EQ(plan.write.has_value(), c.want_lift);
    if (!c.want_lift) continue;
    EXPECT_EQ(plan.write->Describe(), "patch vdcupartitions team/p");
    EXPECT_EQ(plan.write->body["metadata"],
              (json{{"finalizers", {"other/one"}}, {"uid", "uid-p"}, {"resourceVersion", "7"}}));
  }
}

TEST(PartitionPlan, LiftsNoFinalizerThatIsNotThere) {
  auto partition = Deleting(MakePartition("p", MakeAssignment(0)));
  partition.meta.finalizers = {"other/one"};
  const PartitionPlan plan =
      PlanPartition({.partition = partition, .held = true, .pod = PodState::kGone}, kNow);
  EXPECT_TRUE(plan.release);
  EXPECT_FALSE(plan.write);
}

TEST(PickUser, TakesTheHolderElseTheOldestThatNamesIt) {
  NodePod young = MakePod("a", "p");
  young.meta.creation_timestamp = "2026-01-02T03:04:06Z";
  const NodePod old_b = MakePod("b", "p");
  const NodePod old_c = MakePod("c", "p");
  NodePod finished = MakePod("d", "p");
  finished.meta.creation_timestamp = "2026-01-01T00:00:00Z";
  finished.phase = "Succeeded";
  NodePod other_namespace = MakePod("e", "p");
  other_namespace.meta.ns = "others";
  NodePod without_dcu = MakePod("f", "p");
  without_dcu.container = "";
  const NodePod other_partition = MakePod("g", "q");
  const std::vector<const NodePod*> all = {
      &young, &old_c, &old_b, &finished, &other_namespace, &without_dcu, &other_partition};
  auto partition = MakePartition("p", MakeAssignment(0));
  EXPECT_EQ(PickUser(partition, all), RefOf(old_b));
  partition.status.used_by = RefOf(young);
  EXPECT_EQ(PickUser(partition, all), RefOf(young));
  partition.status.used_by = RefOf(finished);
  EXPECT_EQ(PickUser(partition, all), RefOf(old_b));
  EXPECT_EQ(PickUser(partition, {&finished, &other_namespace, &without_dcu, &other_partition}),
            std::nullopt);
}

TEST(PlanUnread, RefusesOnceAndLetsGo) {
  const auto partition = Unread(MakePartition("p", MakeAssignment(0)), "cuMasks: wrong");
  const PartitionPlan plan = PlanUnread(partition, kNow);
  ASSERT_TRUE(plan.write);
  EXPECT_EQ(ConditionsOf(*plan.write), "Prepared=False/Unreadable Ready=False/Unreadable");
  ASSERT_EQ(plan.events.size(), 1u);
  const auto written = After(partition, plan);
  EXPECT_FALSE(PlanUnread(written, kNow).write);
  const PartitionPlan gone = PlanUnread(Deleting(partition), kNow);
  ASSERT_TRUE(gone.write);
  EXPECT_EQ(gone.write->body["metadata"]["finalizers"], json({"other/one"}));
}

TEST(NodePod, KeepsWhatHoldingReads) {
  kclient::JsonParser parser;
  const std::string text = R"({"metadata": {"name": "a", "namespace": "t", "uid": "u",
    "annotations": {"vdcu.io/bound-partition": "p/u", "other": "x"}},
    "spec": {"nodeName": "n", "containers": [{"name": "log"},
      {"name": "main", "resources": {"limits": {"cpu": "1", "hygon.com/dcunum": "1"}}},
      {"name": "more", "resources": {"limits": {"hygon.com/dcunum": "1"}}}]},
    "status": {"phase": "Failed"}})";
  const auto pod = NodePod::FromJson(parser.Parse(text).value());
  ASSERT_TRUE(pod);
  EXPECT_EQ(pod->partition, "p");
  EXPECT_EQ(pod->container, "main");
  EXPECT_EQ(pod->node_name, "n");
  EXPECT_TRUE(pod->terminal());
  EXPECT_FALSE(pod->meta.annotations.contains("other"));
}

}  // namespace
}  // namespace vdcu::node
