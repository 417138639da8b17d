// Pods that are on a node without having passed us: what they are given there, and what they say.
#include "reconcilers/adoption.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "reconcilers/asked.h"
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
using testing::StartsWith;

kclient::ResourceList Asks(int cores, int64_t mebibytes) {
  return {{"hygon.com/dcunum", 1}, {"hygon.com/dcumem", mebibytes}, {"hygon.com/dcucores", cores}};
}

// By hand, on node "n".
builders::PodBuilder Arrived(const std::string& name,
                             const kclient::ResourceList& limits = kTenth) {
  return MakePod(name).Scheduler("default-scheduler").Limits(limits).Arrived("n");
}

class AdoptionTest : public testing::Test {
 protected:
  AdoptionTest() { shown_.ShowNode("n", 1); }

  // What the runner does with a plan that commits.
  Plan Grant(const std::string& name) {
    const Key key = PodKey("team-a/" + name);
    if (const auto pod = view().FindPod(key.object())) {
      shown_.cluster.DropHold(pod->pod->meta.uid);
    }
    Plan plan = shown_.Noted(GrantAsked(view(), key, shown_.at));
    shown_.Assume(plan);
    return plan;
  }
  static const crds::VdcuPartition& Created(const Plan& plan, size_t place = 0) {
    return std::get<AssumeCreated>(plan.writes.at(place).assumption).partition;
  }
  // A whole card of "n" has a pod that runs there.
  PartitionPtr Fill() {
    const PodPtr holder = MakePod("holder").Limits(kWhole).Node("n").Obj();
    shown_.Show(holder);
    const auto slice = MakeSlice("n", 0, 0, 60, 32768, 0, 0);
    const auto partition = MakePartition("").For(holder).Assigned(slice).Ready().Obj();
    shown_.Show(partition);
    return partition;
  }
  const View& view() { return shown_.cluster.view(); }

  ShownCluster shown_;
};

TEST_F(AdoptionTest, APodThatCameByItselfGetsASliceOfItsNode) {
  shown_.ShowNode("fuller", 1);
  for (const char* scheduler : {"vdcu-scheduler", "default-scheduler"}) {
    const std::string name = std::string("of-") + scheduler;
    shown_.Show(Arrived(name).Scheduler(scheduler).Obj());
    EXPECT_TRUE(shown_.OfPod(name).commit) << scheduler;
    const Plan plan = Grant(name);
    ASSERT_EQ(plan.writes.size(), 1u) << scheduler;
    EXPECT_EQ(Created(plan).spec.assignment->node, "n") << scheduler;
    EXPECT_EQ(Created(plan).spec.pod_ref->uid, "uid-" + name) << scheduler;
    EXPECT_THAT(Reasons(plan), ElementsAre("Adopted")) << scheduler;
    EXPECT_FALSE(shown_.OfPod(name).commit) << "once";
    EXPECT_THAT(Writes(Grant(name)), IsEmpty()) << "once";
  }
  EXPECT_EQ(shown_.UnitsTaken("n"), 12);
}

