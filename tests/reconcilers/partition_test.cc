#include "reconcilers/partition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
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
using testing::IsEmpty;

constexpr char kOutOfService[] = "node.kubernetes.io/out-of-service";
constexpr base::Duration kMinute{60'000};

class PartitionTest : public testing::Test {
 protected:
  PartitionTest() { shown_.ShowNode("n", 1); }

  builders::PodBuilder Pod() { return MakePod("p").Limits(kTenth); }
  builders::PartitionBuilder OfPod() { return MakePartition("").For(pod_).Assigned(slice_); }
  builders::PartitionBuilder Reserved() { return MakePartition("r").Assigned(slice_); }
  Plan Decide(const PartitionPtr& partition) {
    shown_.Show(partition);
    return shown_.OfPartition(partition);
  }
  bool LiftsFinalizer(const Plan& plan) {
    return plan.writes.size() == 1 &&
           plan.writes[0].write.body["metadata"]["finalizers"] == nlohmann::json::array();
  }

  ShownCluster shown_;
  const PodPtr pod_ = MakePod("p").Limits(kTenth).Obj();
  const dcu::Assignment slice_ = MakeSlice("n", 0, 0, 6, 1000, 0, 0);
  const std::string deleted_ = "2026-01-01T01:00:00Z";  // now
};

TEST_F(PartitionTest, GoesWithItsPod) {
  struct Case {
    std::string name;
    PodPtr pod;
    bool want_delete;
  };
  for (const Case& c :
       std::vector<Case>{{"no pod of that UID", Pod().Uid("another").Obj(), true},
                         {"waiting", Pod().Obj(), false},
                         {"running", Pod().Node("n").Phase("Running").Obj(), false},
                         {"running, being deleted", Pod().Node("n").Deleting().Obj(), false},
                         {"succeeded", Pod().Node("n").Phase("Succeeded").Obj(), true},
                         {"failed", Pod().Node("n").Phase("Failed").Obj(), true},
                         {"deleted before it was bound", Pod().Deleting().Obj(), true},
                         {"bound elsewhere", Pod().Node("m").Obj(), true}}) {
    ShownCluster shown;
    shown.Show(c.pod);
    shown.Show(OfPod().Version("7").Obj());
    const Plan plan = shown.OfPartition(OfPod().Obj());
    EXPECT_EQ(plan.writes.size(), c.want_delete ? 1u : 0u) << c.name;
    if (!c.want_delete) continue;
    const nlohmann::json want = {{"uid", OfPod().Obj()->meta.uid}, {"resourceVersion", "7"}};
    EXPECT_EQ(plan.writes[0].write.body["preconditions"], want) << c.name;
    shown.Assume(plan);
    EXPECT_THAT(Writes(shown.OfPartition(OfPod().Obj())), IsEmpty()) << "until it is shown";
  }
}

TEST_F(PartitionTest, AReservedOneIsPlacedAssignedAndKept) {
  const PartitionPtr reserved = MakePartition("r").Version("3").Obj();
  EXPECT_TRUE(Decide(reserved).place);
  const Plan plan{{AssignPartition(*reserved, slice_)}, {}, {}, false};
  EXPECT_EQ(plan.writes[0].write.body["metadata"]["finalizers"][0], "vdcu.io/in-use");
  EXPECT_EQ(plan.writes[0].write.body["metadata"]["resourceVersion"], "3");
  shown_.Assume(plan);
  EXPECT_THAT(Writes(shown_.OfPartition(reserved)), IsEmpty());
  shown_.Settle(plan, Outcome::kUnknown);
  EXPECT_EQ(Writes(shown_.OfPartition(reserved)), Writes(plan));
  const Plan kept = Decide(Reserved().Obj());
  EXPECT_TRUE(kept.writes.empty() && !kept.place);
}

TEST_F(PartitionTest, AReservedOneIsPlacedAnewWhenItsNodeIsGone) {
  shown_.Remove(MakeNode("n").Obj());
  const Plan plan = Decide(Reserved().Obj());
  ASSERT_THAT(Writes(plan), ElementsAre("patch vdcupartitions team-a/r"));
  EXPECT_TRUE(plan.writes[0].write.body["spec"]["assignment"].is_null());
  EXPECT_TRUE(LiftsFinalizer(plan));
  EXPECT_THAT(Reasons(plan), ElementsAre("NodeGone"));
}

TEST_F(PartitionTest, ButNotWhileAPodRunsWithIt) {
  const PodPtr user = MakePod("u").Limits(kWhole).BoundFor("r").Node("n").Obj();
  shown_.Show(user);
  shown_.Remove(MakeNode("n").Obj());
  EXPECT_THAT(Writes(Decide(Reserved().Obj())), IsEmpty());
  shown_.Remove(user);
  EXPECT_TRUE(shown_.TakesDirty("partition/team-a/r"));
  EXPECT_EQ(Decide(Reserved().Obj()).writes.size(), 1u);
}

TEST_F(PartitionTest, ARefusedOneIsPlacedAnewElsewhere) {
  const Plan plan = Decide(Reserved().Condition(crds::kPrepared, "False").Obj());
  EXPECT_THAT(Reasons(plan), ElementsAre("SliceRefused"));
  EXPECT_TRUE(LiftsFinalizer(plan));
  shown_.Show(MakePartition("r").Version("2").Obj());
  const auto filter =
      FindWaitingOne(shown_.cluster.view(), PartitionKey("team-a/r"))->Fits(shown_.at.now);
  EXPECT_EQ((*filter)("n"), "node refused the slice just now");
  EXPECT_EQ(shown_.OfPartition(Reserved().Obj()).requeue_after, base::Duration(1'000));
  shown_.Pass(base::Duration(1'000));
  EXPECT_EQ(
      (*FindWaitingOne(shown_.cluster.view(), PartitionKey("team-a/r"))->Fits(shown_.at.now))("n"),
      std::nullopt);
}

TEST_F(PartitionTest, ARefusalOfTheAssignmentBeforeIsNoRefusal) {
  EXPECT_THAT(
      Writes(Decide(MakePartition("r").Condition(crds::kPrepared, "False").Assigned(slice_).Obj())),
      IsEmpty());
}

TEST_F(PartitionTest, OneThatIsNotPreparedInTimeIsPlacedAnewElsewhere) {
  EXPECT_EQ(Decide(Reserved().Obj()).requeue_after, base::Duration(5'000));
  shown_.Pass(base::Duration(5'000));
  const Plan plan = shown_.OfPartition(Reserved().Obj());
  ASSERT_THAT(Writes(plan), ElementsAre("patch vdcupartitions team-a/r"));
  EXPECT_TRUE(plan.writes[0].write.body["spec"]["assignment"].is_null());
  EXPECT_TRUE(LiftsFinalizer(plan));
  EXPECT_THAT(Reasons(plan), ElementsAre("NodeSilent"));
  EXPECT_TRUE(shown_.cluster.view().IsSilent("n", shown_.at.now));
}

TEST_F(PartitionTest, OneThatIsPreparedStaysWhereItsDaemonIsSilent) {
  Decide(Reserved().Ready().Obj());
  shown_.cluster.Take(NodeSilent{"n"}, shown_.at.now);
  shown_.Pass(kMinute);
  EXPECT_THAT(Writes(shown_.OfPartition(Reserved().Obj())), IsEmpty());
}

TEST_F(PartitionTest, NorIsOneTakenAwayThatAPodIsBoundFor) {
  shown_.Show(MakePod("u").Limits(kWhole).BoundFor("r").Node("n").Obj());
  Decide(Reserved().Obj());
  shown_.Pass(kMinute);
  EXPECT_THAT(Writes(shown_.OfPartition(Reserved().Obj())), IsEmpty());
}

TEST_F(PartitionTest, ItsNodeLetsGoItself) {
  shown_.Show(Pod().Node("n").Obj());
  EXPECT_THAT(Writes(Decide(OfPod().Deleting(deleted_).Obj())), IsEmpty());
  shown_.Remove(Pod().Node("n").Obj());
  const Plan plan = Decide(OfPod().Deleting(deleted_).Version("2").Obj());
  EXPECT_TRUE(plan.writes.empty() && !plan.requeue_after) << "only the daemon knows the processes";
}

TEST_F(PartitionTest, WhoLetsGoInTheNodesPlace) {
  struct Case {
    std::string name;
    NodePtr node;  // null: gone
    PodPtr pod;    // null: gone
    bool want_lift;
    std::optional<base::Duration> want_requeue;
  };
  const PodPtr runs = Pod().Node("n").Phase("Running").Obj();
  const NodePtr dead = MakeNode("n").NotReady("2026-01-01T00:55:00Z").Obj();
  const NodePtr sick = MakeNode("n").NotReady("2026-01-01T00:57:00Z").Obj();
  for (const Case& c : std::vector<Case>{
           {"the node is gone", nullptr, nullptr, true, {}},
           {"the node is out of service",
            MakeNode("n").Taint(kOutOfService, "", "NoExecute").Obj(),
            nullptr,
            true,
            {}},
           {"not ready for 5 minutes, the pod gone", dead, nullptr, true, {}},
           {"not ready for 5 minutes, the pod terminal",
            dead,
            Pod().Node("n").Phase("Failed").Obj(),
            true,
            {}},
           {"not ready for 5 minutes, but the pod lives there", dead, runs, false, {}},
           {"not ready for 3 minutes", sick, nullptr, false, 2 * kMinute},
           {"ready", MakeNode("n").Obj(), nullptr, false, {}},
           {"the pod waits unbound: the daemon has 5 s", MakeNode("n").Obj(), Pod().Obj(), false,
            base::Duration(5'000)}}) {
    ShownCluster shown;
    shown.Show(builders::MakeDcuNode("n").Cards(1).Obj());
    if (c.node) shown.Show(c.node);
    if (c.pod) shown.Show(c.pod);
    shown.Show(OfPod().Deleting(deleted_).Obj());
    const Plan plan = shown.OfPartition(OfPod().Obj());
    EXPECT_EQ(LiftsFinalizer(plan), c.want_lift) << c.name;
    EXPECT_EQ(plan.requeue_after, c.want_requeue) << c.name;
  }
}

TEST_F(PartitionTest, ASilentDaemonDoesNotKeepThePodFromGoingElsewhere) {
  shown_.Show(pod_);
  shown_.Show(OfPod().Deleting(deleted_).Obj());
  shown_.cluster.Take(NodeSilent{"n"}, shown_.at.now);
  EXPECT_TRUE(LiftsFinalizer(shown_.OfPartition(OfPod().Obj())));
}

TEST_F(PartitionTest, ThatOfAPodWhoseBindingIsUnderWayIsKept) {
  shown_.Show(pod_);
  shown_.cluster.Assume(AssumeBound{pod_->meta.key(), pod_->meta.uid, "n"}, shown_.at.now);
  shown_.cluster.Take(NodeSilent{"n"}, shown_.at.now);
  EXPECT_FALSE(LiftsFinalizer(Decide(OfPod().Deleting(deleted_).Obj())));
}

TEST_F(PartitionTest, OneThatWasNeverAssignedGoesAtOnce) {
  auto object = *MakePartition("r").Deleting(deleted_).Obj();
  object.meta.finalizers = {"other/one", std::string(crds::kFinalizer)};
  const Plan plan = Decide(std::make_shared<const crds::VdcuPartition>(object));
  ASSERT_EQ(plan.writes.size(), 1u);
  EXPECT_EQ(plan.writes[0].write.body["metadata"]["finalizers"],
            nlohmann::json::array({"other/one"}));
}

TEST_F(PartitionTest, AnAssignmentThatIsRefusedWaitsAndSaysWhy) {
  const PartitionPtr waiting = MakePartition("r").Obj();
  shown_.Show(waiting);
  const Plan assign{{AssignPartition(*waiting, slice_)}, {}, {}, false};
  shown_.Assume(assign);
  shown_.Settle(assign, Outcome::kRefused);
  shown_.SetBack(assign, {base::ErrorCode::kInvalid, "no", {}});
  EXPECT_EQ(shown_.UnitsTaken("n"), 0);
  const Plan plan = shown_.OfPartition(waiting);
  EXPECT_FALSE(plan.place);
  EXPECT_EQ(Reported(plan)["type"], "Assigned");
  EXPECT_EQ(Reported(plan)["reason"], "AssignRefused");
  EXPECT_THAT(Reasons(plan), ElementsAre("AssignRefused"));
  shown_.Pass(*plan.requeue_after);
  EXPECT_TRUE(shown_.OfPartition(waiting).place);
  shown_.Show(Reserved().Obj());
  EXPECT_EQ(shown_.cluster.view().FindSetback(PartitionKey("team-a/r")), nullptr) << "assigned";
}

TEST_F(PartitionTest, AnAssignmentThatMayHaveBeenDoneIsRepeatedWhenTheWaitIsOver) {
  const PartitionPtr waiting = MakePartition("r").Obj();
  shown_.Show(waiting);
  const Plan assign{{AssignPartition(*waiting, slice_)}, {}, {}, false};
  shown_.Assume(assign);
  shown_.Settle(assign, Outcome::kUnknown);
  shown_.SetBack(assign, {base::ErrorCode::kUnavailable, "lost", base::Duration(10'000)});
  EXPECT_THAT(Writes(shown_.OfPartition(waiting)), IsEmpty());
  EXPECT_EQ(shown_.OfPartition(waiting).requeue_after, base::Duration(10'000));
  shown_.Pass(base::Duration(10'000));
  EXPECT_EQ(Writes(shown_.OfPartition(waiting)), Writes(assign));
}

TEST_F(PartitionTest, SaysOnceWhyItWaits) {
  shown_.Show(MakePartition("r").Obj());
  const auto explain = [&](const std::string& why) {
    return FindWaiting(shown_.cluster.view(), PartitionKey("team-a/r"))->Explain(why, shown_.at);
  };
  const Plan plan = explain("nothing fits");
  EXPECT_THAT(Writes(plan), ElementsAre("patch vdcupartitions/status team-a/r"));
  EXPECT_EQ(Reported(plan)["type"], "Assigned");
  EXPECT_EQ(Reported(plan)["status"], "False");
  EXPECT_EQ(Reported(plan)["message"], "nothing fits");
  EXPECT_EQ(Reported(plan)["observedGeneration"], 1);
  EXPECT_THAT(Reasons(plan), ElementsAre("Unschedulable"));
  auto said = *MakePartition("r").Version("2").Obj();
  said.status.conditions = {{"Assigned", "False", "Unschedulable", "nothing fits", deleted_, 1}};
  shown_.Show(std::make_shared<const crds::VdcuPartition>(said));
  EXPECT_THAT(Writes(explain("nothing fits")), IsEmpty());
  EXPECT_EQ(explain("another reason").writes.size(), 1u);
}

TEST_F(PartitionTest, SaysWhatCannotBeReadWhereNoDaemonDoes) {
  const struct {
    const char* sentence;
    const char* node;  // that its assignment names
    bool deleting;
    std::vector<std::string> want_writes;
  } rows[] = {
      {"without an assignment", "", false, {"patch vdcupartitions/status team-a/r"}},
      {"of a node that is not there", "gone", false, {"patch vdcupartitions/status team-a/r"}},
      {"of a node, whose daemon says it", "n", false, {}},
      {"being deleted", "", true, {"patch vdcupartitions team-a/r"}},
      {"of a node, whose daemon lets go", "n", true, {}},
  };
  for (const auto& row : rows) {
    crds::VdcuPartition partition = *Reserved().Obj();
    if (row.deleting) partition.meta.deletion_timestamp = deleted_;
    partition.spec = {};
    partition.unread = crds::Unread{.why = "spec.memory: lots", .node = row.node};
    const Plan plan = Decide(std::make_shared<const crds::VdcuPartition>(partition));
    EXPECT_EQ(Writes(plan), row.want_writes) << row.sentence;
    EXPECT_FALSE(plan.place) << row.sentence;
    if (row.want_writes.empty() || row.deleting) continue;
    EXPECT_EQ(Reported(plan)["type"], "Assigned") << row.sentence;
    EXPECT_EQ(Reported(plan)["status"], "False") << row.sentence;
    EXPECT_EQ(Reported(plan)["reason"], "Invalid") << row.sentence;
    EXPECT_EQ(Reported(plan)["message"], "spec.memory: lots") << row.sentence;
    EXPECT_THAT(Reasons(plan), ElementsAre("Invalid")) << row.sentence;
  }
}

TEST_F(PartitionTest, PutsTheLabelOfItsNodeRight) {
  const struct {
    const char* sentence;
    PartitionPtr partition;
    std::optional<std::string> label;  // none: it has none
    nlohmann::json want;               // "": nothing is written
  } rows[] = {
      {"right", Reserved().Obj(), "n", ""},
      {"of another node", Reserved().Obj(), "m", "n"},
      {"taken away", Reserved().Obj(), {}, "n"},
      {"taken away while it is being deleted", Reserved().Deleting(deleted_).Obj(), {}, "n"},
      {"of one that is free", MakePartition("r").Obj(), {}, ""},
      {"put on one that is free", MakePartition("r").Obj(), "n", nullptr},
  };
  for (const auto& row : rows) {
    ShownCluster shown;
    shown.ShowNode("n", 1);
    crds::VdcuPartition partition = *row.partition;
    partition.meta.resource_version = "7";
    partition.meta.labels = {{"app", "x"}};
    if (row.label) partition.meta.labels.emplace(crds::kNodeLabel, *row.label);
    const auto object = std::make_shared<const crds::VdcuPartition>(partition);
    shown.Show(object);
    const Plan plan = shown.OfPartition(object);
    if (row.want.is_string() && row.want.get<std::string>().empty()) {
      EXPECT_THAT(Writes(plan), IsEmpty()) << row.sentence;
      continue;
    }
    ASSERT_THAT(Writes(plan), ElementsAre("patch vdcupartitions team-a/r")) << row.sentence;
    const nlohmann::json want = {{"labels", {{"vdcu.io/node", row.want}}},
                                 {"uid", partition.meta.uid},
                                 {"resourceVersion", "7"}};
    EXPECT_EQ(plan.writes[0].write.body["metadata"], want) << row.sentence;
    EXPECT_FALSE(plan.place) << row.sentence << ": not before that is shown";
    shown.Assume(plan);
    EXPECT_THAT(Writes(shown.OfPartition(object)), IsEmpty()) << row.sentence;
  }
}

TEST_F(PartitionTest, TheLabelComesAndGoesWithTheAssignment) {
  const PartitionPtr waiting = MakePartition("r").Obj();
  const Plan assign{{AssignPartition(*waiting, slice_)}, {}, {}, false};
  EXPECT_EQ(assign.writes[0].write.body["metadata"]["labels"],
            (nlohmann::json{{"vdcu.io/node", "n"}}));
  shown_.Remove(MakeNode("n").Obj());
  const Plan unassign = Decide(Reserved().Obj());
  EXPECT_EQ(unassign.writes.at(0).write.body["metadata"]["labels"],
            (nlohmann::json{{"vdcu.io/node", nullptr}}));
}

// Our assignment was committed, and then somebody has edited the object.
TEST_F(PartitionTest, OneThatCannotBeReadAnyMoreTakesNoUnits) {
  const PartitionPtr waiting = MakePartition("r").Version("3").Obj();
  shown_.Show(waiting);
  const Plan assign{{AssignPartition(*waiting, slice_)}, {}, {}, false};
  shown_.Assume(assign);
  shown_.Settle(assign, Outcome::kCommitted);
  EXPECT_EQ(shown_.UnitsTaken("n"), 6);
  crds::VdcuPartition unread = *waiting;
  unread.spec = {};
  unread.unread = crds::Unread{.why = "spec.memory: lots", .node = "n"};
  shown_.Show(std::make_shared<const crds::VdcuPartition>(unread));
  EXPECT_EQ(shown_.UnitsTaken("n"), 0) << "its daemon says what it holds";
}

}  // namespace
}  // namespace vdcu::reconcilers
