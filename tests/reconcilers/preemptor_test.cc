// What becomes of a pod that fits nowhere, by its priority: from the view to writes, and on.
#include "reconcilers/preemptor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "reconcilers/placer.h"
#include "reconcilers/pod_partitions.h"
#include "reconcilers/reconcile.h"
#include "tests/reconcilers/running.h"

namespace vdcu::reconcilers {
namespace {

using builders::MakePod;
using builders::PodBuilder;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

Settings Off() {
  Settings settings;
  settings.preemption = false;
  return settings;
}

PodBuilder Asks(const std::string& name, int percent, int priority,
                kclient::ResourceList limits = {}) {
  limits.merge(kclient::ResourceList{
      {"hygon.com/dcunum", 1}, {"hygon.com/dcucores", percent}, {"hygon.com/dcumem", 100}});
  return MakePod(name).Priority(priority).Limits(limits);
}

// A controller's process: what it knows beside the objects is gone with it.
struct Leader {
  explicit Leader(Settings settings = Settings()) : shown(std::move(settings)) {}

  ShownCluster shown;
  Placer placer{shown.cluster};
  Cards cards{shown};
};

class PreemptorTest : public testing::Test {
 protected:
  ShownCluster& shown() { return leader_->shown; }
  Cards& cards() { return leader_->cards; }
  void ShowNodes(std::initializer_list<const char*> nodes) {
    for (const char* node : nodes) shown().ShowNode(node, 1);
  }

  // All that is decided now, as the runner has it: "p placed", "p evicted", "p nominated n".
  std::vector<std::string> Decide() {
    std::vector<std::string> decisions;
    plans_.clear();
    Cluster& cluster = shown().cluster;
    for (const Key& key : cluster.TakeDirty()) {
      const Plan plan = shown().Noted(Reconcile(cluster.view(), key, shown().at));
      plan.place ? leader_->placer.Add(key, shown().at.now) : leader_->placer.Remove(key);
    }
    while (auto decision = leader_->placer.Next(shown().at)) {
      shown().Noted(decision->plan);
      shown().Assume(decision->plan);
      if (decision->placed > 0) decisions.push_back(decision->key.name + " placed");
      for (const auto& planned : decision->plan.writes) AppendText(planned.write, decisions);
      plans_.push_back(std::move(decision->plan));
    }
    return decisions;
  }
  static void AppendText(const kclient::Write& write, std::vector<std::string>& texts) {
    if (write.evicts()) texts.push_back(write.name + " evicted");
    const auto status = write.body.value("status", nlohmann::json::object());
    if (!status.contains("nominatedNodeName")) return;
    const auto& node = status["nominatedNodeName"];
    texts.push_back(write.name + " nominated " +
                    (node.is_null() ? "nowhere" : node.get<std::string>()));
  }
  // What the pod was told last, of those plans.
  std::string Told(const std::string& pod) const {
    std::string told;
    for (const Plan& plan : plans_) {
      for (const auto& event : plan.events) {
        if (event.regarding.name == pod) told = event.note;
      }
    }
    return told;
  }
  void Settle(const std::string& victim, Outcome outcome) {
    shown().cluster.Settle(AssumeEvicted{"team-a/high", "uid-" + victim}, outcome, shown().at.now);
  }
  // As the runner does when a write of the pod's has failed.
  void Renew(const std::string& pod) {
    leader_->placer.Renew(PodKey("team-a/" + pod));
    leader_->placer.Add(PodKey("team-a/" + pod), shown().at.now);
  }
  static PodPtr Deleting(const PodPtr& pod) {
    auto deleting = std::make_shared<kclient::Pod>();
    *deleting = *pod;
    deleting->meta.deletion_timestamp = builders::kCreated;
    return deleting;
  }

