#include "reconcilers/dcunode.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "tests/reconcilers/shown.h"

namespace vdcu::reconcilers {
namespace {

using builders::MakeDcuNode;
using builders::MakeNode;
using std::chrono::seconds;
using testing::ElementsAre;

// Node n with a kubelet, and its DCUNode with one card.
class DcuNodeTest : public testing::Test {
 protected:
  DcuNodeTest() {
    ShowNode(4);
    ShowWord();
  }

  // The kubelet offers so many slots; -1: it does not know of the resource.
  void ShowNode(int64_t slots) {
    auto node = MakeNode("n");
    shown_.Show(slots < 0 ? node.Without("hygon.com/dcunum").Obj()
                          : node.Allocatable("hygon.com/dcunum", slots).Obj());
  }
  void ShowNotReady() { shown_.Show(MakeNode("n").NotReady("2026-01-01T00:00:00Z").Obj()); }
  // The daemon says True.
  void ShowWord(bool healthy = true) {
    Show("True", "Published", [&](crds::DcuNode& node) {
      node.status.serving_since = shown_.at.wall;
      if (!healthy) node.status.devices[0].healthy = false;
    });
  }
  // The DCUNode as our write has left it.
  void ShowStored(const Plan& plan) {
    ASSERT_EQ(plan.writes.size(), 1u);
    const auto condition = Reported(plan);
    Show(condition["status"], condition["reason"], [](crds::DcuNode&) {});
  }
  void Show(const std::string& status, const std::string& reason,
            const std::function<void(crds::DcuNode&)>& change) {
    crds::DcuNode node = *MakeDcuNode("n").Cards(1).Obj();
    node.meta.uid = "uid-n";
    node.meta.resource_version = std::to_string(++version_);
    node.status.heartbeat = heartbeat_;
    node.status.conditions[0].status = status;
    node.status.conditions[0].reason = reason;
    change(node);
    shown_.Show(std::make_shared<const crds::DcuNode>(node));
  }

  Plan Reconcile() { return ReconcileDcuNode(shown_.cluster.view(), "n", shown_.at); }
  // "True Published" and the like; "": nothing is written.
  std::string Says() {
    const Plan plan = Reconcile();
    if (plan.writes.empty()) return "";
    const auto condition = Reported(plan);
    return condition["status"].get<std::string>() + " " + condition["reason"].get<std::string>();
  }
  // What it says, having stored it.
  std::string SaysAndStores() {
    const std::string says = Says();
    if (!says.empty()) ShowStored(Reconcile());
    return says;
  }

