#include "reconcilers/reserved.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "tests/reconcilers/shown.h"

namespace vdcu::reconcilers {
namespace {

using builders::MakeNode;
using builders::MakePartition;
using builders::MakePod;
using builders::MakeSlice;
using testing::ElementsAre;

class ReservedTest : public testing::Test {
 protected:
  ReservedTest() { shown_.ShowNode("n", 1); }

  static builders::PodBuilder Naming(const std::string& name) {
    return MakePod(name).Limits(kWhole).Annotation("vdcu.io/partition", "r");
  }
  static builders::PartitionBuilder Reserved() {
    return MakePartition("r").Assigned(MakeSlice("n", 0, 0, 10, 1000, 0, 0));
  }
  // What the pod is told; "bound" where it is.
  std::string Told(const std::string& pod) {
    const Plan plan = shown_.OfPod(pod);
    if (Writes(plan) == std::vector<std::string>{"create pods/binding team-a/" + pod}) {
      return "bound to " + plan.writes[0].write.body["target"]["name"].get<std::string>();
    }
    const auto reported = Reported(plan);
    return reported.is_null() ? "" : reported["message"].get<std::string>();
  }

  // Keys of the pods that the change has looked at, each once.
  template <typename Change>
  std::vector<std::string> DirtyPods(Change change) {
    change();
    std::set<std::string> pods;
    for (const std::string& key : shown_.TakeAllDirty()) {
      if (key.starts_with("pod/")) pods.insert(key);
    }
    return {pods.begin(), pods.end()};
  }