TEST_F(AdoptionTest, WhoGetsNothing) {
  struct Case {
    std::string name;
    PodPtr pod;
    std::string want;  // reason of what it says; empty: nothing
  };
  shown_.Show(builders::MakeNode("bare").Obj());
  for (const Case& c : std::vector<Case>{
           {"its kubelet has taken it in", MakePod("p").Limits(kTenth).Node("n").Obj(), ""},
           {"it is being deleted", Arrived("p").Deleting().Obj(), ""},
           {"it has ended", Arrived("p").Phase("Failed").Obj(), ""},
           {"it asks for no card", Arrived("p", {{"cpu", 1000}}).Obj(), ""},
           {"it was bound for a reserved partition",
            MakePod("p").Limits(kWhole).BoundFor("r").Arrived("n").Obj(), ""},
           {"no daemon of ours is there", Arrived("p").Node("bare").Obj(), ""},
           {"it is static", Arrived("p").Mirror().Obj(), "StaticPod"},
           {"it names a reserved partition",
            Arrived("p", kWhole).Annotation("vdcu.io/partition", "r").Obj(), "NotServed"},
           {"it asks wrongly", Arrived("p", {{"hygon.com/dcumem", 1}}).Obj(), "NotServed"},
       }) {
    shown_.Show(c.pod);
    const Plan plan = shown_.OfPod("p");
    EXPECT_FALSE(plan.commit) << c.name;
    EXPECT_THAT(Grant("p").writes, IsEmpty()) << c.name;
    if (c.want.empty()) {
      EXPECT_THAT(Writes(plan), IsEmpty()) << c.name;
    } else {
      EXPECT_EQ(Reported(plan)["reason"], c.want) << c.name;
      EXPECT_EQ(Reported(plan)["type"], "vdcu.io/SliceAssigned") << c.name;
      EXPECT_THAT(Reasons(plan), testing::Contains(c.want)) << c.name;
    }
    shown_.Remove(c.pod);
  }
}

TEST_F(AdoptionTest, WithoutRoomItSaysWhyOnceAndLooksAgainWhenThereIs) {
  const PartitionPtr full = Fill();
  shown_.Show(Arrived("p").Obj());
  ASSERT_TRUE(shown_.OfPod("p").commit);
  const Plan refused = Grant("p");
  ASSERT_THAT(Writes(refused), ElementsAre("patch pods/status team-a/p"));
  EXPECT_EQ(Reported(refused)["status"], "False");
  EXPECT_EQ(Reported(refused)["reason"], "NoRoom");
  EXPECT_THAT(Reported(refused)["message"].get<std::string>(), HasSubstr("1 card: "));
  EXPECT_THAT(Writes(Grant("p")), IsEmpty()) << "once";
  const std::string why = Reported(refused)["message"];
  shown_.Show(Arrived("p").Condition(crds::kSliceAssigned, "False", "NoRoom", why).Obj());
  EXPECT_THAT(Writes(Grant("p")), IsEmpty()) << "once";
  shown_.TakeAllDirty();
  shown_.Remove(full);
  EXPECT_TRUE(shown_.TakesDirty("pod/team-a/p"));
  EXPECT_TRUE(shown_.OfPod("p").commit);
  EXPECT_THAT(Writes(Grant("p")), ElementsAre(StartsWith("create vdcupartitions")));
}

TEST_F(AdoptionTest, WhatItSaidIsTakenBackWhenItHasItsSlice) {
  const PodPtr pod = Arrived("p").Condition(crds::kSliceAssigned, "False", "NoRoom", "none").Obj();
  shown_.Show(pod);
  const auto slice = MakeSlice("n", 0, 0, 6, 1000, 0, 0);
  shown_.Show(MakePartition("").For(pod).Assigned(slice).Ready().Obj());
  const Plan plan = shown_.OfPod("p");
  EXPECT_EQ(Reported(plan)["status"], "True");
  EXPECT_THAT(Reasons(plan), IsEmpty());
  shown_.Assume(plan);
  EXPECT_THAT(Writes(shown_.OfPod("p")), IsEmpty());
}

TEST_F(AdoptionTest, OneOfOursThatWasPlacedHasNothingToSay) {
  const PodPtr pod = MakePod("p").Limits(kTenth).Arrived("n").Obj();
  shown_.Show(pod);
  shown_.Show(
      MakePartition("").For(pod).Assigned(MakeSlice("n", 0, 0, 6, 1000, 0, 0)).Ready().Obj());
  const Plan plan = shown_.OfPod("p");
  EXPECT_FALSE(plan.commit);
  EXPECT_THAT(Writes(plan), IsEmpty());
}

