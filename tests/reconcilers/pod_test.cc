#include "reconcilers/pod.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

bool DoesNothing(const Plan& plan) {
  return plan.writes.empty() && plan.events.empty() && !plan.place && !plan.requeue_after;
}

TEST(ReconcilePod, LeavesAloneWhatIsNotWaitingForUs) {
  struct Case {
    std::string name;
    PodPtr pod;
  };
  const auto base = MakePod("p").Limits(kTenth);
  for (const Case& c : std::vector<Case>{
           {"another scheduler's", builders::PodBuilder(base).Scheduler("default").Obj()},
           {"gated", builders::PodBuilder(base).Gated().Obj()},
           {"being deleted", builders::PodBuilder(base).Deleting().Obj()},
           {"terminal", builders::PodBuilder(base).Phase("Failed").Obj()},
           {"bound", builders::PodBuilder(base).Node("n").Obj()}}) {
    ShownCluster shown;
    shown.Show(c.pod);
    EXPECT_TRUE(DoesNothing(shown.OfPod("p"))) << c.name;
  }
  ShownCluster shown;
  EXPECT_TRUE(DoesNothing(shown.OfPod("absent")));
}

TEST(ReconcilePod, SaysOnceWhyAPodIsNeverPlaced) {
  struct Case {
    std::string name;
    PodPtr pod;
    std::string want;
  };
  for (const Case& c : std::vector<Case>{
           {"a part without a card", MakePod("p").Limits({{"hygon.com/dcumem", 1}}).Obj(),
            "set hygon.com/dcunum: 1"},
           {"nothing asked", MakePod("p").Limits({{"cpu", 1}}).Obj(), "no container asks"},
           {"what we do not understand",
            MakePod("p").Limits(kTenth).Unsupported("spec.resourceClaims").Obj(),
            "spec.resourceClaims: not understood by vdcu-scheduler"},
       }) {
    ShownCluster shown;
    shown.Show(c.pod);
    const Plan plan = shown.OfPod("p");
    EXPECT_THAT(Writes(plan), ElementsAre("patch pods/status team-a/p")) << c.name;
    EXPECT_THAT(Reasons(plan), ElementsAre("FailedScheduling")) << c.name;
    EXPECT_EQ(Reported(plan)["reason"], "SchedulerError");
    EXPECT_EQ(Reported(plan)["status"], "False");
    EXPECT_THAT(Reported(plan)["message"].get<std::string>(), HasSubstr(c.want)) << c.name;
    shown.Assume(plan);
    EXPECT_TRUE(DoesNothing(shown.OfPod("p"))) << c.name;
    shown.Settle(plan, Outcome::kUnknown);
    EXPECT_THAT(Writes(shown.OfPod("p")), ElementsAre("patch pods/status team-a/p"));
  }
}

TEST(ReconcilePod, KeepsQuietWhereThePodSaysItAlready) {
  ShownCluster shown;
  shown.Show(MakePod("p").Limits({{"hygon.com/dcumem", 1}}).Obj());
  const std::string message = Reported(shown.OfPod("p"))["message"];
  ShownCluster restarted;
  restarted.Show(
      MakePod("p").Limits({{"hygon.com/dcumem", 1}}).Unscheduled("SchedulerError", message).Obj());
  EXPECT_TRUE(DoesNothing(restarted.OfPod("p")));
}

TEST(AppendUnscheduled, ReportsWhatItLastSaidNotWhatTheWatchStillShows) {
  ShownCluster shown;
  shown.Show(MakePod("p").Limits(kTenth).Unscheduled("Unschedulable", "first").Obj());
  const auto report = [&](const std::string& message) {
    Plan plan;
    AppendUnscheduled(plan, *shown.cluster.view().FindPod("team-a/p"), "Unschedulable", message,
                      shown.at);
    shown.Assume(plan);
    return plan.writes.size();
  };
  EXPECT_EQ(report("first"), 0u);
  EXPECT_EQ(report("second"), 1u);
  EXPECT_EQ(report("second"), 0u);
  EXPECT_EQ(report("first"), 1u) << "the second is in the API by now, or soon";
}

class OwnPartitions : public testing::Test {
 protected:
  OwnPartitions() {
    shown_.ShowNode("n", 1);
    shown_.Show(pod_);
  }
  builders::PartitionBuilder Mine() { return MakePartition("").For(pod_).Assigned(slice_); }
  std::string Named() { return Mine().Obj()->meta.key(); }

  ShownCluster shown_;
  const PodPtr pod_ = MakePod("p").Limits(kTenth).Obj();
  const dcu::Assignment slice_ = MakeSlice("n", 0, 0, 6, 1000, 0, 0);
};

TEST_F(OwnPartitions, NoneYetMeansPlace) { EXPECT_TRUE(shown_.OfPod("p").place); }

