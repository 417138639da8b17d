#include "reconcilers/view/cluster.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "reconcilers/pod_partitions.h"
#include "tests/reconcilers/shown.h"

namespace vdcu::reconcilers {
namespace {

using builders::MakeDcuNode;
using builders::MakeNode;
using builders::MakePartition;
using builders::MakePod;
using builders::MakeSlice;
using testing::ElementsAre;
using testing::IsEmpty;

class ClusterTest : public testing::Test {
 protected:
  ClusterTest() {
    shown_.ShowNode("n", 2);
    shown_.Show(pod_);
    Clear();
  }
  void Clear() {
    shown_.TakeDirty();
    shown_.cluster.changes().TakeImproved();
  }
  void Assume(const Assumption& assumption) { shown_.cluster.Assume(assumption, shown_.at.now); }
  void Settle(const Assumption& assumption, Outcome outcome) {
    shown_.cluster.Settle(assumption, outcome, shown_.at.now);
  }
  int PodsOn(const std::string& node) { return shown_.cluster.view().ledger().Find(node)->pods; }

  ShownCluster shown_;
  const PodPtr pod_ = MakePod("p").Limits(kTenth).Obj();
  const PartitionPtr mine_ =
      MakePartition("").For(pod_).Assigned(MakeSlice("n", 0, 0, 6, 1000, 0, 0)).Obj();
  const AssumeCreated created_{*mine_};
};

TEST_F(ClusterTest, ACreateCountsFromItsStartUntilTheObjectIsGone) {
  Assume(created_);
  EXPECT_EQ(shown_.UnitsTaken("n"), 6);
  EXPECT_EQ(PodsOn("n"), 1) << "its pod is about to be bound there";
  Settle(created_, Outcome::kCommitted);
  EXPECT_EQ(shown_.UnitsTaken("n"), 6);
  shown_.Show(mine_);
  EXPECT_EQ(shown_.UnitsTaken("n"), 6);
  shown_.Show(MakePartition("").For(pod_).Assigned(*mine_->spec.assignment).Deleting("now").Obj());
  EXPECT_EQ(shown_.UnitsTaken("n"), 6) << "its finalizer is still there";
  EXPECT_EQ(PodsOn("n"), 0);
  Clear();
  shown_.Remove(mine_);
  EXPECT_EQ(shown_.UnitsTaken("n"), 0);
  EXPECT_THAT(shown_.cluster.changes().TakeImproved(), ElementsAre("n"));
  EXPECT_TRUE(shown_.TakesDirty("pod/team-a/p"));
}

TEST_F(ClusterTest, ARefusedCreateCountsNoMore) {
  Assume(created_);
  Settle(created_, Outcome::kRefused);
  EXPECT_EQ(shown_.UnitsTaken("n"), 0);
  EXPECT_EQ(PodsOn("n"), 0);
  EXPECT_THAT(shown_.cluster.changes().TakeImproved(), ElementsAre("n"));
  EXPECT_THAT(shown_.TakeDirty(), IsEmpty()) << "the runner tries again, but not at once";
}

TEST_F(ClusterTest, ACreateOfUnknownEndKeepsItsSlice) {
  Assume(created_);
  Settle(created_, Outcome::kUnknown);
  EXPECT_EQ(shown_.UnitsTaken("n"), 6);
  EXPECT_EQ(shown_.cluster.view().FindPartition(mine_->meta.key())->sent, Sent::kUnknown);
}

TEST_F(ClusterTest, ARefusedRepeatSaysNothingOfTheTryBefore) {
  Assume(created_);
  Settle(created_, Outcome::kUnknown);
  for (int again = 0; again < 2; ++again) {
    Assume(created_);
    Settle(created_, Outcome::kRefused);
    EXPECT_EQ(shown_.UnitsTaken("n"), 6);
    EXPECT_EQ(shown_.cluster.view().FindPartition(mine_->meta.key())->sent, Sent::kUnknown);
  }
  Assume(created_);
  Settle(created_, Outcome::kCommitted);
  EXPECT_EQ(shown_.cluster.view().FindPartition(mine_->meta.key())->sent, Sent::kCommitted);
}

TEST_F(ClusterTest, OneOfItsNameThatGoesLeavesTheSliceToOurCreate) {
  auto stored = *mine_;
  stored.meta.uid = "uid-stored";
  const auto older = mine_;
  for (const bool answered : {true, false}) {
    Assume(created_);
    Settle(created_, Outcome::kUnknown);
    Assume(created_);  // the first was deleted: this one stores another
    if (answered) shown_.cluster.Settle(AssumeCreated{stored}, Outcome::kCommitted, shown_.at.now);
    shown_.Show(older);
    if (!answered) shown_.cluster.Settle(AssumeCreated{stored}, Outcome::kCommitted, shown_.at.now);
    shown_.Remove(older);
    EXPECT_EQ(shown_.UnitsTaken("n"), 6) << answered;
    shown_.Show(std::make_shared<const crds::VdcuPartition>(stored));
    EXPECT_EQ(shown_.cluster.view().FindPartition(mine_->meta.key())->sent, Sent::kNothing);
    shown_.Remove(mine_);
    EXPECT_EQ(shown_.UnitsTaken("n"), 0) << answered;
  }
}

TEST_F(ClusterTest, WhatCameAndWentBeforeTheAnswerIsGoneWithIt) {
  Assume(created_);
  shown_.Show(mine_);
  shown_.Remove(mine_);
  EXPECT_EQ(shown_.UnitsTaken("n"), 6) << "it may have been of an earlier try";
  Settle(created_, Outcome::kCommitted);
  EXPECT_EQ(shown_.UnitsTaken("n"), 0);
  EXPECT_EQ(shown_.cluster.view().FindPartition(mine_->meta.key()), nullptr);
}

TEST_F(ClusterTest, TheWatchMayBeFasterThanTheAnswer) {
  Assume(created_);
  shown_.Show(mine_);
  for (const Outcome outcome : {Outcome::kUnknown, Outcome::kRefused, Outcome::kCommitted}) {
    Settle(created_, outcome);
    EXPECT_EQ(shown_.UnitsTaken("n"), 6);
    EXPECT_EQ(shown_.cluster.view().FindPartition(mine_->meta.key())->sent, Sent::kNothing);
  }
  shown_.Remove(mine_);
  Settle(created_, Outcome::kUnknown);
  EXPECT_EQ(shown_.cluster.view().FindPartition(mine_->meta.key()), nullptr);
}

TEST_F(ClusterTest, ANameThatAnotherObjectTookFirst) {
  Assume(created_);
  Clear();
  shown_.Show(MakePartition(mine_->meta.name).Obj());
  EXPECT_EQ(shown_.UnitsTaken("n"), 0);
  EXPECT_EQ(PodsOn("n"), 0);
  EXPECT_TRUE(shown_.TakesDirty("pod/team-a/p"));
}

TEST_F(ClusterTest, AnAssignmentThatIsRefusedIsTakenBack) {
  const PartitionPtr reserved = MakePartition("r").Obj();
  shown_.Show(reserved);
  const AssumeAssigned assigned{"team-a/r", MakeSlice("n", 1, 0, 10, 1000, 0, 0)};
  Assume(assigned);
  EXPECT_EQ(shown_.UnitsTaken("n", 1), 10);
  shown_.Show(MakePartition("r").Version("2").Obj());
  EXPECT_EQ(shown_.UnitsTaken("n", 1), 10) << "the watch shows what came before";
  Clear();
  Settle(assigned, Outcome::kRefused);
  EXPECT_EQ(shown_.UnitsTaken("n", 1), 0);
  EXPECT_THAT(shown_.cluster.changes().TakeImproved(), ElementsAre("n"));
  EXPECT_THAT(shown_.TakeDirty(), IsEmpty());
}

TEST_F(ClusterTest, NoConditionSpeaksOfAnAssignmentThatIsNotShown) {
  shown_.Show(MakePartition("r").Ready().Obj());
  Assume(AssumeAssigned{"team-a/r", MakeSlice("n", 1, 0, 10, 1000, 0, 0)});
  shown_.Show(MakePod("q").Limits(kWhole).Annotation("vdcu.io/partition", "r").Obj());
  EXPECT_EQ(Reported(shown_.OfPod("q"))["message"], "VDCUPartition r is not Ready");
}

TEST_F(ClusterTest, AnAnswerThatIsOlderThanTheWatchChangesNothing) {
  shown_.Show(MakePartition("r").Version("1").Obj());
  const AssumeWritten first{"team-a/r", "1"};
  const AssumeWritten second{"team-a/r", "2"};
  const auto sent = [&] { return shown_.cluster.view().FindPartition("team-a/r")->sent; };
  Assume(first);
  EXPECT_EQ(sent(), Sent::kInFlight);
  shown_.Show(MakePartition("r").Version("2").Obj());
  EXPECT_EQ(sent(), Sent::kNothing);
  Assume(second);
  Settle(first, Outcome::kCommitted);
  EXPECT_EQ(sent(), Sent::kInFlight);
  Settle(second, Outcome::kRefused);
  EXPECT_EQ(sent(), Sent::kNothing) << "else nobody would ever try again";
}

TEST_F(ClusterTest, ABindingCountsUntilItIsRefused) {
  const AssumeBound bound{"team-a/p", "uid-p", "n"};
  Assume(bound);
  EXPECT_EQ(PodsOn("n"), 1);
  Settle(bound, Outcome::kUnknown);
  EXPECT_EQ(PodsOn("n"), 1);
  EXPECT_EQ(shown_.cluster.view().FindPod("team-a/p")->sent, Sent::kUnknown);
  Clear();
  Settle(bound, Outcome::kRefused);
  EXPECT_EQ(PodsOn("n"), 0);
  EXPECT_EQ(shown_.cluster.view().FindPod("team-a/p")->node(), "");
  EXPECT_THAT(shown_.TakeDirty(), IsEmpty());
}

TEST_F(ClusterTest, ABoundPodIsWhereTheWatchSays) {
  const AssumeBound bound{"team-a/p", "uid-p", "n"};
  shown_.Show(MakeNode("m").Obj());
  Assume(bound);
  shown_.Show(MakePod("p").Node("m").Obj());
  Settle(bound, Outcome::kUnknown);
  EXPECT_EQ(PodsOn("n"), 0);
  EXPECT_EQ(PodsOn("m"), 1);
  shown_.Show(MakePod("p").Node("m").Phase("Succeeded").Obj());
  EXPECT_EQ(PodsOn("m"), 0) << "a terminal pod counts for nothing";
}

TEST_F(ClusterTest, PodsOfOthersCountUntilTheyAreGone) {
  const auto other = MakePod("o").Scheduler("default-scheduler").Limits({{"cpu", 1}});
  shown_.Show(builders::PodBuilder(other).Obj());
  EXPECT_EQ(PodsOn("n"), 0);
  const PodPtr bound = builders::PodBuilder(other).Node("n").Obj();
  shown_.Show(bound);
  EXPECT_EQ(PodsOn("n"), 1);
  EXPECT_EQ(shown_.cluster.view().FindPod("team-a/o"), nullptr);
  Clear();
  shown_.Remove(bound);
  EXPECT_EQ(PodsOn("n"), 0);
  EXPECT_THAT(shown_.cluster.changes().TakeImproved(), ElementsAre("n"));
}

TEST_F(ClusterTest, HeldSlicesCountThoughNoObjectNamesThem) {
  shown_.Show(MakeDcuNode("n").Cards(2).Held("u", MakeSlice("n", 1, 0, 7, 1000, 0, 0)).Obj());
  EXPECT_EQ(shown_.UnitsTaken("n", 1), 7);
  EXPECT_THAT(shown_.cluster.changes().TakeImproved(), ElementsAre("n"));
  shown_.Show(MakeDcuNode("n").Cards(2).Obj());
  EXPECT_EQ(shown_.UnitsTaken("n", 1), 0);
}

TEST_F(ClusterTest, CardsCountOnlyBesideTheirNode) {
  shown_.Remove(MakeNode("n").Obj());
  EXPECT_EQ(shown_.cluster.view().inventory().Find("n"), nullptr);
  shown_.Show(MakeNode("n").Obj());
  EXPECT_NE(shown_.cluster.view().inventory().Find("n"), nullptr);
}

TEST_F(ClusterTest, WhatTheAdministratorSaysOfCards) {
  shown_.Show(MakeDcuNode("n").Cards(2).Cordon(0).Reserve(768).Obj());
  const dcu::Node& node = *shown_.cluster.view().inventory().Find("n");
  EXPECT_FALSE(node.cards[0].usable());
  EXPECT_EQ(node.cards[1].sliceable.value, 32000);
  shown_.Show(MakeDcuNode("n").Cards(2).NotReady().Obj());
  EXPECT_FALSE(shown_.cluster.view().inventory().Find("n")->ready);
}

TEST_F(ClusterTest, OnlyWhatMattersForPlacementImprovesANode) {
  shown_.Show(MakeNode("n").NotReady("x").Obj());
  EXPECT_THAT(shown_.cluster.changes().TakeImproved(), IsEmpty());
  shown_.Show(MakeNode("n").Cordoned().Obj());
  shown_.Show(MakeNode("n").Obj());
  EXPECT_THAT(shown_.cluster.changes().TakeImproved(), ElementsAre("n"));
  shown_.Show(MakeDcuNode("n").Cards(2).Obj());
  EXPECT_THAT(shown_.cluster.changes().TakeImproved(), IsEmpty())
      << "the daemon only reported again";
}

TEST_F(ClusterTest, ADeadNodeIsToldToItsPartitions) {
  shown_.Show(mine_);
  Clear();
  shown_.Show(MakeNode("n").NotReady("x").Obj());
  EXPECT_TRUE(shown_.TakesDirty("partition/" + mine_->meta.key()));
  shown_.Show(MakeNode("n")
                  .NotReady("x")
                  .Taint("node.kubernetes.io/out-of-service", "", "NoExecute")
                  .Obj());
  EXPECT_TRUE(shown_.TakesDirty("partition/" + mine_->meta.key()));
}

TEST_F(ClusterTest, WhoNamesAPartitionIsToldToItAndToTheOthers) {
  const auto naming = [](const std::string& name, const std::string& partition) {
    return MakePod(name).Limits(kWhole).Annotation("vdcu.io/partition", partition).Obj();
  };
  shown_.Show(MakePartition("r").Obj());
  shown_.Show(naming("a", "r"));
  shown_.Show(naming("b", "r"));
  Clear();
  shown_.Show(naming("a", "s"));
  EXPECT_THAT(shown_.TakeDirty(), ElementsAre("partition/team-a/r", "partition/team-a/s",
                                              "line/team-a/r", "line/team-a/s", "pod/team-a/a"));
  shown_.Remove(naming("b", "r"));
  EXPECT_TRUE(shown_.TakesDirty("partition/team-a/r"));
}

TEST_F(ClusterTest, OurCreateThatAListDoesNotShowIsGone) {
  struct Case {
    std::string name;
    std::string stored;
    std::string listed;
    bool want_gone;
  };
  for (const Case& c :
       {Case{"stored before the list", "20", "21", true},
        Case{"the list is of that version", "20", "20", true},
        Case{"stored after the list", "20", "19", false},
        Case{"they compare as numbers", "9", "10", true},
        Case{"its version is not known", "", "21", false}, Case{"no numbers", "b", "c", false}}) {
    for (const bool listed_first : {false, true}) {
      SCOPED_TRACE(c.name + (listed_first ? ", listed before the answer" : ""));
      ShownCluster shown;
      shown.Show(pod_);
      AssumeCreated created{*mine_};
      created.partition.meta.uid = "";
      shown.cluster.Assume(created, shown.at.now);
      if (listed_first) shown.cluster.OnPartitionsListed(c.listed);
      created.partition.meta.uid = "stored";
      created.partition.meta.resource_version = c.stored;
      shown.cluster.Settle(created, Outcome::kCommitted, shown.at.now);
      if (!listed_first) shown.cluster.OnPartitionsListed(c.listed);
      EXPECT_EQ(shown.cluster.view().PartitionsOfPod(pod_->meta.uid).empty(), c.want_gone);
    }
  }
}

TEST_F(ClusterTest, ASilentNodeThatSpeaksIsTriedAgain) {
  shown_.Show(mine_);
  shown_.cluster.Take(NodeSilent{"n"}, shown_.at.now);
  Clear();
  EXPECT_TRUE(shown_.cluster.view().IsSilent("n", shown_.at.now));
  shown_.Show(MakePartition("").For(pod_).Assigned(*mine_->spec.assignment).Ready().Obj());
  EXPECT_FALSE(shown_.cluster.view().IsSilent("n", shown_.at.now));
  EXPECT_THAT(shown_.cluster.changes().TakeImproved(), ElementsAre("n"));
  shown_.cluster.Take(NodeSilent{"n"}, shown_.at.now);
  shown_.Show(
      MakePartition("").For(pod_).Assigned(*mine_->spec.assignment).Ready().Version("3").Obj());
  EXPECT_TRUE(shown_.cluster.view().IsSilent("n", shown_.at.now)) << "it said so long ago";
}

TEST_F(ClusterTest, SilenceRunsOut) {
  shown_.cluster.Take(NodeSilent{"n"}, shown_.at.now);
  EXPECT_EQ(shown_.cluster.Expire(shown_.at.now), shown_.at.now + base::Duration(10'000));
  EXPECT_THAT(shown_.cluster.changes().TakeImproved(), IsEmpty());
  shown_.Pass(base::Duration(10'000));
  EXPECT_EQ(shown_.cluster.Expire(shown_.at.now), std::nullopt);
  EXPECT_THAT(shown_.cluster.changes().TakeImproved(), ElementsAre("n"));
  shown_.cluster.Expire(shown_.at.now);
  EXPECT_THAT(shown_.cluster.changes().TakeImproved(), IsEmpty()) << "once";
}

TEST_F(ClusterTest, SilenceLastsLongerEachTimeUntilTheNodeSpeaks) {
  const auto seconds_of_silence = [this] {
    const base::TimePoint begin = shown_.at.now;
    shown_.cluster.Take(NodeSilent{"n"}, shown_.at.now);
    shown_.cluster.Take(NodeSilent{"n"}, shown_.at.now);  // of another pod
    while (shown_.cluster.Expire(shown_.at.now)) shown_.Pass(base::Duration(1'000));
    EXPECT_FALSE(shown_.cluster.view().IsSilent("n", shown_.at.now));
    return (shown_.at.now - begin).count() / 1000;
  };
  for (const int want : {10, 20, 30, 30}) {
    EXPECT_EQ(seconds_of_silence(), want);
    shown_.Pass(base::Duration(5'000));
  }
  shown_.Show(MakePartition("").For(pod_).Assigned(*mine_->spec.assignment).Obj());
  shown_.Show(MakePartition("").For(pod_).Assigned(*mine_->spec.assignment).Ready().Obj());
  EXPECT_EQ(seconds_of_silence(), 10) << "it has spoken";
  shown_.Pass(base::Duration(60'000));
  shown_.cluster.Expire(shown_.at.now);
  EXPECT_EQ(seconds_of_silence(), 10) << "long ago";
}

TEST_F(ClusterTest, WhatKeepsAPodsVolumesFromIt) {
  const PodPtr pod = MakePod("v").Limits(kTenth).Claim("data").Obj();
  const auto why = [&] {
    const auto volumes = shown_.cluster.view().VolumesOf(*pod);
    return volumes ? "" : volumes.error().message;
  };
  auto claim = std::make_shared<kclient::PersistentVolumeClaim>();
  claim->meta.ns = "team-a";
  claim->meta.name = "data";
  const auto show = [&](auto change) {
    auto next = std::make_shared<kclient::PersistentVolumeClaim>(*claim);
    change(*next);
    shown_.cluster.shown().Set(claim, next, shown_.at.now);
    claim = next;
  };
  shown_.Show(pod);
  EXPECT_EQ(why(), "PersistentVolumeClaim data does not exist");
  Clear();
  show([](auto&) {});
  EXPECT_TRUE(shown_.TakesDirty("pod/team-a/v"));
  EXPECT_EQ(why(), "PersistentVolumeClaim data is not bound to a volume");
  show([](auto& c) { c.bound = true, c.volume_name = "pv"; });
  EXPECT_EQ(why(), "PersistentVolumeClaim data is bound to volume pv, which does not exist");
  auto volume = std::make_shared<kclient::PersistentVolume>();
  volume->meta.name = "pv";
  Clear();
  shown_.cluster.shown().Set(nullptr, volume, shown_.at.now);
  EXPECT_TRUE(shown_.TakesDirty("pod/team-a/v"));
  EXPECT_EQ(why(), "");
  show([](auto& c) { c.single_pod = true; });
  EXPECT_THAT(why(), testing::HasSubstr("ReadWriteOncePod"));
}

}  // namespace
}  // namespace vdcu::reconcilers
