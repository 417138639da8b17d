#include "reconcilers/placer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "reconcilers/pod_partitions.h"
#include "tests/reconcilers/shown.h"

namespace vdcu::reconcilers {
namespace {

using builders::MakePartition;
using builders::MakePod;
using builders::MakeSlice;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class PlacerTest : public testing::Test {
 protected:
  void Add(const PodPtr& pod) {
    shown_.Show(pod);
    placer_.Add(PodKey(pod->meta.key()), shown_.at.now);
  }
  // All that the placer decides now: "p placed", or "p waits" where it says so on the pod.
  std::vector<std::string> Decide() {
    std::vector<std::string> decisions;
    while (const auto decision = placer_.Next(shown_.at)) {
      shown_.Assume(decision->plan);
      last_ = decision->plan;
      const std::string name = decision->key.name;
      if (decision->placed) {
        decisions.push_back(name + " placed");
      } else if (!decision->plan.writes.empty()) {
        decisions.push_back(name + " waits");
      }
    }
    return decisions;
  }
  // A slice of another's on the node's card; units 0 takes it away.
  void Take(const std::string& node, int units) {
    const auto partition = MakePartition("of-" + node);
    if (units == 0) return shown_.Remove(builders::PartitionBuilder(partition).Obj());
    shown_.Show(builders::PartitionBuilder(partition)
                    .Assigned(MakeSlice(node, 0, 0, units, 1000, 3, 99))
                    .Obj());
  }
  // What the last decision says on its object.
  std::string Told() const { return Reported(last_).value("message", ""); }
  static builders::PodBuilder Asks(const std::string& name, int percent) {
    return MakePod(name).Limits(
        {{"hygon.com/dcunum", 1}, {"hygon.com/dcucores", percent}, {"hygon.com/dcumem", 100}});
  }

  ShownCluster shown_;
  Placer placer_{shown_.cluster};
  Plan last_;
};

TEST_F(PlacerTest, PriorityThenAgeThenName) {
  shown_.ShowNode("n", 2);
  Add(Asks("b", 10).Obj());
  Add(Asks("a", 10).Obj());
  Add(Asks("old", 10).Created("2025-01-01T00:00:00Z").Obj());
  Add(Asks("urgent", 10).Priority(1).Obj());
  EXPECT_THAT(Decide(), ElementsAre("urgent placed", "old placed", "a placed", "b placed"));
  EXPECT_EQ(placer_.waiting(), 0u);
}

TEST_F(PlacerTest, NamespacesOfAPriorityTakeTurns) {
  shown_.ShowNode("n", 1);
  const auto crowd = [](int i) {
    return Asks("p" + std::to_string(i), 10).NodeSelector({{"no", std::to_string(i)}});
  };
  for (int i = 0; i < 300; ++i) Add(crowd(i).Created("2025-01-01T00:00:00Z").Obj());
  for (int i = 0; i < 300; ++i) Add(crowd(300 + i).Priority(1).Obj());
  Add(Asks("other", 10).Ns("team-b").Priority(1).Obj());
  Add(Asks("low", 10).Ns("team-c").Obj());
  const auto decisions = Decide();
  const auto place = [&](const std::string& what) {
    return std::find(decisions.begin(), decisions.end(), what) - decisions.begin();
  };
  EXPECT_EQ(place("other placed"), Placer::kTurn) << "all that came before are older";
  EXPECT_EQ(decisions.size(), 602u);
  EXPECT_GT(place("low placed"), 300) << "after all of a higher priority";
  EXPECT_LT(place("low placed"), 300 + Placer::kTurn + 2);
  // A node has improved: the same for those that are tried again.
  shown_.Show(builders::MakeNode("n").Label("no", "7").Obj());
  Add(Asks("next", 10).Ns("team-b").Obj());
  const auto again = Decide();
  EXPECT_EQ(std::count(again.begin(), again.end(), "next placed"), 1);
  EXPECT_EQ(std::count(again.begin(), again.end(), "p7 placed"), 1);
}

TEST_F(PlacerTest, WhoWasRefusedGoesToTheEndOfItsPrioritysLine) {
  shown_.ShowNode("n", 2);
  for (const char* name : {"a", "b"}) shown_.Show(Asks(name, 10).Obj());
  const auto made = MakePartition("").For(Asks("a", 10).Obj()).Obj();
  shown_.SetBack({{CreatePartition(*made)}, {}, {}, false}, {base::ErrorCode::kForbidden, "", {}});
  for (const char* name : {"a", "b"})
    placer_.Add(PodKey("team-a/" + std::string(name)), shown_.at.now);
  Add(Asks("low", 10).Priority(-1).Obj());
  EXPECT_THAT(Decide(), ElementsAre("b placed", "a placed", "low placed"));
}

TEST_F(PlacerTest, GrantsPodsTheirObjectsAndPartitionsTheirCards) {
  shown_.ShowNode("n", 1);
  shown_.Show(MakePartition("r").Obj());
  placer_.Add(PartitionKey("team-a/r"), shown_.at.now);
  EXPECT_THAT(Decide(), ElementsAre("r placed"));
  EXPECT_THAT(Writes(last_), ElementsAre("patch vdcupartitions team-a/r"));
  EXPECT_EQ(shown_.UnitsTaken("n"), 10);
  Add(Asks("p", 15).Obj());
  EXPECT_THAT(Decide(), ElementsAre("p placed"));
  EXPECT_EQ(last_.writes[0].write.body["spec"]["assignment"]["computeUnits"], 9);
  EXPECT_EQ(shown_.UnitsTaken("n"), 19);
}

TEST_F(PlacerTest, ThoseThatAskAlikeWaitWithTheFirstsReason) {
  shown_.ShowNode("n", 1);
  Take("n", 59);
  for (const char* name : {"a", "b", "c"}) Add(Asks(name, 50).Obj());
  EXPECT_THAT(Decide(), ElementsAre("a waits", "b waits", "c waits"));
  EXPECT_EQ(placer_.waiting(), 3u);
  // Had d been tried, it would be told of the second free unit.
  Take("n", 58);
  shown_.cluster.changes().TakeImproved();
  Add(Asks("d", 50).Obj());
  Decide();
  EXPECT_THAT(Told(), HasSubstr("most free 1"));
  Add(Asks("e", 51).Obj());
  Decide();
  EXPECT_THAT(Told(), HasSubstr("most free 2"));
}

TEST_F(PlacerTest, WhenNodesComeAllAreToldAnew) {
  shown_.ShowNode("n", 1);
  Take("n", 59);
  for (const char* name : {"a", "b"}) Add(Asks(name, 50).Obj());
  Decide();
  EXPECT_THAT(Told(), HasSubstr("0/1 nodes fit"));
  shown_.ShowNode("m", 0);
  EXPECT_THAT(Decide(), ElementsAre("a waits", "b waits"));
  EXPECT_THAT(Told(), HasSubstr("0/2 nodes fit"));
}

TEST_F(PlacerTest, AnImprovementIsGivenToWhoeverFits) {
  shown_.ShowNode("n", 1);
  Take("n", 60);
  Add(Asks("large", 90).Priority(2).Obj());
  Add(Asks("middle", 30).Priority(1).Obj());
  Add(Asks("small", 20).Obj());
  Add(Asks("small-2", 20).Obj());
  EXPECT_EQ(Decide().size(), 4u);
  EXPECT_THAT(Decide(), IsEmpty()) << "nothing is tried on a timer";
  Take("n", 36);
  EXPECT_THAT(Decide(), ElementsAre("middle placed")) << "18 of 24 units, and a small one asks 12";
  Take("n", 18);
  EXPECT_THAT(Decide(), ElementsAre("small placed", "small-2 placed"));
  EXPECT_EQ(placer_.waiting(), 1u);
}

TEST_F(PlacerTest, AnotherNodesImprovementIsEnough) {
  shown_.ShowNode("n", 1);
  Take("n", 60);
  Add(Asks("p", 100).Obj());
  Decide();
  shown_.ShowNode("m", 1);
  EXPECT_THAT(Decide(), ElementsAre("p placed"));
}

TEST_F(PlacerTest, ANewRequestOfAWaitingClassIsTriedAfterAnImprovement) {
  shown_.ShowNode("n", 1);
  Take("n", 60);
  Add(Asks("b", 50).Obj());
  Decide();
  Take("n", 20);
  Add(Asks("a", 50).Priority(1).Obj());
  EXPECT_THAT(Decide(), ElementsAre("a placed"));
  Take("n", 0);
  EXPECT_THAT(Decide(), ElementsAre("b placed"));
}

TEST_F(PlacerTest, AChangedAskIsTriedAgainAnUnchangedOneIsNot) {
  shown_.ShowNode("n", 1);
  Take("n", 59);
  Add(Asks("p", 50).Obj());
  EXPECT_THAT(Decide(), ElementsAre("p waits"));
  Add(Asks("p", 50).Version("2").Obj());
  EXPECT_THAT(Decide(), IsEmpty());
  Add(Asks("p", 1).Obj());
  EXPECT_THAT(Decide(), ElementsAre("p placed"));
}

TEST_F(PlacerTest, WhoIsRemovedLeavesTheClassToTheNext) {
  shown_.ShowNode("n", 1);
  Take("n", 60);
  Add(Asks("a", 50).Obj());
  Add(Asks("b", 50).Obj());
  Decide();
  Take("n", 0);
  shown_.Remove(Asks("a", 50).Obj());
  placer_.Remove(PodKey("team-a/a"));
  EXPECT_THAT(Decide(), ElementsAre("b placed"));
  EXPECT_EQ(placer_.waiting(), 0u);
}

TEST_F(PlacerTest, WhoDoesNotWaitAnyMoreIsForgotten) {
  shown_.ShowNode("n", 1);
  Add(Asks("a", 50).Obj());
  Add(Asks("b", 50).Obj());
  shown_.Show(Asks("a", 50).Node("n").Obj());
  shown_.Remove(Asks("b", 50).Obj());
  EXPECT_THAT(Decide(), IsEmpty());
  EXPECT_EQ(placer_.waiting(), 0u);
}

TEST_F(PlacerTest, ANodeThatRefusedIsTriedAgainAfterAWhile) {
  shown_.ShowNode("n", 1);
  shown_.Show(Asks("p", 50).Obj());
  base::Duration wait{1'000};
  for (const int seconds : {1, 2, 4, 8, 16, 30, 30}) {
    shown_.cluster.Take(PodRefused{"team-a/p", "n"}, shown_.at.now);
    wait = std::chrono::seconds(seconds);
    EXPECT_EQ(shown_.OfPod("p").requeue_after, wait) << "each time for longer";
    if (seconds < 30) shown_.Pass(wait);
  }
  placer_.Add(PodKey("team-a/p"), shown_.at.now);
  EXPECT_THAT(Decide(), ElementsAre("p waits"));
  shown_.Pass(wait - base::Duration(1));
  placer_.Add(PodKey("team-a/p"), shown_.at.now);
  EXPECT_THAT(Decide(), IsEmpty());
  shown_.Pass(base::Duration(1));
  placer_.Add(PodKey("team-a/p"), shown_.at.now);
  EXPECT_THAT(Decide(), ElementsAre("p placed"));
}

TEST_F(PlacerTest, ASilentNodeIsTriedAgainWhenItsTimeIsOver) {
  shown_.ShowNode("n", 1);
  shown_.cluster.Take(NodeSilent{"n"}, shown_.at.now);
  Add(Asks("p", 50).Obj());
  EXPECT_THAT(Decide(), ElementsAre("p waits"));
  EXPECT_THAT(Told(), HasSubstr("node's vdcu daemon does not answer"));
  shown_.Pass(base::Duration(10'000));
  shown_.cluster.Expire(shown_.at.now);
  EXPECT_THAT(Decide(), ElementsAre("p placed"));
}

TEST_F(PlacerTest, VolumesThatKeepAPodBackAreTheReason) {
  shown_.ShowNode("n", 1);
  Add(Asks("p", 50).Claim("data").Obj());
  EXPECT_THAT(Decide(), ElementsAre("p waits"));
  EXPECT_EQ(Told(), "PersistentVolumeClaim data does not exist");
}

}  // namespace
}  // namespace vdcu::reconcilers