TEST_F(OwnPartitions, ACreateUnderWayIsAwaited) {
  const Plan create{{CreatePartition(*Mine().Obj())}, {}, {}, false};
  shown_.Assume(create);
  EXPECT_TRUE(DoesNothing(shown_.OfPod("p")));
  EXPECT_TRUE(DoesNothing(shown_.OfPartition(Mine().Obj())));
  shown_.Settle(create, Outcome::kUnknown);
  shown_.Pass(base::Duration(60'000));
  EXPECT_TRUE(DoesNothing(shown_.OfPod("p"))) << "the API is slow, not the daemon";
  EXPECT_THAT(Writes(shown_.OfPartition(Mine().Obj())),
              ElementsAre("create vdcupartitions " + Named()));
}

TEST_F(OwnPartitions, TheDaemonIsAwaitedForAsLongAsItHasSeenTheSlice) {
  shown_.Assume({{CreatePartition(*Mine().Obj())}, {}, {}, false});
  shown_.Pass(base::Duration(4'000));
  shown_.Show(Mine().Obj());
  EXPECT_EQ(shown_.OfPod("p").requeue_after, base::Duration(5'000));
  shown_.Pass(base::Duration(4'999));
  EXPECT_EQ(shown_.OfPod("p").requeue_after, base::Duration(1));
}

TEST_F(OwnPartitions, ASilentDaemonIsPassedOver) {
  shown_.Show(Mine().Obj());
  shown_.Pass(base::Duration(5'000));
  const Plan plan = shown_.OfPod("p");
  EXPECT_THAT(Writes(plan), ElementsAre("delete vdcupartitions " + Named()));
  EXPECT_THAT(Reasons(plan), ElementsAre("NodeSilent"));
  EXPECT_TRUE(shown_.cluster.view().IsSilent("n", shown_.at.now));
  shown_.Assume(plan);
  EXPECT_TRUE(DoesNothing(shown_.OfPod("p"))) << "until the watch shows it";
}

TEST_F(OwnPartitions, ARefusalSendsThePodElsewhere) {
  for (const std::string_view type : {crds::kPrepared, crds::kReady}) {
    shown_.Show(Mine().Condition(type, "False", "Overlaps").Obj());
    const Plan plan = shown_.OfPod("p");
    EXPECT_THAT(Writes(plan), ElementsAre("delete vdcupartitions " + Named()));
    EXPECT_THAT(Reasons(plan), ElementsAre("SliceRefused"));
    EXPECT_THAT(plan.events[0].note, HasSubstr("Overlaps: the message"));
    EXPECT_EQ(shown_.cluster.view().FindPod("team-a/p")->avoided.at("n").until,
              shown_.at.now + base::Duration(1'000));
    EXPECT_FALSE(shown_.cluster.view().IsSilent("n", shown_.at.now));
  }
}

TEST_F(OwnPartitions, OneThatIsGoingIsAwaited) {
  shown_.Show(Mine().Ready().Deleting("2026-01-01T01:00:00Z").Obj());
  EXPECT_TRUE(DoesNothing(shown_.OfPod("p")));
}

TEST_F(OwnPartitions, ReadyMeansBindWithTheUid) {
  shown_.Show(Mine().Condition(crds::kPrepared, "True").Obj());
  EXPECT_THAT(Writes(shown_.OfPod("p")), IsEmpty()) << "prepared, but not ready";
  shown_.Show(Mine().Ready().Obj());
  const Plan plan = shown_.OfPod("p");
  EXPECT_THAT(Writes(plan), ElementsAre("create pods/binding team-a/p"));
  EXPECT_EQ(plan.writes[0].write.body["metadata"]["uid"], "uid-p");
  EXPECT_EQ(plan.writes[0].write.body["target"]["name"], "n");
  EXPECT_THAT(Reasons(plan), ElementsAre("Scheduled"));
  shown_.Assume(plan);
  EXPECT_TRUE(DoesNothing(shown_.OfPod("p")));
  shown_.Settle(plan, Outcome::kUnknown);
  EXPECT_EQ(Writes(shown_.OfPod("p")), Writes(plan)) << "an answer was lost: say it again";
}

TEST_F(OwnPartitions, ANodeThatDoesNotFitAnyMoreIsLeft) {
  constexpr char kNotReady[] = "node.kubernetes.io/not-ready";
  const auto tainted = builders::MakeNode("n").Taint(kNotReady, "", "NoSchedule").Obj();
  shown_.Show(Mine().Ready().Obj());
  for (const NodePtr& node : {builders::MakeNode("n").Cordoned().Obj(), tainted}) {
    shown_.Show(node);
    const Plan plan = shown_.OfPod("p");
    EXPECT_THAT(Writes(plan), ElementsAre("delete vdcupartitions " + Named()));
    EXPECT_THAT(Reasons(plan), ElementsAre("NodeUnfit"));
  }
  EXPECT_TRUE(shown_.cluster.view().FindPod("team-a/p")->avoided.empty());
  shown_.Remove(tainted);
  EXPECT_EQ(shown_.OfPod("p").events.at(0).note, "node n is gone: placing the pod anew");
  shown_.Show(builders::MakeNode("n").Allocatable("pods", 1).Obj());
  EXPECT_THAT(Writes(shown_.OfPod("p")), ElementsAre("create pods/binding team-a/p"))
      << "its own room is not asked for twice";
}

TEST_F(OwnPartitions, ABindingThatMayHaveBeenDoneIsRepeatedWhereverTheNodeIs) {
  shown_.Show(Mine().Ready().Obj());
  const Plan plan = shown_.OfPod("p");
  shown_.Assume(plan);
  shown_.Settle(plan, Outcome::kUnknown);
  shown_.Remove(builders::MakeNode("n").Obj());
  EXPECT_EQ(Writes(shown_.OfPod("p")), Writes(plan));
}

TEST_F(OwnPartitions, SomeOfSeveralAreWithdrawnWithoutBlame) {
  shown_.Show(MakePod("p").Limits(kTenth).Container("second").Limits(kTenth).Obj());
  shown_.Show(Mine().Ready().Obj());
  const Plan plan = shown_.OfPod("p");
  EXPECT_THAT(Writes(plan), ElementsAre("delete vdcupartitions " + Named()));
  EXPECT_THAT(Reasons(plan), ElementsAre("SlicesIncomplete"));
  EXPECT_TRUE(shown_.cluster.view().FindPod("team-a/p")->avoided.empty());
}

class RefusedPod : public OwnPartitions {
 protected:
  // The writes of the plan, all refused.
  void Refuse(const Plan& plan, base::ErrorCode code = base::ErrorCode::kForbidden,
              base::Duration retry_after = {}) {
    shown_.Assume(plan);
    shown_.Settle(plan, Outcome::kRefused);
    shown_.SetBack(plan, {code, "no", retry_after});
  }
  static Plan Create(const PartitionPtr& partition) {
    return {{CreatePartition(*partition)}, {}, {}, false};
  }
  // Binds, and is refused, so often; each time when the wait is over.
  void RefuseBinds(int times) {
    for (int i = 0; i < times; ++i) {
      const Plan bind = shown_.OfPod("p");
      ASSERT_THAT(Writes(bind), ElementsAre("create pods/binding team-a/p"));
      Refuse(bind);
      if (i + 1 < times) shown_.Pass(*shown_.OfPod("p").requeue_after);
    }
  }
};

TEST_F(RefusedPod, WaitsAndSaysWhyThenIsPlacedAgain) {
  Refuse(Create(Mine().Obj()));
  EXPECT_EQ(shown_.UnitsTaken("n"), 0) << "no units are held meanwhile";
  EXPECT_TRUE(shown_.TakesDirty("pod/team-a/p"));
  const Plan plan = shown_.OfPod("p");
  EXPECT_FALSE(plan.place);
  EXPECT_EQ(Reported(plan)["reason"], "CreateRefused");
  EXPECT_EQ(Reported(plan)["message"], "create vdcupartitions failed: no");
  EXPECT_THAT(Reasons(plan), ElementsAre("FailedScheduling"));
  shown_.Assume(plan);
  EXPECT_THAT(Writes(shown_.OfPod("p")), IsEmpty()) << "said already";
  shown_.Pass(*plan.requeue_after);
  EXPECT_TRUE(shown_.OfPod("p").place);
  Refuse(Create(Mine().Obj()));
  EXPECT_GT(*shown_.OfPod("p").requeue_after, *plan.requeue_after) << "it was no success";
  EXPECT_THAT(Writes(shown_.OfPod("p")), IsEmpty()) << "the text is the same";
}

TEST_F(RefusedPod, WhatWasMadeOfSeveralGoesBack) {
  shown_.Show(MakePod("p").Limits(kTenth).Container("second").Limits(kTenth).Obj());
  const auto second =
      MakePartition("").For(MakePod("p").Container("second").Obj()).Assigned(slice_);
  Refuse(Create(second.Obj()));
  shown_.Show(Mine().Ready().Obj());
  const Plan plan = shown_.OfPod("p");
  EXPECT_THAT(Writes(plan),
              ElementsAre("patch pods/status team-a/p", "delete vdcupartitions " + Named()));
  EXPECT_THAT(Reasons(plan), ElementsAre("FailedScheduling"));
}

TEST_F(RefusedPod, ACreateThatWasStoredAllTheSameHoldsUpNothing) {
  const Plan create = Create(Mine().Obj());
  shown_.Assume(create);
  shown_.Settle(create, Outcome::kUnknown);
  shown_.SetBack(create, {base::ErrorCode::kUnavailable, "lost", base::Duration(60'000)});
  EXPECT_THAT(Writes(shown_.OfPartition(Mine().Obj())), IsEmpty()) << "not before its time";
  EXPECT_EQ(shown_.OfPartition(Mine().Obj()).requeue_after, base::Duration(60'000));
  shown_.Show(Mine().Ready().Obj());
  EXPECT_THAT(Writes(shown_.OfPod("p")), ElementsAre("create pods/binding team-a/p"));
}

TEST_F(RefusedPod, AfterThreeRefusedBindingsItsSlicesGoBack) {
  shown_.Show(Mine().Ready().Obj());
  RefuseBinds(2);
  Plan plan = shown_.OfPod("p");
  EXPECT_EQ(Reported(plan)["reason"], "BindRefused");
  shown_.Assume(plan);
  shown_.Pass(*plan.requeue_after);
  RefuseBinds(1);
  plan = shown_.OfPod("p");
  EXPECT_THAT(Writes(plan), ElementsAre("delete vdcupartitions " + Named()));
  EXPECT_FALSE(plan.place);
  shown_.Remove(Mine().Obj());
  EXPECT_FALSE(shown_.OfPod("p").place) << "the wait is the same";
  shown_.Pass(*plan.requeue_after);
  EXPECT_TRUE(shown_.OfPod("p").place);
  // Placed anew, one refusal is enough.
  shown_.Show(Mine().Ready().Obj());
  RefuseBinds(1);
  EXPECT_THAT(Writes(shown_.OfPod("p")), ElementsAre("delete vdcupartitions " + Named()));
}

TEST_F(RefusedPod, SlicesAreNotHeldForAServerThatSaysMuchLater) {
  shown_.Show(Mine().Ready().Obj());
  Refuse(shown_.OfPod("p"), base::ErrorCode::kThrottled, base::Duration(5'001));
  EXPECT_THAT(Writes(shown_.OfPod("p")),
              ElementsAre("patch pods/status team-a/p", "delete vdcupartitions " + Named()));
}

TEST_F(RefusedPod, ABindingThatMayHaveBeenDoneIsRepeatedWhenTheWaitIsOver) {
  shown_.Show(Mine().Ready().Obj());
  const Plan bind = shown_.OfPod("p");
  shown_.Assume(bind);
  shown_.Settle(bind, Outcome::kUnknown);
  shown_.SetBack(bind, {base::ErrorCode::kUnavailable, "lost", base::Duration(1'000)});
  EXPECT_EQ(shown_.OfPod("p").requeue_after, base::Duration(1'000));
  EXPECT_THAT(Writes(shown_.OfPod("p")), IsEmpty());
  shown_.Pass(base::Duration(1'000));
  EXPECT_EQ(Writes(shown_.OfPod("p")), Writes(bind));
}

TEST_F(RefusedPod, AnotherPodOfTheNameBeginsAnew) {
  Refuse(Create(Mine().Obj()));
  shown_.Remove(pod_);
  shown_.Show(MakePod("p").Uid("another").Limits(kTenth).Obj());
  EXPECT_TRUE(shown_.OfPod("p").place);
}

TEST_F(OwnPartitions, ANameThatIsTakenIsSaid) {
  shown_.Show(MakePartition(Mine().Obj()->meta.name).Obj());
  const Plan plan = shown_.OfPod("p");
  EXPECT_FALSE(plan.place);
  EXPECT_THAT(Reported(plan)["message"].get<std::string>(), HasSubstr("is not this pod's"));
}

TEST(NeededPartitions, OneForEachSliceAndEachWholeCard) {
  const PodPtr pod =
      MakePod("p").Limits(kTenth).Container("two").Limits({{"hygon.com/hcunum", 2}}).Obj();
  const auto needed = NeededPartitions(*pod, *crds::ParsePodRequest(*pod));
  ASSERT_EQ(needed.size(), 3u);
  EXPECT_EQ(needed[0].slice.percent, 10);
  EXPECT_EQ(needed[1].container, "two");
  EXPECT_TRUE(needed[2].slice.whole_card());
  EXPECT_NE(needed[1].name, needed[2].name);
  const auto made = MakePartition(*pod, needed[0], MakeSlice("n", 0, 0, 6, 1000, 0, 0));
  EXPECT_TRUE(made.meta.HasFinalizer(crds::kFinalizer));
  EXPECT_EQ(made.meta.owner_references.at(0).uid, "uid-p");
  EXPECT_EQ(made.spec.pod_ref->container, "main");
}

}  // namespace
}  // namespace vdcu::reconcilers