  ShownCluster shown_;
};

TEST_F(ReservedTest, WaitsUntilThePartitionCanBeUsed) {
  shown_.Show(Naming("p").Obj());
  EXPECT_EQ(Told("p"), "VDCUPartition r does not exist");
  shown_.Show(MakePartition("r").Obj());
  EXPECT_EQ(Told("p"), "VDCUPartition r has no card yet");
  shown_.Show(Reserved().Obj());
  EXPECT_EQ(Told("p"), "VDCUPartition r is not Ready");
  shown_.Show(Reserved().Condition(crds::kReady, "False").Obj());
  EXPECT_EQ(Told("p"), "VDCUPartition r is not Ready");
  shown_.Show(Reserved().Ready().Deleting("now").Obj());
  EXPECT_EQ(Told("p"), "VDCUPartition r is being deleted");
  shown_.Show(Reserved().Ready().Obj());
  EXPECT_EQ(Told("p"), "bound to n");
}

TEST_F(ReservedTest, ReadyMustBeSaidOfThisAssignment) {
  shown_.Show(Naming("p").Obj());
  shown_.Show(MakePartition("r").Ready().Assigned(MakeSlice("n", 0, 0, 10, 1000, 0, 0)).Obj());
  EXPECT_EQ(Told("p"), "VDCUPartition r is not Ready");
}

TEST_F(ReservedTest, APartitionOfAnotherPodIsNotForTaking) {
  shown_.Show(Naming("p").Obj());
  auto of_pod = *Reserved().Ready().Obj();
  of_pod.spec.pod_ref = crds::PodRef{"other", "uid-other", "main"};
  shown_.Show(std::make_shared<const crds::VdcuPartition>(of_pod));
  EXPECT_EQ(Told("p"), "VDCUPartition r belongs to pod other");
}

TEST_F(ReservedTest, OneAtATimeAndTheNextWhenTheFirstIsGone) {
  shown_.Show(Reserved().Ready().Obj());
  const PodPtr first = Naming("a").Obj();
  shown_.Show(first);
  shown_.Show(Naming("b").Obj());
  EXPECT_EQ(Told("b"), "VDCUPartition r goes first to another pod");
  const Plan bind = shown_.OfPod("a");
  shown_.Assume(bind);
  EXPECT_EQ(Told("b"), "VDCUPartition r is held by pod a") << "from the start of the binding";
  shown_.Show(Naming("a").BoundFor("r").Node("n").Obj());
  EXPECT_EQ(Told("b"), "VDCUPartition r is held by pod a");
  shown_.Show(Reserved().Ready().UsedBy(first).Obj());
  shown_.TakeDirty();
  shown_.Remove(first);
  EXPECT_TRUE(shown_.TakesDirty("pod/team-a/b"));
  EXPECT_EQ(Told("b"), "VDCUPartition r is still held by pod a") << "the daemon has not let go";
  shown_.Show(Reserved().Ready().Obj());
  EXPECT_TRUE(shown_.TakesDirty("pod/team-a/b"));
  EXPECT_EQ(Told("b"), "bound to n");
}

TEST_F(ReservedTest, AFinishedPodHoldsNothing) {
  shown_.Show(Reserved().Ready().Obj());
  shown_.Show(Naming("a").BoundFor("r").Node("n").Phase("Succeeded").Obj());
  shown_.Show(Naming("b").Obj());
  EXPECT_EQ(Told("b"), "bound to n");
}

TEST_F(ReservedTest, TheHigherPriorityThenTheOlderGoesFirst) {
  shown_.Show(Reserved().Ready().Obj());
  shown_.Show(Naming("old").Created("2025-01-01T00:00:00Z").Obj());
  shown_.Show(Naming("new").Obj());
  EXPECT_EQ(Told("new"), "VDCUPartition r goes first to another pod");
  shown_.Show(Naming("urgent").Priority(5).Obj());
  EXPECT_EQ(Told("old"), "VDCUPartition r goes first to another pod");
  EXPECT_EQ(Told("urgent"), "bound to n");
}

TEST_F(ReservedTest, OfALongLineOnlyTheFirstIsLookedAt) {
  shown_.Show(Reserved().Ready().Obj());
  shown_.Show(MakePod("user").Limits(kWhole).BoundFor("r").Node("n").Obj());
  for (int i = 10; i < 30; ++i) shown_.Show(Naming("p" + std::to_string(i)).Obj());
  shown_.TakeAllDirty();
  const std::vector<std::string> pods_of_change[] = {
      DirtyPods([&] { shown_.Show(Reserved().Obj()); }),
      DirtyPods([&] { shown_.Remove(Reserved().Obj()); }),
      DirtyPods([&] { shown_.Show(Reserved().Ready().Obj()); }),
  };
  for (const auto& pods : pods_of_change) EXPECT_THAT(pods, ElementsAre("pod/team-a/p10"));
  EXPECT_THAT(DirtyPods([&] { shown_.Show(Naming("p15").Label("a", "b").Obj()); }),
              ElementsAre("pod/team-a/p15"));
  EXPECT_EQ(Told("p15"), "VDCUPartition r goes first to another pod");
  // The first has gone: the next is told what it waits for.
  EXPECT_THAT(DirtyPods([&] { shown_.Remove(Naming("p10").Obj()); }),
              ElementsAre("pod/team-a/p10", "pod/team-a/p11"));
  EXPECT_EQ(Told("p11"), "VDCUPartition r is held by pod user");
  // Another comes before it.
  EXPECT_THAT(DirtyPods([&] { shown_.Show(Naming("urgent").Priority(5).Obj()); }),
              ElementsAre("pod/team-a/p11", "pod/team-a/urgent"));
  EXPECT_EQ(Told("p11"), "VDCUPartition r goes first to another pod");
  EXPECT_EQ(Told("urgent"), "VDCUPartition r is held by pod user");
}

TEST_F(ReservedTest, WhoCannotTakeItDoesNotKeepOthersFromIt) {
  shown_.Show(Reserved().Ready().Obj());
  shown_.Show(Naming("p").Obj());
  for (const PodPtr& first : {
           Naming("a").Priority(9).NodeSelector({{"zone", "x"}}).Obj(),
           Naming("a").Priority(9).Unsupported("spec.resourceClaims").Obj(),
           Naming("a").Priority(9).Container("two").Limits(kWhole).Obj(),
           Naming("a").Priority(9).Gated().Obj(),
       }) {
    shown_.Show(first);
    EXPECT_EQ(Told("p"), "bound to n");
  }
}

TEST_F(ReservedTest, WhoseBindingIsRefusedDoesNotKeepOthersFromIt) {
  shown_.Show(Reserved().Ready().Obj());
  shown_.Show(Naming("a").Priority(9).Obj());
  shown_.Show(Naming("p").Obj());
  const Plan bind = shown_.OfPod("a");
  shown_.Assume(bind);
  shown_.Settle(bind, Outcome::kRefused);
  shown_.TakeDirty();
  shown_.SetBack(bind, {base::ErrorCode::kInvalid, "no", {}});
  EXPECT_TRUE(shown_.TakesDirty("pod/team-a/p"));
  EXPECT_EQ(Reported(shown_.OfPod("a"))["reason"], "BindRefused");
  const auto wait = shown_.OfPod("a").requeue_after;
  EXPECT_EQ(Told("p"), "bound to n");
  shown_.Pass(*wait);
  EXPECT_EQ(Told("p"), "VDCUPartition r goes first to another pod") << "its turn has come again";
}

TEST_F(ReservedTest, TheNodeMustTakeThePod) {
  shown_.Show(Reserved().Ready().Obj());
  shown_.Show(Naming("p").Obj());
  shown_.Show(MakeNode("n").Taint("x", "", "NoSchedule").Obj());
  EXPECT_EQ(Told("p"), "node n of the partition: node has taint x:NoSchedule");
  shown_.TakeDirty();
  shown_.Show(MakeNode("n").Obj());
  EXPECT_TRUE(shown_.TakesDirty("pod/team-a/p"));
  shown_.Remove(MakeNode("n").Obj());
  EXPECT_EQ(Told("p"), "node n does not exist");
}

TEST_F(ReservedTest, OneThatCannotBeReadIsSaidToBe) {
  crds::VdcuPartition unread = *Reserved().Obj();
  unread.spec = {};
  unread.unread = crds::Unread{.why = "spec.memory: lots", .node = ""};
  shown_.Show(std::make_shared<const crds::VdcuPartition>(unread));
  shown_.Show(Naming("p").Obj());
  EXPECT_EQ(Told("p"), "VDCUPartition r is not valid: spec.memory: lots");
}

TEST_F(ReservedTest, ASizeBesideTheNameIsRefused) {
  shown_.Show(Reserved().Ready().Obj());
  shown_.Show(MakePod("p").Limits(kTenth).Annotation("vdcu.io/partition", "r").Obj());
  EXPECT_EQ(Reported(shown_.OfPod("p"))["reason"], "SchedulerError");
}

}  // namespace
}  // namespace vdcu::reconcilers