TEST_F(AdoptionTest, WhatWasKeptForItIsItsOwnNow) {
  const PodPtr waits = MakePod("p").Scheduler("default-scheduler").Limits(kWhole).Obj();
  shown_.Show(waits);
  const auto held = MakeSlice("n", 0, 0, 60, 32768, 0, 0);
  shown_.cluster.Take(SliceHeld{"team-a/p", "uid-p", {held}}, shown_.at.now);
  shown_.Show(Arrived("p", kWhole).Obj());
  EXPECT_EQ(shown_.UnitsTaken("n"), 60) << "nobody else may have it meanwhile";
  ASSERT_TRUE(shown_.OfPod("p").commit);
  EXPECT_THAT(Writes(Grant("p")), ElementsAre(StartsWith("create vdcupartitions")));
  EXPECT_EQ(view().holds().size(), 0u);
  EXPECT_EQ(shown_.UnitsTaken("n"), 60);
}

TEST_F(AdoptionTest, OnlyWhatItLacksIsMade) {
  const auto pod = MakePod("two")
                       .Scheduler("s")
                       .Limits(kTenth)
                       .Container("second")
                       .Limits(kTenth)
                       .Arrived("n")
                       .Obj();
  shown_.Show(pod);
  const Plan both = Grant("two");
  ASSERT_EQ(both.writes.size(), 2u);
  // The second was refused for good, and a new leader finds the first.
  ShownCluster fresh;
  fresh.ShowNode("n", 1);
  fresh.Show(pod);
  auto first = std::make_shared<crds::VdcuPartition>(Created(both, 0));
  first->meta.uid = "uid-first";
  first->meta.resource_version = "1";
  fresh.Show(PartitionPtr(first));
  EXPECT_TRUE(fresh.OfPod("two").commit);
  const Plan rest = GrantAsked(fresh.cluster.view(), PodKey("team-a/two"), fresh.at);
  ASSERT_EQ(rest.writes.size(), 1u);
  EXPECT_EQ(Created(rest).spec.pod_ref->container, "second");
  EXPECT_FALSE(Created(rest).spec.assignment->units.Intersects(first->spec.assignment->units));
}

TEST_F(AdoptionTest, WhatTheDaemonRefusesIsTriedAgainAMomentLater) {
  const PodPtr pod = Arrived("p").Obj();
  shown_.Show(pod);
  const auto refused = MakePartition("")
                           .For(pod)
                           .Assigned(MakeSlice("n", 0, 0, 6, 1000, 0, 0))
                           .Condition(crds::kPrepared, "False", "UnitsOverlap")
                           .Obj();
  shown_.Show(refused);
  const Plan back = shown_.OfPod("p");
  ASSERT_EQ(back.writes.size(), 1u);
  EXPECT_EQ(back.writes[0].write.verb, kclient::Write::Verb::kDelete);
  shown_.Remove(refused);
  const Plan again = shown_.OfPod("p");
  EXPECT_TRUE(again.commit);
  EXPECT_EQ(again.requeue_after, view().settings().avoid_at_first);
  EXPECT_EQ(Reported(Grant("p"))["reason"], "NoRoom") << "not at once";
  shown_.Pass(view().settings().avoid_at_first);
  EXPECT_THAT(Writes(Grant("p")), ElementsAre(StartsWith("create vdcupartitions")));
}

// It would stay with the pod until that ends.
TEST_F(AdoptionTest, WhatTheDaemonRefusesIsTakenBackAlsoFromOneThatGetsNoOther) {
  const auto arrived = [] { return MakePod("p").Scheduler("default-scheduler").Limits(kWhole); };
  struct Case {
    std::string name;
    PodPtr pod;
    bool held;
  };
  for (const Case& c : std::vector<Case>{
           {"its node holds something of it", arrived().Arrived("n").Obj(), true},
           {"it names a reserved one since",
            arrived().Annotation("vdcu.io/partition", "r").Arrived("n").Obj(), false},
           {"it asks wrongly since",
            arrived().Annotation("vdcu.io/policy", "none").Arrived("n").Obj(), false},
       }) {
    ShownCluster shown;
    auto node = *builders::MakeDcuNode("n").Cards(1).Obj();
    const auto slice = MakeSlice("n", 0, 0, 6, 1000, 0, 0);
    if (c.held) node.status.held = {{"uid-lost", slice, "uid-p", builders::kCreated}};
    shown.ShowNode("n", 1);
    shown.Show(std::make_shared<const crds::DcuNode>(node));
    shown.Show(c.pod);
    shown.Show(MakePartition("")
                   .For(c.pod)
                   .Assigned(slice)
                   .Condition(crds::kPrepared, "False", "UnitsOverlap")
                   .Obj());
    EXPECT_THAT(Writes(shown.OfPod("p")), ElementsAre(StartsWith("delete vdcupartitions")))
        << c.name;
  }
}

