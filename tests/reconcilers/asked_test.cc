// What another scheduler is offered, what is held for its pods, and what becomes of asking for one.
#include "reconcilers/asked.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "reconcilers/offer.h"
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
using testing::Pair;

builders::PodBuilder Theirs(const std::string& name) {
  return MakePod(name).Scheduler("default-scheduler").Limits(kTenth);
}

// What the extender does with a filter call.
class AskedTest : public testing::Test {
 protected:
  Offer Filter(const PodPtr& pod, const std::vector<std::string>& nodes) {
    shown_.cluster.DropHold(pod->meta.uid);
    const auto entry = view().FindPodByUid(pod->meta.uid);
    Offer offer = OfferNode(view(), *entry, nodes, shown_.at.now);
    if (!offer.held.empty()) {
      shown_.cluster.Take(SliceHeld{pod->meta.key(), pod->meta.uid, offer.held}, shown_.at.now);
    } else if (offer.nodes.empty()) {
      shown_.cluster.Take(SliceSought{pod->meta.key()}, shown_.at.now);
    }
    return offer;
  }
  // What the runner does with a plan that commits.
  Plan Grant(const PodPtr& pod) {
    shown_.cluster.DropHold(pod->meta.uid);
    Plan plan = shown_.Noted(GrantAsked(view(), PodKey(pod->meta.key()), shown_.at));
    shown_.Assume(plan);
    return plan;
  }
  void Ask(const PodPtr& pod, const std::string& node) {
    shown_.cluster.Ask(*pod, node, shown_.at.now);
  }
  // Its partitions as they were stored, in the daemon's words.
  PartitionPtr Stored(const PodPtr& pod, const Plan& plan, const char* prepared,
                      const char* ready) {
    const auto& created = std::get<AssumeCreated>(plan.writes.at(0).assumption).partition;
    return MakePartition("")
        .For(pod)
        .Assigned(*created.spec.assignment)
        .Condition(crds::kPrepared, prepared, "Said")
        .Condition(crds::kReady, ready, "Said")
        .Obj();
  }
  // "": under way; "bound"; else why not.
  std::string End(const PodPtr& pod, const std::string& node) {
    const auto end = WhatBecameOf(view(), pod->meta.uid, node, shown_.at.now);
    if (!end) return "";
    return *end ? "bound" : end->error().message;
  }
  const View& view() { return shown_.cluster.view(); }

  ShownCluster shown_;
};

TEST_F(AskedTest, OneNodeIsOfferedAndItsCardsCountAgainstEverybody) {
  shown_.ShowNode("n", 1);
  const PodPtr whole = MakePod("w").Scheduler("default-scheduler").Limits(kWhole).Obj();
  const PodPtr ours = MakePod("ours").Limits(kWhole).Obj();
  shown_.Show(whole);
  shown_.Show(ours);
  const Offer offer = Filter(whole, {"n", "other"});
  EXPECT_THAT(offer.nodes, ElementsAre("n"));
  EXPECT_THAT(offer.refused, IsEmpty());
  EXPECT_EQ(shown_.UnitsTaken("n"), 60);
  Placer placer(shown_.cluster);
  placer.Add(PodKey("team-a/ours"), shown_.at.now);
  const auto decision = placer.Next(shown_.at);
  ASSERT_TRUE(decision);
  EXPECT_FALSE(decision->placed) << "the only card is held";
  shown_.cluster.DropHold(whole->meta.uid);
  const auto again = placer.Next(shown_.at);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->placed) << "a hold that is dropped leaves room";
}

TEST_F(AskedTest, ANewerOfferTakesThePlaceOfTheOneBefore) {
  shown_.ShowNode("a", 1);
  shown_.ShowNode("b", 1);
  const PodPtr pod = Theirs("p").Obj();
  shown_.Show(pod);
  ASSERT_THAT(Filter(pod, {"a"}).nodes, ElementsAre("a"));
  ASSERT_THAT(Filter(pod, {"b"}).nodes, ElementsAre("b"));
  EXPECT_EQ(shown_.UnitsTaken("a"), 0);
  EXPECT_EQ(shown_.UnitsTaken("b"), 6);
  EXPECT_EQ(view().holds().size(), 1u);
}