  ShownCluster shown_;
  crds::Heartbeat heartbeat_ = crds::Heartbeat::kKubelet;
  int version_ = 0;
};

TEST_F(DcuNodeTest, OfADeadDaemonTheKubeletTells) {
  shown_.Pass(seconds(60));
  ShowNode(0);
  EXPECT_TRUE(shown_.TakesDirty("dcunode/n"));
  EXPECT_EQ(Says(), "");
  EXPECT_EQ(Reconcile().requeue_after, seconds(3));
  shown_.Pass(seconds(3));
  const Plan plan = Reconcile();
  EXPECT_THAT(Writes(plan), ElementsAre("patch dcunodes/status n"));
  EXPECT_EQ(plan.writes[0].write.body["metadata"]["resourceVersion"], "1");
  EXPECT_EQ(Reported(plan)["status"], "Unknown");
  EXPECT_EQ(Reported(plan)["reason"], "DaemonSilent");
  EXPECT_THAT(Reasons(plan), ElementsAre("DaemonSilent"));
  EXPECT_TRUE(shown_.cluster.view().inventory().Find("n")->ready);
  ShowStored(plan);
  EXPECT_FALSE(shown_.cluster.view().inventory().Find("n")->ready) << "no new slices";
  EXPECT_EQ(shown_.cluster.view().dcu_nodes().by_ready().at("Unknown"), 1u);
  EXPECT_EQ(Says(), "") << "once";
}

TEST_F(DcuNodeTest, IsWrittenOnceForEachVersionThatIsShown) {
  shown_.Pass(seconds(60));
  ShowNode(0);
  shown_.Pass(seconds(3));
  const Plan plan = Reconcile();
  shown_.Assume(plan);
  EXPECT_EQ(Says(), "") << "in flight";
  shown_.Settle(plan, Outcome::kUnknown);
  EXPECT_EQ(Says(), "Unknown DaemonSilent") << "lost: the same again, which its version fences";
  shown_.Assume(plan);
  shown_.Settle(plan, Outcome::kCommitted);
  EXPECT_EQ(Says(), "");
  ShowWord();
  ShowNode(4);
  ShowNode(0);
  shown_.Pass(seconds(13));
  EXPECT_EQ(Says(), "Unknown DaemonSilent");
}

TEST_F(DcuNodeTest, ARestartIsNoSilence) {
  const struct {
    const char* sentence;
    int dead, word, offers;  // after so many seconds: offered 0, its word, offered 4
  } rows[] = {
      {"the daemon starts again; the kubelet told of the moment between", 60, 62, 70},
      {"the kubelet tells of it only after the daemon's word", 62, 60, 70},
      {"no kubelet has told of it", 61, 61, 62},
  };
  for (const auto& row : rows) {
    ShowNode(4);
    ShowWord();
    for (int second = 1; second <= 120; ++second) {
      shown_.Pass(seconds(1));
      if (second == row.dead) ShowNode(0);
      if (second == row.word) ShowWord();
      if (second == row.offers) ShowNode(4);
      EXPECT_EQ(Says(), "") << row.sentence << ", after " << second << " s";
    }
  }
}

TEST_F(DcuNodeTest, OneThatDiesJustAfterItsWordIsFoundWithinFifteenSeconds) {
  shown_.Pass(seconds(60));
  ShowWord();
  shown_.Pass(seconds(1));
  ShowNode(0);
  shown_.Pass(seconds(11));
  EXPECT_EQ(Says(), "");
  shown_.Pass(seconds(1));
  EXPECT_EQ(Says(), "Unknown DaemonSilent");
}

TEST_F(DcuNodeTest, IsJudgedByANewControllerToo) {
  ShownCluster fresh;
  crds::DcuNode node = *MakeDcuNode("n").Cards(1).Obj();
  node.status.heartbeat = crds::Heartbeat::kKubelet;
  fresh.Show(MakeNode("n").Allocatable("hygon.com/dcunum", 0).Obj());
  fresh.Show(std::make_shared<const crds::DcuNode>(node));
  EXPECT_TRUE(fresh.TakesDirty("dcunode/n"));
  EXPECT_EQ(ReconcileDcuNode(fresh.cluster.view(), "n", fresh.at).requeue_after, seconds(13));
  fresh.Pass(seconds(13));
  EXPECT_EQ(ReconcileDcuNode(fresh.cluster.view(), "n", fresh.at).writes.size(), 1u);
}

TEST_F(DcuNodeTest, WhoeverAnswersIsDoubtedLaterEachTime) {
  shown_.Pass(seconds(60));
  ShowNode(0);
  shown_.Pass(seconds(3));
  ASSERT_EQ(SaysAndStores(), "Unknown DaemonSilent");
  for (const int wait : {26, 52, 104, 208, 416, 416}) {
    ShowWord();
    EXPECT_EQ(Reconcile().requeue_after, seconds(wait)) << "a kubelet that writes its Node rarely";
    shown_.Pass(seconds(wait));
    ASSERT_EQ(SaysAndStores(), "Unknown DaemonSilent");
  }
  ShowWord();
  ShowNode(4);
  shown_.Pass(seconds(60));
  ShowNode(0);
  EXPECT_EQ(Reconcile().requeue_after, seconds(3)) << "all was well meanwhile";
}

TEST_F(DcuNodeTest, WhatIsNoSilence) {
  const struct {
    const char* sentence;
    crds::Heartbeat heartbeat;
    bool healthy;
    int64_t slots;
    const char* want;
  } rows[] = {
      {"all cards are sick: nothing is to be offered", crds::Heartbeat::kKubelet, false, 0, ""},
      {"the kubelet never had the resource", crds::Heartbeat::kKubelet, true, -1,
       "Unknown DaemonSilent"},
      {"no kubelet runs", crds::Heartbeat::kNone, true, -1, ""},
  };
  for (const auto& row : rows) {
    heartbeat_ = row.heartbeat;
    ShowNode(4);
    ShowWord(row.healthy);
    shown_.Pass(seconds(60));
    ShowNode(row.slots);
    shown_.Pass(seconds(60));
    EXPECT_EQ(Says(), row.want) << row.sentence;
  }
}

TEST_F(DcuNodeTest, WhereNoKubeletRunsTheLeaseTells) {
  heartbeat_ = crds::Heartbeat::kLease;
  ShowWord();
  for (int second = 1; second <= 120; ++second) {
    shown_.Pass(seconds(1));
    if (second % 10 == 0) shown_.cluster.OnRenewed("n", shown_.at.now);
    EXPECT_EQ(Says(), "") << "after " << second << " s";
  }
  EXPECT_EQ(Reconcile().requeue_after, seconds(15));
  shown_.Pass(seconds(15));
  ASSERT_EQ(SaysAndStores(), "Unknown DaemonSilent");
  shown_.cluster.OnRenewed("n", shown_.at.now);
  ShowWord();
  EXPECT_EQ(Reconcile().requeue_after, seconds(15)) << "no matter how often it was silent";
}

TEST_F(DcuNodeTest, OneOfTwoResourceNamesIsEnough) {
  shown_.Pass(seconds(60));
  shown_.Show(
      MakeNode("n").Allocatable("hygon.com/dcunum", 0).Allocatable("hygon.com/hcunum", 4).Obj());
  shown_.Pass(seconds(60));
  EXPECT_EQ(Says(), "");
}

TEST_F(DcuNodeTest, OfANodeThatIsNotReadyTheDaemonWaitsUntilItIs) {
  ShowNotReady();
  EXPECT_EQ(Reconcile().requeue_after, seconds(10));
  shown_.Pass(seconds(10));
  ASSERT_EQ(SaysAndStores(), "Unknown NodeNotReady");
  shown_.Pass(seconds(600));
  EXPECT_EQ(Says(), "");
  ShowNode(0);
  ASSERT_EQ(SaysAndStores(), "Unknown AwaitingDaemon") << "at once";
  shown_.Pass(seconds(3));
  ASSERT_EQ(SaysAndStores(), "Unknown DaemonSilent");
  ShowNode(4);
  EXPECT_EQ(Says(), "") << "the rest is the daemon's";
}

TEST_F(DcuNodeTest, OfANodeThatIsGoneAsOfOneThatIsNotReady) {
  shown_.Remove(MakeNode("n").Obj());
  shown_.Pass(seconds(10));
  ASSERT_EQ(SaysAndStores(), "Unknown NodeNotReady");
  ShowNode(4);
  ASSERT_EQ(SaysAndStores(), "Unknown AwaitingDaemon");
}

TEST_F(DcuNodeTest, OfOneThatDoesNotPrepareASliceItIsSaidToo) {
  shown_.Pass(seconds(60));
  shown_.cluster.Take(NodeSilent{"n"}, shown_.at.now);
  EXPECT_TRUE(shown_.TakesDirty("dcunode/n"));
  shown_.Pass(seconds(3));
  ASSERT_EQ(SaysAndStores(), "Unknown DaemonSilent");
  ShowWord();
  shown_.Pass(seconds(600));
  EXPECT_EQ(Says(), "");
}

TEST_F(DcuNodeTest, WhatItsDaemonHasNotSaidIsNotDoubted) {
  shown_.Show(MakeDcuNode("n").Cards(1).NotReady().Obj());
  ShowNotReady();
  shown_.Pass(seconds(600));
  EXPECT_EQ(Says(), "");
}

// --- the taint ---

class NodeTaintTest : public testing::Test {
 protected:
  void ShowCards(int count) { shown_.Show(MakeDcuNode("n").Cards(count).Obj()); }
  // As resourceVersion `version`.
  void ShowNode(const builders::NodeBuilder& node, const std::string& version) {
    kclient::Node shown = *node.Obj();
    shown.meta.uid = "uid-n";
    shown.meta.resource_version = version;
    shown_.Show(std::make_shared<const kclient::Node>(shown));
  }
  Plan Reconcile() { return ReconcileDcuNode(shown_.cluster.view(), "n", shown_.at); }