  std::unique_ptr<Leader> leader_ = std::make_unique<Leader>();
  std::vector<Plan> plans_;
};

TEST_F(PreemptorTest, TheLessImportantIsEvictedAndBothAreTold) {
  ShowNodes({"n"});
  cards().Run({"low", "n", 60, 1});
  shown().Show(Asks("high", 50, 10).Obj());
  EXPECT_THAT(Decide(), ElementsAre("low evicted", "high nominated n"));
  EXPECT_THAT(Told("high"), HasSubstr("0/1 nodes fit: "));
  EXPECT_THAT(Told("high"),
              HasSubstr(". preemption: waiting for pods of lower priority on node n to end"));
  EXPECT_EQ(Told("low"), "Preempted by pod uid-high on node n");
  EXPECT_THAT(Decide(), IsEmpty()) << "once";
}

TEST_F(PreemptorTest, NobodyForOneThatNeverPreempts) {
  ShowNodes({"n"});
  cards().Run({"low", "n", 60, 1});
  shown().Show(Asks("high", 50, 10).NeverPreempts().Obj());
  EXPECT_THAT(Decide(), IsEmpty());
  EXPECT_THAT(Told("high"), HasSubstr(". preemption: not eligible due to preemptionPolicy=Never."));
}

TEST_F(PreemptorTest, NobodyWhereItIsOff) {
  leader_ = std::make_unique<Leader>(Off());
  ShowNodes({"n"});
  cards().Run({"low", "n", 60, 1});
  shown().Show(Asks("high", 50, 10).Nominated("n").Obj());
  EXPECT_THAT(Decide(), IsEmpty());
  EXPECT_THAT(Told("high"), Not(HasSubstr("preemption")));
  EXPECT_TRUE(shown().cluster.view().claims().empty());
}

TEST_F(PreemptorTest, NobodyForAGroupOrThePodOfAnother) {
  ShowNodes({"n"});
  cards().Run({"low", "n", 60, 1});
  for (const char* name : {"g1", "g2"}) {
    shown().Show(Asks(name, 50, 10)
                     .Annotation("vdcu.io/group", "g")
                     .Annotation("vdcu.io/group-size", "2")
                     .Obj());
  }
  shown().Show(Asks("another", 50, 10).Scheduler("kube").Obj());
  shown().cluster.Take(SliceSought{"team-a/another"}, shown().at.now);
  EXPECT_THAT(Decide(), IsEmpty());
}

TEST_F(PreemptorTest, WhereNobodyIsLessImportantNothingIsSaidOfIt) {
  ShowNodes({"n"});
  cards().Run({"low", "n", 60, 10});
  shown().Show(Asks("high", 50, 10).Obj());
  EXPECT_THAT(Decide(), IsEmpty());
  EXPECT_THAT(Told("high"), Not(HasSubstr("preemption")));
}

TEST_F(PreemptorTest, WhereItWouldNotHelpThatIsSaid) {
  ShowNodes({"n"});
  cards().Run({"same", "n", 40, 10});
  cards().Run({"low", "n", 20, 1});
  shown().Show(Asks("high", 50, 10).Obj());
  EXPECT_THAT(Decide(), IsEmpty());
  EXPECT_THAT(Told("high"), HasSubstr(". preemption: 0/1 nodes are available: 1 No preemption "
                                      "victims found for incoming pod."));
}

TEST_F(PreemptorTest, NobodyElseIsGivenTheRoomMeanwhile) {
  ShowNodes({"n"});
  const auto first = cards().Run({"first", "n", 30, 1});
  const auto second = cards().Run({"second", "n", 30, 1});
  shown().Show(Asks("high", 100, 10).Obj());
  EXPECT_THAT(Decide(), ElementsAre("first evicted", "second evicted", "high nominated n"));
  shown().Show(Asks("same", 50, 10).Obj());
  shown().Show(Asks("middle", 50, 5).Obj());
  EXPECT_THAT(Decide(), IsEmpty());
  cards().End(first);
  EXPECT_THAT(Decide(), IsEmpty()) << "half of what it needs is free, and kept for it";
  shown().Show(Deleting(second));
  EXPECT_THAT(Decide(), IsEmpty());
  shown().Remove(second);
  EXPECT_THAT(Decide(), IsEmpty()) << "its processes have not ended: nobody else goes for that";
  cards().LetGo(second);
  EXPECT_THAT(Decide(), ElementsAre("high placed"));
  EXPECT_TRUE(shown().cluster.view().claims().empty());
}

// Beside cards, in the index of the inventory: it leaves out nodes without room unasked.
TEST_F(PreemptorTest, TheRoomIsTakenOnceInTheIndexToo) {
  ShowNodes({"n"});
  const auto cpu = [&] { return shown().cluster.view().inventory().Find("n")->free.cpu; };
  const int64_t all = cpu();
  const auto low = cards().Run(
      {.name = "low", .node = "n", .units = 60, .priority = 1, .more = [](PodBuilder& pod) {
         pod.Limits({{"cpu", 20'000}});
       }});
  const auto high = Asks("high", 50, 10, {{"cpu", 30'000}}).Obj();
  shown().Show(high);
  EXPECT_THAT(Decide(), ElementsAre("low evicted", "high nominated n"));
  EXPECT_EQ(cpu(), all - 50'000) << "of the one that ends, and of the one that comes";
  shown().Remove(high);
  Decide();
  EXPECT_EQ(cpu(), all - 20'000) << "it does not come";
  shown().Show(high);
  Decide();
  cards().End(low);
  EXPECT_EQ(cpu(), all - 30'000);
  EXPECT_THAT(Decide(), ElementsAre("high placed"));
  EXPECT_EQ(cpu(), all - 30'000);
}

TEST_F(PreemptorTest, WhoIsMoreImportantStillTakesTheRoom) {
  ShowNodes({"n"});
  const auto low = cards().Run({"low", "n", 60, 1});
  shown().Show(Asks("high", 100, 10).Obj());
  Decide();
  cards().End(low);
  shown().Show(Asks("higher", 100, 20).Obj());
  EXPECT_THAT(Decide(), ElementsAre("higher placed", "high nominated nowhere"));
}

TEST_F(PreemptorTest, AskingAlikeIsNoReasonToBeRefusedLikeOneThatIsLessImportant) {
  ShowNodes({"n"});
  const auto low = cards().Run({"low", "n", 60, 1});
  shown().Show(Asks("high", 100, 10).Obj());
  Decide();
  shown().Show(Asks("middle", 100, 5).Obj());
  EXPECT_THAT(Decide(), IsEmpty());
  cards().End(low);
  shown().Show(Asks("higher", 100, 20).Obj());
  EXPECT_THAT(Decide(), ElementsAre("higher placed", "high nominated nowhere"));
}

TEST_F(PreemptorTest, PlacedElsewhereItLeavesTheRoomToOthers) {
  ShowNodes({"n"});
  cards().Run({"low", "n", 30, 1});
  cards().Run({"same", "n", 30, 10});
  shown().Show(Asks("high", 50, 10).Obj());
  EXPECT_THAT(Decide(), ElementsAre("low evicted", "high nominated n"));
  ShowNodes({"m"});
  EXPECT_THAT(Decide(), ElementsAre("high placed"));
  EXPECT_TRUE(shown().cluster.view().claims().empty());
}

TEST_F(PreemptorTest, ItsRoomIsFreeWhenItIsGone) {
  ShowNodes({"n"});
  const auto low = cards().Run({"low", "n", 60, 1});
  const auto high = Asks("high", 100, 10).Obj();
  shown().Show(high);
  Decide();
  cards().End(low);
  shown().Show(Asks("small", 10, 0).Obj());
  shown().Remove(high);
  EXPECT_THAT(Decide(), ElementsAre("small placed"));
}

TEST_F(PreemptorTest, EachOfSeveralThatAskAlikeHasItsOwnVictims) {
  ShowNodes({"m", "n"});
  const auto on_m = cards().Run({"on-m", "m", 60, 1});
  const auto on_n = cards().Run({"on-n", "n", 60, 1});
  for (const char* name : {"a", "b", "c"}) shown().Show(Asks(name, 100, 10).Obj());
  EXPECT_THAT(Decide(),
              ElementsAre("on-m evicted", "a nominated m", "on-n evicted", "b nominated n"));
  EXPECT_THAT(Told("c"), HasSubstr("No preemption victims found"));
  cards().End(on_n);
  EXPECT_THAT(Decide(), ElementsAre("b placed")) << "also when it is not the first of those alike";
  shown().ShowNode("without-cards", 0);
  EXPECT_THAT(Decide(), IsEmpty()) << "all are tried anew";
  cards().End(on_m);
  EXPECT_THAT(Decide(), ElementsAre("a placed"));
}

TEST_F(PreemptorTest, WhatIsRefusedIsTriedElsewhere) {
  ShowNodes({"m", "n"});
  cards().Run({"on-m", "m", 60, 1});
  cards().Run({"on-n", "n", 60, 2});
  shown().Show(Asks("high", 100, 10).Obj());
  EXPECT_THAT(Decide(), ElementsAre("on-m evicted", "high nominated m"));
  Settle("on-m", Outcome::kRefused);
  Renew("high");
  EXPECT_THAT(Decide(), ElementsAre("on-n evicted", "high nominated n"));
  Settle("on-n", Outcome::kRefused);
  Renew("high");
  EXPECT_THAT(Decide(), ElementsAre("high nominated nowhere"));
  EXPECT_THAT(Told("high"), HasSubstr("The eviction of others was refused and is tried again."));
  ASSERT_EQ(plans_.back().requeue_after, Settings().spare_at_first);
  shown().Pass(Settings().spare_at_first);
  leader_->placer.Add(PodKey("team-a/high"), shown().at.now);
  EXPECT_THAT(Decide(), ElementsAre("on-m evicted", "high nominated m"));
}

TEST_F(PreemptorTest, NobodyForOneThatIsRefusedItsSlices) {
  ShowNodes({"n"});
  cards().Run({"low", "n", 60, 1});
  const auto high = Asks("high", 50, 10).Obj();
  shown().Show(high);
  const auto made = builders::MakePartition("").For(high).Obj();
  shown().SetBack({{CreatePartition(*made)}, {}, {}, false}, {base::ErrorCode::kForbidden, "", {}});
  shown().Pass(base::Duration(60'000));
  EXPECT_THAT(Decide(), IsEmpty());
  EXPECT_THAT(Told("high"), Not(HasSubstr("preemption")));
}

TEST_F(PreemptorTest, WhoIsBoundLaterMayBeEvictedThen) {
  ShowNodes({"n"});
  const auto placed = Asks("low", 100, 1).Obj();
  shown().Show(placed);
  shown().Show(builders::MakePartition("")
                   .For(placed)
                   .Assigned(builders::MakeSlice("n", 0, 0, 60, 100, 0, 0))
                   .Ready()
                   .Obj());
  shown().Show(Asks("high", 100, 10).Obj());
  EXPECT_THAT(Decide(), IsEmpty());
  shown().Show(Asks("low", 100, 1).Arrived("n").Obj());
  EXPECT_THAT(Decide(), ElementsAre("low evicted", "high nominated n"));
}

TEST_F(PreemptorTest, ThoseBehindTheFirstAreLookedAtToo) {
  ShowNodes({"m", "n"});
  cards().Run({"same", "m", 60, 10});
  cards().Run({"low", "n", 60, 1});
  for (const char* name : {"a", "b"}) shown().Show(Asks(name, 100, 10).Obj());
  EXPECT_THAT(Decide(), ElementsAre("low evicted", "a nominated n"));
  shown().ShowNode("o", 1);
  EXPECT_THAT(Decide(), ElementsAre("a placed", "b nominated n")) << "who is going goes for b then";
}

TEST_F(PreemptorTest, AnewLeaderKeepsTheRoomThatTheStatusTellsOf) {
  ShowNodes({"n"});
  // The first of two victims has gone, the second is going; then the leader ends.
  cards().Run(
      {.name = "second", .node = "n", .units = 30, .priority = 1, .more = [](PodBuilder& pod) {
         pod.Deleting();
       }});
  shown().Show(Asks("older", 50, 10).Created("2025-01-01T00:00:00Z").Obj());
  shown().Show(Asks("high", 100, 10).Nominated("n").Obj());
  EXPECT_THAT(Decide(), IsEmpty()) << "also before it is its turn";
  EXPECT_FALSE(shown().cluster.view().claims().empty());
}

TEST_F(PreemptorTest, AnewLeaderEvictsNobodyElseWhereTheStatusWasNotWritten) {
  ShowNodes({"m", "n"});
  cards().Run({"low", "m", 60, 0});
  cards().Run(
      {.name = "going", .node = "n", .units = 60, .priority = 1, .more = [](PodBuilder& pod) {
         pod.Deleting();
       }});
  shown().Show(Asks("high", 100, 10).Obj());
  shown().Show(Asks("middle", 50, 5).Obj());
  EXPECT_THAT(Decide(), ElementsAre("high nominated n", "low evicted", "middle nominated m"));
}

TEST_F(PreemptorTest, WhatItsStatusSaysThatIsNotSoIsTakenBack) {
  ShowNodes({"n"});
  cards().Run({"same", "n", 60, 10});
  shown().Show(Asks("high", 100, 10).Nominated("n").Obj());
  EXPECT_THAT(Decide(), ElementsAre("high nominated nowhere"));
}

TEST_F(PreemptorTest, AFailedNominationIsWrittenAgain) {
  ShowNodes({"n"});
  cards().Run({"low", "n", 60, 1});
  shown().Show(Asks("high", 100, 10).Obj());
  EXPECT_THAT(Decide(), ElementsAre("low evicted", "high nominated n"));
  shown().cluster.Settle(AssumeNominated{"team-a/high", "uid-high"}, Outcome::kUnknown,
                         shown().at.now);
  Renew("high");
  EXPECT_THAT(Decide(), ElementsAre("high nominated n")) << "and nobody is evicted again";
}

TEST_F(PreemptorTest, ALongSearchGoesOnLater) {
  for (int i = 0; i < 150; ++i) {
    const std::string node = "x" + std::to_string(100 + i);
    shown().ShowNode(node, 1);
    if (i != 149) cards().Run({"stays" + node, node, 40, 10});
    cards().Run({"goes" + node, node, 20, 0});
  }
  shown().Show(Asks("high", 100, 10).Obj());
  EXPECT_THAT(Decide(), IsEmpty());
  ASSERT_TRUE(plans_.back().requeue_after);
  shown().Pass(*plans_.back().requeue_after);
  leader_->placer.Add(PodKey("team-a/high"), shown().at.now);
  EXPECT_THAT(Decide(), ElementsAre("goesx249 evicted", "high nominated x249"));
}

TEST_F(PreemptorTest, QuotasCountToo) {
  kclient::ResourceQuota quota;
  quota.meta.ns = "team-a";
  quota.meta.name = "q";
  quota.hard = {{"requests.hygon.com/dcunum", 1}};
  const std::shared_ptr<const kclient::ResourceQuota> none;
  shown().cluster.shown().Set(none, std::make_shared<const kclient::ResourceQuota>(quota),
                              shown().at.now);
  ShowNodes({"n"});
  cards().Run({"low", "n", 60, 1});
  shown().Show(Asks("high", 50, 10).Obj());
  EXPECT_THAT(Decide(), IsEmpty()) << "it would not be placed without it either";
}

}  // namespace
}  // namespace vdcu::reconcilers