TEST_F(AskedTest, AHoldEndsWithWhatItIsFor) {
  struct Case {
    std::string name;
    std::function<void()> ends;
  };
  const PodPtr pod = Theirs("p").Version("1").Obj();
  for (const Case& c : std::vector<Case>{
           {"its time",
            [&] {
              shown_.Pass(view().settings().hold_timeout);
              shown_.cluster.Expire(shown_.at.now);
            }},
           {"the pod is gone", [&] { shown_.Remove(pod); }},
           {"the pod is being deleted", [&] { shown_.Show(Theirs("p").Deleting().Obj()); }},
           {"the pod is bound elsewhere", [&] { shown_.Show(Theirs("p").Node("m").Obj()); }},
           {"its scheduler gives up",
            [&] { shown_.Show(Theirs("p").Unscheduled("Unschedulable", "no cpu").Obj()); }},
           {"it is refused now", [&] { Filter(pod, {"absent"}); }},
       }) {
    shown_.ShowNode("n", 1);
    shown_.Show(pod);
    ASSERT_THAT(Filter(pod, {"n"}).nodes, ElementsAre("n")) << c.name;
    ASSERT_EQ(shown_.UnitsTaken("n"), 6) << c.name;
    c.ends();
    EXPECT_EQ(shown_.UnitsTaken("n"), 0) << c.name;
    if (view().FindPod("team-a/p")) shown_.Remove(pod);
  }
}

TEST_F(AskedTest, RefusesWithTheReasonOfEachNode) {
  shown_.ShowNode("small", 1);
  shown_.Show(builders::MakeNode("bare").Obj());
  struct Case {
    std::string name;
    PodPtr pod;
    std::string node;
    std::string want;
  };
  const auto two = MakePod("two").Scheduler("s").Limits({{"hygon.com/dcunum", 2}});
  for (const Case& c : std::vector<Case>{
           {"too many cards", two.Obj(), "small", "1 card: "},
           {"no cards", Theirs("p").Obj(), "bare", "no"},
           {"a wrong request",
            MakePod("wrong").Scheduler("s").Limits({{"hygon.com/dcumem", 1}}).Obj(), "small",
            "set hygon.com/dcunum: 1"},
           {"a reserved partition",
            MakePod("named")
                .Scheduler("s")
                .Limits(kWhole)
                .Annotation("vdcu.io/partition", "r")
                .Obj(),
            "small", "given by vdcu-scheduler alone"},
           {"our own pod", MakePod("ours").Limits(kTenth).Obj(), "small",
            "is placed by vdcu-scheduler"},
       }) {
    shown_.Show(c.pod);
    const Offer offer = Filter(c.pod, {c.node});
    EXPECT_THAT(offer.nodes, IsEmpty()) << c.name;
    EXPECT_THAT(offer.refused, ElementsAre(Pair(c.node, HasSubstr(c.want)))) << c.name;
  }
}