  ShownCluster shown_{[] {
    Settings settings;
    settings.node_taint = "hygon.com/dcu";
    return settings;
  }()};
};

TEST_F(NodeTaintTest, ANodeWithCardsGetsItBesideItsOwn) {
  ShowNode(MakeNode("n").Taint("a", "b", "PreferNoSchedule"), "7");
  ShowCards(1);
  EXPECT_TRUE(shown_.TakesDirty("dcunode/n"));
  const Plan plan = Reconcile();
  EXPECT_THAT(Writes(plan), ElementsAre("patch nodes n"));
  const nlohmann::json& body = plan.writes[0].write.body;
  EXPECT_EQ(body["metadata"], (nlohmann::json{{"uid", "uid-n"}, {"resourceVersion", "7"}}));
  EXPECT_EQ(body["spec"]["taints"].dump(),
            R"([{"effect":"PreferNoSchedule","key":"a","value":"b"},)"
            R"({"effect":"NoSchedule","key":"hygon.com/dcu"}])");
}

TEST_F(NodeTaintTest, OnceUntilTheWatchShowsIt) {
  ShowNode(MakeNode("n"), "7");
  ShowCards(1);
  const Plan plan = Reconcile();
  ASSERT_EQ(plan.writes.size(), 1U);
  const Assumption& assumed = plan.writes[0].assumption;
  shown_.cluster.Assume(assumed, shown_.at.now);
  EXPECT_TRUE(Reconcile().writes.empty()) << "under way";
  shown_.cluster.Settle(assumed, Outcome::kRefused, shown_.at.now);
  EXPECT_EQ(Reconcile().writes.size(), 1U) << "it was not done";
  shown_.cluster.Assume(assumed, shown_.at.now);
  shown_.cluster.Settle(assumed, Outcome::kCommitted, shown_.at.now);
  EXPECT_TRUE(Reconcile().writes.empty()) << "done, and not shown yet";
  ShowNode(MakeNode("n").Taint("hygon.com/dcu", "", "NoSchedule"), "8");
  EXPECT_TRUE(Reconcile().writes.empty());
  shown_.TakesDirty("dcunode/n");
  ShowNode(MakeNode("n"), "9");
  EXPECT_TRUE(shown_.TakesDirty("dcunode/n"));
  EXPECT_EQ(Reconcile().writes.size(), 1U) << "somebody took it away";
}

TEST_F(NodeTaintTest, WhoNeedsNoneIsLeftAsItIs) {
  ShowCards(1);
  ShowNode(MakeNode("n").Taint("hygon.com/dcu", "mine", "PreferNoSchedule"), "7");
  EXPECT_TRUE(Reconcile().writes.empty()) << "its administrator has said how";
  ShowNode(MakeNode("n").Taint("node.kubernetes.io/unreachable", "", "NoExecute"), "8");
  EXPECT_TRUE(Reconcile().writes.empty()) << "since when that is there would be lost";
  ShowNode(MakeNode("n"), "9");
  ShowCards(0);
  EXPECT_TRUE(Reconcile().writes.empty()) << "no cards";
}

}  // namespace
}  // namespace vdcu::reconcilers