TEST_F(AdoptionTest, WhatAnotherNodeRefusedSpeaksNotAgainstThisOne) {
  shown_.ShowNode("m", 1);
  const PodPtr pod = Arrived("p").Obj();
  shown_.Show(pod);
  shown_.Show(MakePartition("")
                  .For(pod)
                  .Assigned(MakeSlice("m", 0, 0, 6, 1000, 0, 0))
                  .Condition(crds::kPrepared, "False", "UnitsOverlap")
                  .Obj());
  EXPECT_THAT(shown_.OfPod("p").notes, IsEmpty());
}

TEST_F(AdoptionTest, SlicesOnAnotherNodeGoFirst) {
  shown_.ShowNode("m", 1);
  const PodPtr pod = Arrived("p").Obj();
  const auto other =
      MakePartition("").For(pod).Assigned(MakeSlice("m", 0, 0, 6, 1000, 0, 0)).Ready().Obj();
  shown_.Show(pod);
  shown_.Show(other);
  EXPECT_FALSE(shown_.OfPod("p").commit) << "its name is taken";
  const Plan deleted = shown_.OfPartition(other);
  ASSERT_EQ(deleted.writes.size(), 1u);
  EXPECT_EQ(deleted.writes[0].write.verb, kclient::Write::Verb::kDelete);
  shown_.Remove(other);
  EXPECT_TRUE(shown_.OfPod("p").commit);
  EXPECT_EQ(Created(Grant("p")).spec.assignment->node, "n");
}

TEST_F(AdoptionTest, OneThatItsDaemonStillHoldsSomethingOfWaits) {
  auto node = *builders::MakeDcuNode("n").Cards(1).Obj();
  node.status.held.push_back({.partition_uid = "uid-lost",
                              .assignment = MakeSlice("n", 0, 0, 6, 1000, 0, 0),
                              .pod_uid = "uid-p",
                              .since = builders::kCreated});
  shown_.Show(std::make_shared<const crds::DcuNode>(node));
  shown_.Show(Arrived("p").Obj());
  EXPECT_FALSE(shown_.OfPod("p").commit);
}

// In the order of their names the small ones would take both cards, and one of the large ones would
// not fit.
TEST_F(AdoptionTest, OfThoseThatComeTogetherTheLargerGoFirst) {
  shown_.ShowNode("n", 2);
  const std::vector<std::pair<std::string, kclient::ResourceList>> pods{
      {"a", Asks(30, 1000)}, {"b", Asks(30, 1000)}, {"c", Asks(66, 1000)},
      {"d", Asks(66, 1000)}, {"w", Asks(66, 2000)},
  };
  std::set<Turn> turns;
  for (const auto& [name, limits] : pods) {
    shown_.Show(Arrived(name, limits).Obj());
    turns.insert(TurnOf(view(), PodKey("team-a/" + name)));
  }
  shown_.Show(MakePod("asked").Scheduler("s").Limits(kWhole).Obj());
  turns.insert(TurnOf(view(), PodKey("team-a/asked")));
  std::vector<std::string> order;
  for (const Turn& turn : turns) order.push_back(std::get<Key>(turn).name);
  EXPECT_THAT(order, ElementsAre("w", "c", "d", "a", "b", "asked"));
}

}  // namespace
}  // namespace vdcu::reconcilers