TEST_F(AskedTest, ARefusedPodIsTakenByTheHandWhenASliceIsFree) {
  shown_.ShowNode("n", 1);
  const PodPtr holder = MakePod("holder").Limits(kWhole).Node("n").Obj();
  const auto partition =
      MakePartition("").For(holder).Assigned(MakeSlice("n", 0, 0, 60, 32768, 0, 0)).Ready().Obj();
  shown_.Show(holder);
  shown_.Show(partition);
  const PodPtr pod = Theirs("p").Obj();
  shown_.Show(pod);
  ASSERT_THAT(Filter(pod, {"n"}).nodes, IsEmpty());
  EXPECT_TRUE(shown_.OfPod("p").place);
  Placer placer(shown_.cluster);
  placer.Add(PodKey("team-a/p"), shown_.at.now);
  auto decision = placer.Next(shown_.at);
  ASSERT_TRUE(decision);
  EXPECT_THAT(Writes(decision->plan), IsEmpty()) << "its scheduler says why it waits";
  shown_.Remove(partition);
  decision = placer.Next(shown_.at);
  ASSERT_TRUE(decision);
  shown_.Noted(decision->plan);
  EXPECT_EQ(shown_.UnitsTaken("n"), 6);
  const Plan nudge = shown_.OfPod("p");
  ASSERT_THAT(Writes(nudge), ElementsAre("patch pods/status team-a/p"));
  EXPECT_EQ(Reported(nudge)["type"], "vdcu.io/SliceHeld");
  EXPECT_EQ(Reported(nudge)["status"], "True");
  shown_.Assume(nudge);
  EXPECT_THAT(Writes(shown_.OfPod("p")), IsEmpty()) << "once";
  shown_.Settle(nudge, Outcome::kRefused);
  EXPECT_THAT(Writes(shown_.OfPod("p")), ElementsAre("patch pods/status team-a/p")) << "again";
  EXPECT_THAT(Filter(pod, {"n"}).nodes, ElementsAre("n")) << "it is kept for this pod";
}

TEST_F(AskedTest, ACommitGivesTheHeldCardsAndEndsWithTheBinding) {
  shown_.ShowNode("n", 1);
  const PodPtr pod = Theirs("p").Obj();
  shown_.Show(pod);
  const auto held = Filter(pod, {"n"}).held;
  Ask(pod, "n");
  EXPECT_EQ(End(pod, "n"), "");
  EXPECT_TRUE(shown_.OfPod("p").commit);
  const Plan created = Grant(pod);
  ASSERT_EQ(created.writes.size(), 1u);
  EXPECT_EQ(std::get<AssumeCreated>(created.writes[0].assumption).partition.spec.assignment,
            held.front());
  EXPECT_EQ(view().holds().size(), 0u);
  EXPECT_EQ(shown_.UnitsTaken("n"), 6);
  Ask(pod, "n");
  EXPECT_THAT(Writes(Grant(pod)), IsEmpty()) << "asked twice, given once";
  shown_.Settle(created, Outcome::kCommitted);
  shown_.Show(Stored(pod, created, "True", "True"));
  const Plan bind = shown_.OfPod("p");
  EXPECT_THAT(Writes(bind), ElementsAre("create pods/binding team-a/p"));
  EXPECT_THAT(Reasons(bind), IsEmpty()) << "its scheduler writes the event";
  shown_.Assume(bind);
  EXPECT_EQ(End(pod, "n"), "") << "not before it is stored";
  shown_.Settle(bind, Outcome::kCommitted);
  EXPECT_EQ(End(pod, "n"), "bound");
  EXPECT_THAT(Filter(pod, {"m", "n"}).nodes, ElementsAre("n")) << "asked again: the same node";
}

TEST_F(AskedTest, WhoBindsItselfIsToldThatItMayAndWhatItDoesNotBindGoes) {
  shown_.ShowNode("n", 1);
  const PodPtr pod = Theirs("p").Obj();
  shown_.Show(pod);
  const auto prepare = [&] { shown_.cluster.Prepare(*pod, "n", shown_.at.now); };
  prepare();
  EXPECT_EQ(End(pod, "n"), "");
  EXPECT_TRUE(shown_.OfPod("p").commit);
  const Plan created = Grant(pod);
  ASSERT_EQ(created.writes.size(), 1u);
  shown_.Settle(created, Outcome::kCommitted);
  const auto stored = Stored(pod, created, "True", "True");
  shown_.Show(stored);
  EXPECT_EQ(End(pod, "n"), "") << "not before it is known to be Ready";
  EXPECT_THAT(Writes(shown_.OfPod("p")), IsEmpty()) << "we do not bind it";
  EXPECT_EQ(End(pod, "n"), "bound") << "it may be";
  prepare();
  EXPECT_EQ(End(pod, "n"), "bound") << "asked twice";
  EXPECT_THAT(Writes(Grant(pod)), IsEmpty()) << "given once";
  shown_.Pass(view().settings().unbound_timeout - base::Duration(1));
  EXPECT_THAT(Writes(shown_.OfPod("p")), IsEmpty());
  shown_.Pass(base::Duration(1));
  const Plan gone = shown_.OfPod("p");
  ASSERT_EQ(gone.writes.size(), 1u);
  EXPECT_EQ(gone.writes[0].write.verb, kclient::Write::Verb::kDelete);
  EXPECT_THAT(End(pod, "n"), HasSubstr("not bound to node n in time"));
  shown_.Remove(stored);
  prepare();
  EXPECT_EQ(End(pod, "n"), "") << "asked again it begins anew";
  shown_.Show(Theirs("p").Node("n").Obj());
  EXPECT_EQ(End(pod, "n"), "bound");
  EXPECT_EQ(view().FindCommit(pod->meta.uid), nullptr);
}

