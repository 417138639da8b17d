// What Volcano is answered: whether a pod fits on a node beside those that its session has put
// there, and which cards the pods then get.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "reconcilers/asked.h"
#include "reconcilers/offer.h"
#include "tests/reconcilers/shown.h"

namespace vdcu::reconcilers {
namespace {

using builders::MakePartition;
using builders::MakePod;
using builders::MakeSlice;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr base::Duration kTen{10'000};

// So many percent of a card's 60 units.
builders::PodBuilder Theirs(const std::string& name, int percent = 10) {
  return MakePod(name).Scheduler("volcano").Limits(
      {{"hygon.com/dcunum", 1}, {"hygon.com/dcumem", 1000}, {"hygon.com/dcucores", percent}});
}

class SessionTest : public testing::Test {
 protected:
  // As the extender does with a predicate call.
  NodeVerdict Judge(const PodPtr& pod, const std::string& node,
                    const std::vector<PodPtr>& beside = {}) {
    std::vector<std::string> uids;
    for (const PodPtr& other : beside) uids.push_back(other->meta.uid);
    const auto entry = view().FindPodByUid(pod->meta.uid);
    auto verdict = JudgeNode(view(), *entry, node, uids, shown_.at.now);
    for (const auto& [uid, cards] : verdict.plans) {
      shown_.cluster.NotePlan(uid, node, cards, shown_.at.now + kTen);
    }
    return verdict;
  }
  // As with an allocate call; the reason why not.
  std::string Allocate(const PodPtr& pod, const std::string& node) {
    shown_.cluster.DropHold(pod->meta.uid);
    const auto entry = view().FindPodByUid(pod->meta.uid);
    const Offer offer = OfferNode(view(), *entry, {node}, shown_.at.now);
    if (offer.nodes.empty()) return offer.refused.at(node);
    if (offer.held.empty()) return "";
    shown_.cluster.Keep({pod->meta.key(), pod->meta.uid, offer.held}, kTen, shown_.at.now);
    return "";
  }
  // The pod gets its cards there for good, as by a commit; how many it got.
  size_t Place(const PodPtr& pod, const std::string& node) {
    shown_.cluster.DropHold(pod->meta.uid);
    shown_.cluster.Ask(*pod, node, shown_.at.now);
    const Plan plan = shown_.Noted(GrantAsked(view(), PodKey(pod->meta.key()), shown_.at));
    shown_.Assume(plan);
    return plan.writes.size();
  }
  const View& view() { return shown_.cluster.view(); }

  ShownCluster shown_;
};

// Two cards have room for 40 + 20 units each, if they are not filled in an unlucky order.
TEST_F(SessionTest, WhatWasFoundToFitInOneOrderFitsInEach) {
  const std::vector<PodPtr> pods{Theirs("a", 66).Obj(), Theirs("b", 66).Obj(),
                                 Theirs("c", 33).Obj(), Theirs("d", 33).Obj()};
  std::vector<size_t> order{0, 1, 2, 3};
  do {
    ShownCluster fresh;
    fresh.ShowNode("n", 2);
    std::vector<std::string> beside;
    for (const PodPtr& pod : pods) {
      fresh.Show(pod);
      const auto entry = fresh.cluster.view().FindPodByUid(pod->meta.uid);
      const auto verdict = JudgeNode(fresh.cluster.view(), *entry, "n", beside, fresh.at.now);
      ASSERT_EQ(verdict.why, "") << pod->meta.name;
      for (const auto& [uid, cards] : verdict.plans) {
        fresh.cluster.NotePlan(uid, "n", cards, fresh.at.now + kTen);
      }
      beside.push_back(pod->meta.uid);
    }
    for (const size_t i : order) {
      fresh.cluster.Ask(*pods[i], "n", fresh.at.now);
      const Plan plan =
          fresh.Noted(GrantAsked(fresh.cluster.view(), PodKey(pods[i]->meta.key()), fresh.at));
      ASSERT_EQ(plan.writes.size(), 1u)
          << pods[i]->meta.name << " in order " << testing::PrintToString(order);
      fresh.Assume(plan);
    }
    EXPECT_EQ(fresh.UnitsTaken("n", 0), 60);
    EXPECT_EQ(fresh.UnitsTaken("n", 1), 60);
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_F(SessionTest, PodsThatTheSessionHasPutThereCountOnce) {
  shown_.ShowNode("n", 1);
  std::vector<PodPtr> pods;
  for (const char* name : {"a", "b", "c", "d", "e"}) {
    pods.push_back(Theirs(name, 30).Obj());
    shown_.Show(pods.back());
  }
  EXPECT_EQ(Judge(pods[0], "n").why, "");
  EXPECT_EQ(Judge(pods[1], "n", {pods[0]}).why, "");
  EXPECT_EQ(Judge(pods[2], "n", {pods[0], pods[1]}).why, "");
  EXPECT_THAT(Judge(pods[3], "n", {pods[0], pods[1], pods[2]}).why, HasSubstr("1 card: "));
  EXPECT_EQ(Judge(pods[3], "n", {pods[0], pods[1]}).why, "") << "a session that has discarded one";
  EXPECT_EQ(shown_.UnitsTaken("n"), 0) << "nothing is kept";
  // The same once they are held, and once they have their partitions.
  ASSERT_EQ(Allocate(pods[0], "n"), "");
  ASSERT_EQ(Allocate(pods[1], "n"), "");
  EXPECT_EQ(shown_.UnitsTaken("n"), 36);
  EXPECT_EQ(Judge(pods[2], "n", {pods[0], pods[1]}).why, "");
  ASSERT_EQ(Place(pods[0], "n"), 1u);
  EXPECT_EQ(Judge(pods[2], "n", {pods[0], pods[1]}).why, "");
  ASSERT_EQ(Allocate(pods[2], "n"), "");
  EXPECT_EQ(Judge(pods[2], "n", {pods[0], pods[1]}).why, "") << "what is held for itself is its";
  EXPECT_THAT(Judge(pods[4], "n", {}).why, HasSubstr("1 card: ")) << "holds count unnamed, too";
  EXPECT_THAT(Allocate(pods[4], "n"), HasSubstr("1 card: "));
}

TEST_F(SessionTest, ThoseThatHaveNoPlanArePutOnCardsToo) {
  shown_.ShowNode("n", 2);
  const PodPtr first = Theirs("first", 66).Obj();
  const PodPtr known = Theirs("known", 66).Obj();
  const PodPtr pod = Theirs("pod", 66).Obj();
  for (const PodPtr& each : {first, known, pod}) shown_.Show(each);
  ASSERT_EQ(Judge(known, "n").why, "");
  const auto verdict = Judge(pod, "n", {first, known});
  EXPECT_THAT(verdict.why, HasSubstr("2 cards: "));
  EXPECT_FALSE(verdict.for_good);
  EXPECT_EQ(verdict.plans.size(), 2u);
  EXPECT_NE(verdict.plans.at("uid-first"), verdict.plans.at("uid-known"));
}

TEST_F(SessionTest, APlanIsKeptToWhileItsCardHasRoom) {
  shown_.ShowNode("n", 2);
  const PodPtr a = Theirs("a", 66).Obj();
  const PodPtr b = Theirs("b", 66).Obj();
  for (const PodPtr& pod : {a, b}) shown_.Show(pod);
  ASSERT_EQ(Judge(a, "n").why, "");
  ASSERT_EQ(Judge(b, "n", {a}).why, "");
  ASSERT_EQ(Place(b, "n"), 1u);
  EXPECT_EQ(shown_.UnitsTaken("n", 0), 0) << "a's";
  EXPECT_EQ(shown_.UnitsTaken("n", 1), 40);
  const PodPtr ours = MakePod("ours").Limits(kTenth).Obj();
  shown_.Show(ours);
  shown_.Show(MakePartition("").For(ours).Assigned(MakeSlice("n", 0, 0, 30, 1000, 0, 0)).Obj());
  EXPECT_EQ(Place(a, "n"), 0u) << "there is no room for it any more";
  shown_.ShowNode("m", 2);
  ASSERT_EQ(Judge(a, "m").why, "");
  shown_.Show(MakePartition("o2").Assigned(MakeSlice("m", 0, 0, 30, 1000, 0, 0)).Obj());
  EXPECT_EQ(Place(a, "m"), 1u) << "then it is given another";
  EXPECT_EQ(shown_.UnitsTaken("m", 1), 40);
}

TEST_F(SessionTest, APlanEndsWithItsTime) {
  shown_.ShowNode("n", 1);
  const PodPtr pod = Theirs("p").Obj();
  shown_.Show(pod);
  ASSERT_EQ(Judge(pod, "n").why, "");
  shown_.Pass(kTen - base::Duration(1));
  shown_.cluster.Expire(shown_.at.now);
  EXPECT_NE(view().FindPlan("uid-p", "n"), nullptr);
  shown_.Pass(base::Duration(1));
  shown_.cluster.Expire(shown_.at.now);
  EXPECT_EQ(view().FindPlan("uid-p", "n"), nullptr);
}

TEST(Plans, AreBounded) {
  Plans plans;
  const base::TimePoint until(kTen);
  for (size_t i = 0; i <= Plans::kMost; ++i) {
    plans.Set("pod", "n" + std::to_string(i), {base::Symbol("card")}, until);
  }
  plans.Set("pod", "n7", {base::Symbol("other")}, until);
  EXPECT_EQ(plans.size(), Plans::kMost);
  EXPECT_EQ(plans.Find("pod", "n0"), nullptr) << "the oldest";
  EXPECT_NE(plans.Find("pod", "n1"), nullptr);
  EXPECT_EQ(plans.Find("pod", "n7")->front(), base::Symbol("other"));
  plans.Expire(until);
  EXPECT_EQ(plans.size(), 0u);
}

TEST_F(SessionTest, SaysWhetherEvictionsCouldHelp) {
  shown_.ShowNode("full", 1);
  shown_.ShowNode("silent", 1);
  shown_.Show(builders::MakeNode("bare").Obj());
  shown_.Show(builders::MakeDcuNode("ghost").Cards(1).Obj());
  shown_.Show(MakePartition("own").Assigned(MakeSlice("full", 0, 0, 60, 32768, 0, 0)).Obj());
  shown_.cluster.Take(NodeSilent{"silent"}, shown_.at.now);
  const auto card = MakePod("card").Scheduler("volcano").Limits(kWhole);
  struct Row {
    std::string sentence;
    PodPtr pod;
    std::string node;
    std::string want_why;
    bool want_for_good;
  };
  for (const Row& row : std::vector<Row>{
           {"a full card may come free", Theirs("p").Obj(), "full", "1 card: ", false},
           {"a whole card, too", card.Obj(), "full", "1 card: ", false},
           {"two cards never will",
            MakePod("two").Scheduler("volcano").Limits({{"hygon.com/dcunum", 2}}).Obj(), "full",
            "1 card: ", true},
           {"nor more memory than a card has",
            MakePod("big")
                .Scheduler("volcano")
                .Limits({{"hygon.com/dcunum", 1}, {"hygon.com/dcumem", 40'000}})
                .Obj(),
            "full", "1 card: ", true},
           {"a daemon that is silent", Theirs("q").Obj(), "silent", "does not answer", true},
           {"a node without cards", Theirs("r").Obj(), "bare", "no DCU cards", true},
           {"cards without a node", Theirs("g").Obj(), "ghost", "node", true},
           {"a pod that is bound elsewhere", Theirs("b").Node("full").Obj(), "silent",
            "bound to node full", true},
           {"a reserved partition",
            MakePod("named")
                .Scheduler("volcano")
                .Limits(kWhole)
                .Annotation("vdcu.io/partition", "r")
                .Obj(),
            "full", "given by vdcu-scheduler alone", true},
           {"our own pod", MakePod("ours").Limits(kTenth).Obj(), "full", "vdcu-scheduler", true},
       }) {
    shown_.Show(row.pod);
    const auto verdict = Judge(row.pod, row.node);
    EXPECT_THAT(verdict.why, HasSubstr(row.want_why)) << row.sentence;
    EXPECT_EQ(verdict.for_good, row.want_for_good) << row.sentence;
    EXPECT_THAT(verdict.plans, IsEmpty()) << row.sentence;
  }
}

TEST_F(SessionTest, WhatNeedsNothingThereFits) {
  shown_.ShowNode("n", 1);
  const PodPtr bound = Theirs("bound").Node("n").Obj();
  const PodPtr has = Theirs("has").Obj();
  for (const PodPtr& pod : {bound, has}) shown_.Show(pod);
  shown_.Show(MakePartition("").For(has).Assigned(MakeSlice("n", 0, 0, 60, 32768, 0, 0)).Obj());
  for (const PodPtr& pod : {bound, has}) {
    EXPECT_EQ(Judge(pod, "n").why, "") << pod->meta.name;
    EXPECT_EQ(Allocate(pod, "n"), "") << pod->meta.name;
    EXPECT_EQ(view().holds().size(), 0u) << pod->meta.name;
  }
}

}  // namespace
}  // namespace vdcu::reconcilers
