#include "reconcilers/preemption.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "reconcilers/pod_partitions.h"
#include "tests/reconcilers/running.h"

namespace vdcu::reconcilers {
namespace {

using builders::MakePod;
using builders::PodBuilder;

PodBuilder Asks(int percent, kclient::ResourceList limits = {}) {
  limits.merge(kclient::ResourceList{
      {"hygon.com/dcunum", 1}, {"hygon.com/dcucores", percent}, {"hygon.com/dcumem", 100}});
  return MakePod("p").Priority(10).Limits(limits);
}

// "n: a b", or who would be waited for there: "n:"; "none".
std::string FindVictims(ShownCluster& shown, const PodPtr& pod) {
  shown.Show(pod);
  const View& view = shown.cluster.view();
  const auto request = FindWaitingOne(view, PodKey(pod->meta.key()));
  Trial trial = shown.cluster.BeginTrial();
  trial.Outrank(pod->priority, pod->meta.uid);
  const auto nodes = view.priorities().NodesBelow(pod->priority);
  const auto search = FindPreemption(view, trial, *request, nodes, 0, shown.at.now);
  if (!search.found) return "none";
  std::string text = search.found->node() + ":";
  for (const PodEntryPtr& victim : search.found->victims) text += " " + victim->pod->meta.name;
  return text;
}

struct Case {
  std::string name;
  std::vector<Running> running;
  PodBuilder waits = Asks(100);
  std::string want;
};

class PreemptionCases : public testing::TestWithParam<Case> {};

TEST_P(PreemptionCases, AreAsKubeSchedulerDecides) {
  ShownCluster shown;
  for (const std::string node : {"m", "n"}) {
    shown.Show(builders::MakeNode(node).Label("kubernetes.io/hostname", node).Obj());
    shown.Show(builders::MakeDcuNode(node).Cards(1).Obj());
  }
  Cards cards(shown);
  for (const Running& pod : GetParam().running) cards.Run(pod);
  const auto taken = [&](const std::string& node) {
    return std::pair(shown.UnitsTaken(node), shown.cluster.view().inventory().Find(node)->free);
  };
  const auto on_m = taken("m");
  const auto on_n = taken("n");
  EXPECT_EQ(FindVictims(shown, GetParam().waits.Obj()), GetParam().want);
  EXPECT_EQ(taken("m"), on_m) << "the search leaves a trace";
  EXPECT_EQ(taken("n"), on_n) << "the search leaves a trace";
  EXPECT_EQ(FindVictims(shown, GetParam().waits.Obj()), GetParam().want) << "the same again";
}

const std::vector<Case> kCases{
    {"NoPodOfALowerPriority", {{"a", "m", 60, 10}, {"b", "n", 60, 11}}, Asks(100), "none"},
    {"TheLeastImportant", {{"a", "m", 60, 1}, {"b", "n", 60, 0}}, Asks(100), "n: b"},
    {"BelowZeroToo", {{"a", "m", 60, -1}, {"b", "n", 60, -2}}, Asks(100), "n: b"},
    {"FewerOfTheSamePriority",
     {{"a", "m", 30, 0}, {"b", "m", 30, 0}, {"c", "n", 60, 0}},
     Asks(100),
     "n: c"},
    {"FewerBelowZero",
     {{"a", "m", 30, -5}, {"b", "m", 30, -5}, {"c", "n", 60, -5}},
     Asks(100),
     "n: c"},
    {"SeveralBeforeOneThatIsMoreImportant",
     {{"a", "n", 30, 0}, {"b", "n", 30, 1}, {"c", "m", 60, 2}},
     Asks(100),
     "n: b a"},
    {"TheYoungest",
     {{"a", "m", 60, 0, "2025-01-01T00:00:00Z"}, {"b", "n", 60, 0, "2025-02-01T00:00:00Z"}},
     Asks(100),
     "n: b"},
    {"TheFirstNodeOfTheSame", {{"b", "n", 60, 0}, {"a", "m", 60, 0}}, Asks(100), "m: a"},
    {"WhoNeedNotGoStays",
     {{"a", "m", 60, 10}, {"b", "n", 30, 1}, {"c", "n", 30, 0}},
     Asks(50),
     "n: c"},
    {"TheOlderOfTheSamePriorityStays",
     {{"a", "m", 60, 10},
      {"b", "n", 30, 0, "2025-01-01T00:00:00Z"},
      {"c", "n", 30, 0, "2025-02-01T00:00:00Z"}},
     Asks(50),
     "n: c"},
    {"TheLargeOneWhereTheSmallAreNotEnough",
     {{"a", "m", 60, 10}, {"b", "n", 40, 1}, {"c", "n", 20, 0}},
     Asks(50),
     "n: b"},
    {"NotBesideOneThatStays",
     {{"a", "m", 60, 10}, {"b", "n", 31, 10}, {"c", "n", 29, 0}},
     Asks(50),
     "none"},
    {"MemoryToo",
     {{"a", "m", 60, 10}, {.name = "b", .node = "n", .units = 10, .priority = 0, .memory = 32768}},
     Asks(10),
     "n: b"},
    {"WholeCards",
     {{"a", "m", 10, 0}, {"b", "n", 10, 1}},
     MakePod("p").Priority(10).Limits(kWhole),
     "m: a"},
    {"CpuToo",
     {{"a", "m", 60, 10},
      {.name = "b",
       .node = "n",
       .units = 10,
       .priority = 0,
       .more = [](PodBuilder& pod) { pod.Limits({{"cpu", 63'000}}); }}},
     Asks(10, {{"cpu", 2'000}}),
     "n: b"},
    {"HostPortsToo",
     {{"a", "m", 60, 10},
      {.name = "b",
       .node = "n",
       .units = 10,
       .priority = 0,
       .more = [](PodBuilder& pod) { pod.Port(80); }}},
     Asks(10).Port(80),
     "n: b"},
    {"WhomAnAntiAffinityKeepsAway",
     {{"a", "m", 60, 10},
      {.name = "b",
       .node = "n",
       .units = 10,
       .priority = 0,
       .more = [](PodBuilder& pod) { pod.KeepsAway(OfApp("web")); }}},
     Asks(10).Label("app", "web"),
     "n: b"},
    {"WhomItKeepsAwayItself",
     {{"a", "m", 60, 10},
      {.name = "b",
       .node = "n",
       .units = 10,
       .priority = 0,
       .more = [](PodBuilder& pod) { pod.Label("app", "web"); }}},
     Asks(10).KeepsAway(OfApp("web")),
     "n: b"},
    {"OnNodesThatItMayGoTo", {{"a", "m", 60, 0}}, Asks(100).NodeSelector({{"no", "such"}}), "none"},
    {"NobodyWithoutSlicesThere",
     {{"a", "m", 60, 10},
      {"b", "n", 60, 10},
      {.name = "c", .node = "n", .units = 0, .priority = 0}},
     Asks(100),
     "none"},
    {"NoStaticPod",
     {{"a", "m", 60, 10},
      {.name = "b",
       .node = "n",
       .units = 60,
       .priority = 0,
       .more = [](PodBuilder& pod) { pod.Mirror(); }}},
     Asks(100),
     "none"},
    {"NobodyOfAGroup",
     {{"a", "m", 60, 10},
      {.name = "b",
       .node = "n",
       .units = 60,
       .priority = 0,
       .more =
           [](PodBuilder& pod) {
             pod.Annotation("vdcu.io/group", "g").Annotation("vdcu.io/group-size", "2");
           }}},
     Asks(100),
     "none"},
    {"WhoIsAGroupOfOne",
     {{"a", "m", 60, 10},
      {.name = "b",
       .node = "n",
       .units = 60,
       .priority = 0,
       .more =
           [](PodBuilder& pod) {
             pod.Annotation("vdcu.io/group", "g").Annotation("vdcu.io/group-size", "1");
           }}},
     Asks(100),
     "n: b"},
    {"WhoeverHasPlacedThem",
     {{"a", "m", 60, 10},
      {.name = "b",
       .node = "n",
       .units = 60,
       .priority = 0,
       .more = [](PodBuilder& pod) { pod.Scheduler("volcano"); }}},
     Asks(100),
     "n: b"},
    {"WhoGoesAlreadyIsWaitedFor",
     {{"a", "m", 60, 0},
      {.name = "b",
       .node = "n",
       .units = 60,
       .priority = 1,
       .more = [](PodBuilder& pod) { pod.Deleting(); }}},
     Asks(100),
     "n:"},
    {"AndWhoElseMustGoGoes",
     {{"a", "m", 60, 10},
      {.name = "b",
       .node = "n",
       .units = 30,
       .priority = 1,
       .more = [](PodBuilder& pod) { pod.Deleting(); }},
      {"c", "n", 30, 2}},
     Asks(100),
     "n: c"},
    {"WhoIsMoreImportantAndGoesIsNotWaitedFor",
     {{"a", "m", 60, 0},
      {.name = "b",
       .node = "n",
       .units = 60,
       .priority = 10,
       .more = [](PodBuilder& pod) { pod.Deleting(); }}},
     Asks(100),
     "m: a"},
    {"WhatAGonePodHasLeftIsWaitedFor",
     {{"a", "m", 60, 10},
      {.name = "b", .node = "n", .units = 30, .priority = 10, .gone = true},
      {"c", "n", 30, 0}},
     Asks(50),
     "n:"},
};
INSTANTIATE_TEST_SUITE_P(All, PreemptionCases, testing::ValuesIn(kCases),
                         [](const auto& info) { return info.param.name; });

class PreemptionTest : public testing::Test {
 protected:
  PreemptionTest() {
    for (const char* node : {"m", "n"}) shown_.ShowNode(node, 1);
  }
  std::string Find(const PodPtr& pod) { return FindVictims(shown_, pod); }

  ShownCluster shown_;
  Cards cards_{shown_};
};

TEST_F(PreemptionTest, WhoseEvictionWasRefusedIsSparedForAWhile) {
  cards_.Run({"a", "m", 60, 1});
  cards_.Run({"b", "n", 60, 0});
  const AssumeEvicted evicted{"team-a/p", "uid-b"};
  shown_.cluster.Assume(evicted, shown_.at.now);
  EXPECT_EQ(Find(Asks(100).Obj()), "n:") << "it is asked: it counts as going";
  shown_.cluster.Settle(evicted, Outcome::kRefused, shown_.at.now);
  EXPECT_EQ(Find(Asks(100).Obj()), "m: a");
  shown_.Pass(Settings().spare_at_first);
  EXPECT_EQ(Find(Asks(100).Obj()), "n: b");
  shown_.cluster.Assume(evicted, shown_.at.now);
  shown_.cluster.Settle(evicted, Outcome::kRefused, shown_.at.now);
  shown_.Pass(Settings().spare_at_first);
  EXPECT_EQ(Find(Asks(100).Obj()), "m: a") << "for longer each time";
  shown_.Pass(Settings().spare_at_first);
  EXPECT_EQ(Find(Asks(100).Obj()), "n: b");
  shown_.cluster.Assume(evicted, shown_.at.now);
  shown_.cluster.Settle(evicted, Outcome::kUnknown, shown_.at.now);
  EXPECT_EQ(Find(Asks(100).Obj()), "n: b") << "it may be asked again";
}

TEST_F(PreemptionTest, WhoUsesAReservedPartitionIsNoVictim) {
  cards_.Run({"a", "m", 60, 10});
  shown_.Show(builders::MakePartition("r")
                  .Assigned(builders::MakeSlice("n", 0, 0, 60, 1000, 0, 0))
                  .Ready()
                  .Obj());
  shown_.Show(MakePod("b").Priority(0).BoundFor("r").Limits(kWhole).Node("n").Obj());
  EXPECT_EQ(Find(Asks(100).Obj()), "none");
}

TEST_F(PreemptionTest, WhoIsNotBoundYetIsNoVictim) {
  cards_.Run({"a", "m", 60, 10});
  const auto pod = MakePod("b").Priority(0).Limits(kWhole).Obj();
  shown_.Show(pod);
  shown_.Show(builders::MakePartition("")
                  .For(pod)
                  .Assigned(builders::MakeSlice("n", 0, 0, 60, 1000, 0, 0))
                  .Obj());
  EXPECT_EQ(Find(Asks(100).Obj()), "none");
}

TEST_F(PreemptionTest, ASearchIsBoundedAndGoesOnWhereItEnded) {
  cards_.Run({"a", "m", 60, 10});
  cards_.Run({"b", "n", 60, 10});
  for (int i = 0; i < 300; ++i) {
    const std::string node = "x" + std::to_string(100 + i);
    shown_.ShowNode(node, 1);
    // Only of the last is it enough that who may go goes.
    cards_.Run({"stays" + node, node, i == 299 ? 0 : 40, 10});
    cards_.Run({"goes" + node, node, 20, 0});
  }
  const View& view = shown_.cluster.view();
  const auto pod = Asks(100).Obj();
  shown_.Show(pod);
  const auto request = FindWaitingOne(view, PodKey("team-a/p"));
  const auto nodes = view.priorities().NodesBelow(10);
  ASSERT_EQ(nodes.size(), 300u);
  size_t looked = 0;
  int searches = 0;
  PreemptionSearch search;
  while (!search.found && looked < nodes.size()) {
    Trial trial = shown_.cluster.BeginTrial();
    search = FindPreemption(view, trial, *request, nodes, looked, shown_.at.now);
    EXPECT_LE(search.looked, 100u);
    ASSERT_GT(search.looked, 0u);
    looked += search.looked;
    ++searches;
  }
  ASSERT_TRUE(search.found);
  EXPECT_EQ(search.found->node(), "x399");
  EXPECT_GE(searches, 3);
}

}  // namespace
}  // namespace vdcu::reconcilers