TEST_F(AskedTest, ACommitLooksAtTheLedgerAgain) {
  shown_.ShowNode("n", 1);
  const PodPtr pod = MakePod("p").Scheduler("s").Limits(kWhole).Obj();
  shown_.Show(pod);
  ASSERT_THAT(Filter(pod, {"n"}).nodes, ElementsAre("n"));
  // Of another leader, as a slow watch may show it.
  const PodPtr other = MakePod("o").Limits(kTenth).Obj();
  shown_.Show(other);
  shown_.Show(MakePartition("").For(other).Assigned(MakeSlice("n", 0, 0, 6, 1000, 0, 0)).Obj());
  Ask(pod, "n");
  ASSERT_TRUE(shown_.OfPod("p").commit);
  EXPECT_THAT(Writes(Grant(pod)), IsEmpty());
  EXPECT_THAT(End(pod, "n"), HasSubstr("node n: "));
  EXPECT_EQ(view().holds().size(), 0u);
}

TEST_F(AskedTest, WhatCannotBeIsSaidToWhoeverAsks) {
  struct Case {
    std::string name;
    const char* prepared;
    const char* ready;
    base::Duration passes;
    std::string want;
  };
  for (const Case& c : std::vector<Case>{
           {"the daemon refuses", "False", "False", base::Duration(0), "node n refused a slice"},
           {"the daemon is silent", "Unknown", "Unknown", base::Duration(5'000),
            "did not prepare the slice in time"},
           {"the time is over", "Unknown", "Unknown", base::Duration(20'000), "in time"},
       }) {
    ShownCluster fresh;
    fresh.ShowNode("n", 1);
    const PodPtr pod = Theirs("p").Obj();
    fresh.Show(pod);
    fresh.cluster.Ask(*pod, "n", fresh.at.now);
    const Plan created =
        fresh.Noted(GrantAsked(fresh.cluster.view(), PodKey("team-a/p"), fresh.at));
    fresh.Assume(created);
    fresh.Settle(created, Outcome::kCommitted);
    fresh.Show(Stored(pod, created, c.prepared, c.ready));
    fresh.Pass(c.passes);
    const Plan plan = fresh.OfPod("p");
    ASSERT_EQ(plan.writes.size(), 1u) << c.name;
    EXPECT_THAT(plan.writes[0].write.Describe(), HasSubstr("delete vdcupartitions")) << c.name;
    const auto end = WhatBecameOf(fresh.cluster.view(), pod->meta.uid, "n", fresh.at.now);
    ASSERT_TRUE(end && !*end) << c.name;
    EXPECT_THAT(end->error().message, HasSubstr(c.want)) << c.name;
  }
}

TEST_F(AskedTest, SlicesThatNobodyBindsGoAfterTenSeconds) {
  shown_.ShowNode("n", 1);
  const PodPtr pod = Theirs("p").Obj();
  shown_.Show(pod);
  // As a new leader finds them.
  shown_.Show(
      MakePartition("").For(pod).Assigned(MakeSlice("n", 0, 0, 6, 1000, 0, 0)).Ready().Obj());
  const Plan waits = shown_.OfPod("p");
  EXPECT_THAT(Writes(waits), IsEmpty());
  EXPECT_EQ(waits.requeue_after, base::Duration(10'000));
  EXPECT_THAT(Filter(pod, {"n"}).nodes, ElementsAre("n")) << "its scheduler may ask again";
  EXPECT_EQ(view().holds().size(), 0u) << "it has its slice";
  shown_.Pass(base::Duration(10'000));
  const Plan gone = shown_.OfPod("p");
  EXPECT_THAT(Reasons(gone), ElementsAre("NotBound"));
  ASSERT_EQ(gone.writes.size(), 1u);
  EXPECT_EQ(gone.writes[0].write.verb, kclient::Write::Verb::kDelete);
}

TEST_F(AskedTest, AskedForOnAnotherNodeWhatItHasGoesFirst) {
  shown_.ShowNode("n", 1);
  shown_.ShowNode("m", 1);
  const PodPtr pod = Theirs("p").Obj();
  shown_.Show(pod);
  const auto mine =
      MakePartition("").For(pod).Assigned(MakeSlice("n", 0, 0, 6, 1000, 0, 0)).Ready().Obj();
  shown_.Show(mine);
  Ask(pod, "m");
  const Plan plan = shown_.OfPod("p");
  ASSERT_EQ(plan.writes.size(), 1u);
  EXPECT_EQ(plan.writes[0].write.verb, kclient::Write::Verb::kDelete);
  EXPECT_EQ(End(pod, "m"), "");
  EXPECT_THAT(End(pod, "n"), HasSubstr("another node"));
  shown_.Remove(mine);
  EXPECT_TRUE(shown_.OfPod("p").commit);
  EXPECT_EQ(
      std::get<AssumeCreated>(Grant(pod).writes.at(0).assumption).partition.spec.assignment->node,
      "m");
}

TEST_F(AskedTest, TheSlicesOfABoundPodOfAnotherSchedulerStay) {
  shown_.ShowNode("n", 1);
  const PodPtr pod = Theirs("p").Node("n").Obj();
  const auto mine =
      MakePartition("").For(pod).Assigned(MakeSlice("n", 0, 0, 6, 1000, 0, 0)).Ready().Obj();
  shown_.Show(pod);
  shown_.Show(mine);
  EXPECT_THAT(Writes(shown_.OfPartition(mine)), IsEmpty()) << "also after a restart";
}

TEST_F(AskedTest, EvictionsAreLetThroughWhereTheyFreeASlice) {
  shown_.ShowNode("n", 1);
  shown_.ShowNode("m", 1);
  shown_.ShowNode("free", 1);
  for (const char* node : {"n", "m"}) {
    for (const auto& [name, units] : {std::pair("big", 40), {"small", 20}}) {
      const PodPtr pod = MakePod(std::string(name) + "-" + node).Limits(kTenth).Node(node).Obj();
      const int first = units == 40 ? 0 : 40;
      shown_.Show(pod);
      shown_.Show(MakePartition("")
                      .For(pod)
                      .Assigned(MakeSlice(node, 0, first, units, 1000, first / 40, first / 40))
                      .Ready()
                      .Obj());
    }
  }
  const PodPtr high =
      MakePod("high")
          .Scheduler("default-scheduler")
          .Priority(10)
          .Limits({{"hygon.com/dcunum", 1}, {"hygon.com/dcumem", 1000}, {"hygon.com/dcucores", 50}})
          .Obj();
  shown_.Show(high);
  const auto entry = view().FindPodByUid(high->meta.uid);
  EXPECT_THAT(NodesWithRoomAfter(view(), *entry,
                                 {{"n", {"uid-small-n"}},
                                  {"m", {"uid-big-m"}},
                                  {"free", {"uid-x"}},
                                  {"unknown", {"uid-x"}}},
                                 shown_.at.now),
              ElementsAre("free", "m"));
}

}  // namespace
}  // namespace vdcu::reconcilers
