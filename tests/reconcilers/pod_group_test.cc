#include "reconcilers/pod_group.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "reconcilers/reconcile.h"
#include "tests/reconcilers/shown.h"

namespace vdcu::reconcilers {
namespace {

using builders::MakeDcuNode;
using builders::MakeNode;
using builders::MakePod;
using builders::PodBuilder;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

// A half of a card.
PodBuilder Half(const std::string& name, const std::string& size = "4",
                const std::string& group = "train") {
  return MakePod(name)
      .Limits({{"hygon.com/dcunum", 1}, {"hygon.com/dcucores", 50}, {"hygon.com/dcumem", 100}})
      .Annotation("vdcu.io/group", group)
      .Annotation("vdcu.io/group-size", size);
}

// As the runner does, with an API server that stores all, and shows it when the test says so.
class GroupWorld {
 public:
  // "create p", "bind p on n", "delete of p", "tell p": all that is written until nothing more is.
  std::vector<std::string> Work() {
    std::vector<std::string> done;
    told_.clear();
    do {
      std::vector<Key> keys = shown_.cluster.TakeDirty();
      keys.insert(keys.end(), looks_.begin(), looks_.end());
      looks_.clear();
      for (const Key& key : keys) Look(key, done);
      while (const auto decision = placer_.Next(shown_.at)) Take(decision->plan, done);
    } while (shown_.cluster.HasDirty());
    std::sort(done.begin(), done.end());
    return done;
  }
  // The time that a plan asked for has come.
  std::vector<std::string> WorkLater(base::Duration by) {
    shown_.Pass(by);
    looks_ = due_;
    return Work();
  }
  void Show(std::initializer_list<PodBuilder> pods) {
    for (const PodBuilder& pod : pods) shown_.Show(pod.Obj());
  }
  // The watch shows what was created for the pod, and what its daemon says of it.
  void ShowSlices(const std::string& pod, const std::string& prepared = "True") {
    for (const auto& entry : shown_.cluster.view().PartitionsOfPod("uid-" + pod)) {
      auto object = std::make_shared<crds::VdcuPartition>(entry->object());
      object->meta.uid = "uid-" + object->meta.name;
      object->meta.resource_version = std::to_string(++version_);
      object->status.conditions.clear();
      for (const std::string_view type : {crds::kPrepared, crds::kReady}) {
        if (prepared.empty()) continue;
        object->status.conditions.push_back(
            {std::string(type), prepared, "Said", "it was said", "", object->meta.generation});
      }
      shown_.Show(object);
    }
  }
  // What was deleted is gone.
  void RemoveSlices(const std::string& pod) {
    for (const auto& entry : shown_.cluster.view().PartitionsOfPod("uid-" + pod)) {
      shown_.Remove(entry->shown);
    }
  }

  void Look(const Key& key, std::vector<std::string>& done) {
    const Plan plan = shown_.Noted(Reconcile(shown_.cluster.view(), key, shown_.at));
    if (plan.place) {
      placer_.Add(key, shown_.at.now);
    } else {
      placer_.Remove(key);
    }
    due_.erase(std::remove(due_.begin(), due_.end(), key), due_.end());
    if (plan.requeue_after) due_.push_back(key);
    Take(plan, done);
  }
  void Take(const Plan& plan, std::vector<std::string>& done) {
    shown_.Assume(plan);
    last_ = plan;
    for (const PlannedWrite& planned : plan.writes) {
      const std::string name = RequestKeyOf(planned.assumption).name;
      if (std::holds_alternative<AssumeCreated>(planned.assumption)) {
        done.push_back("create " + name);
        shown_.cluster.Settle(planned.assumption, Outcome::kCommitted, shown_.at.now);
      } else if (const auto* bound = std::get_if<AssumeBound>(&planned.assumption)) {
        done.push_back("bind " + name + " on " + bound->node);
      } else if (const auto* reported = std::get_if<AssumeReported>(&planned.assumption)) {
        told_[name] = reported->message;
        done.push_back("tell " + name);
      } else if (planned.write.verb == kclient::Write::Verb::kDelete) {
        const auto found = shown_.cluster.view().FindPartition(
            std::get<AssumeWritten>(planned.assumption).partition);
        done.push_back("delete of " + found->object().spec.pod_ref->name);
      }
    }
  }

  ShownCluster shown_;
  Placer placer_{shown_.cluster};
  std::map<std::string, std::string> told_;  // by pod, in the last Work
  std::vector<Key> due_;                     // asked to be looked at again
  std::vector<Key> looks_;
  Plan last_;
  int version_ = 100;
};

class PodGroupTest : public testing::Test, protected GroupWorld {};

TEST_F(PodGroupTest, NothingHappensBeforeAllOfItExist) {
  shown_.ShowNode("n", 4);
  Show({Half("a"), Half("b"), Half("c"), Half("d").Gated()});
  shown_.Pass(base::Duration(-3'599'000));  // a second after they were created
  EXPECT_THAT(Work(), IsEmpty()) << "the others may come at any moment";
  EXPECT_THAT(WorkLater(base::Duration(5'000)), ElementsAre("tell a", "tell b", "tell c"));
  EXPECT_EQ(told_["a"],
            "group train: 3 of 4 pods exist that can be placed: waiting for the others");
  EXPECT_EQ(shown_.UnitsTaken("n"), 0);
  Show({Half("d")});
  EXPECT_THAT(Work(), ElementsAre("create a", "create b", "create c", "create d"));
  EXPECT_EQ(last_.writes.size(), 4u) << "in one decision";
}

TEST_F(PodGroupTest, AllGetTheirCardsInOneDecisionOrNoneDoes) {
  shown_.ShowNode("n", 2);
  const auto other = builders::MakePartition("other")
                         .Assigned(builders::MakeSlice("n", 0, 0, 31, 100, 0, 0))
                         .Obj();
  shown_.Show(other);
  Show({Half("a"), Half("b"), Half("c"), Half("d")});
  EXPECT_THAT(Work(), ElementsAre("tell a", "tell b", "tell c", "tell d"));
  for (const char* pod : {"a", "d"}) {
    EXPECT_THAT(told_[pod], HasSubstr("group train: 2 of 4 placed: 0/1 nodes fit")) << pod;
  }
  EXPECT_EQ(shown_.UnitsTaken("n", 0), 31);
  EXPECT_EQ(shown_.UnitsTaken("n", 1), 0) << "what was tried has left nothing behind";
  EXPECT_THAT(shown_.cluster.changes().TakeImproved(), IsEmpty()) << "and is no reason to try anew";
  EXPECT_EQ(placer_.waiting(), 1u);
  Show({MakePod("small").Limits(kTenth)});
  EXPECT_THAT(Work(), ElementsAre("create small")) << "it holds up nobody";
  ShowSlices("small", "");
  shown_.Remove(MakePod("small").Obj());
  RemoveSlices("small");
  shown_.Remove(other);
  EXPECT_THAT(Work(), ElementsAre("create a", "create b", "create c", "create d"));
}

TEST_F(PodGroupTest, NoneIsBoundBeforeAllAreReady) {
  shown_.ShowNode("n", 2);
  Show({Half("a"), Half("b"), Half("c"), Half("d")});
  Work();
  for (const char* pod : {"a", "b", "c"}) ShowSlices(pod);
  ShowSlices("d", "");
  EXPECT_THAT(Work(), IsEmpty());
  ShowSlices("d");
  EXPECT_THAT(Work(), ElementsAre("bind a on n", "bind b on n", "bind c on n", "bind d on n"));
  EXPECT_EQ(last_.events.size(), 4u);
}

TEST_F(PodGroupTest, WhatIsRefusedOfOneTakesAllBackAndIsAvoidedByAll) {
  shown_.ShowNode("n1", 2);
  shown_.ShowNode("n2", 2);
  Show({Half("a"), Half("b"), Half("c"), Half("d")});
  Work();
  const std::string first =
      shown_.cluster.view().PartitionsOfPod("uid-a")[0]->object().spec.assignment->node;
  for (const char* pod : {"a", "b", "c"}) ShowSlices(pod);
  ShowSlices("d", "False");
  EXPECT_THAT(Work(), ElementsAre("delete of a", "delete of b", "delete of c", "delete of d"));
  EXPECT_THAT(last_.events.at(0).note, HasSubstr("group train: node " + first + " refused"));
  for (const char* pod : {"a", "b", "c", "d"}) RemoveSlices(pod);
  EXPECT_THAT(Work(), ElementsAre("create a", "create b", "create c", "create d"));
  for (const char* pod : {"a", "b", "c", "d"}) {
    const auto slices = shown_.cluster.view().PartitionsOfPod("uid-" + std::string(pod));
    EXPECT_NE(slices.at(0)->object().spec.assignment->node, first) << pod;
  }
}

TEST_F(PodGroupTest, ASilentDaemonTakesAllBack) {
  shown_.ShowNode("n", 2);
  Show({Half("a", "2"), Half("b", "2")});
  Work();
  ShowSlices("a");
  ShowSlices("b", "");
  EXPECT_THAT(Work(), IsEmpty());
  EXPECT_THAT(WorkLater(base::Duration(4'999)), IsEmpty());
  EXPECT_THAT(WorkLater(base::Duration(1)), ElementsAre("delete of a", "delete of b"));
  EXPECT_TRUE(shown_.cluster.view().IsSilent("n", shown_.at.now));
}

// Where a crash has left it, seen by the leader that comes next.
TEST_F(PodGroupTest, ALeaderGoesOnFromWhatIsThere) {
  struct Row {
    const char* sentence;
    std::vector<std::string> bound;     // pods
    std::vector<std::string> prepared;  // of those that are not
    std::vector<std::string> want;
  };
  const Row rows[] = {
      {"between two creates", {}, {"a", "b"}, {"delete of a", "delete of b"}},
      {"after the creates",
       {},
       {"a", "b", "c", "d"},
       {"bind a on n", "bind b on n", "bind c on n", "bind d on n"}},
      {"between two binds", {"a", "c"}, {"b", "d"}, {"bind b on n", "bind d on n"}},
      {"a slice was taken from one that is not bound", {"a", "c"}, {"b"}, {"delete of b"}},
      {"between the binds and the slices of one anew", {"a", "b", "c"}, {}, {"create d"}},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.sentence);
    GroupWorld world;
    world.shown_.ShowNode("n", 4);
    int units = 0;
    for (const std::string name : {"a", "b", "c", "d"}) {
      const auto has = [&](const auto& names) {
        return std::find(names.begin(), names.end(), name) != names.end();
      };
      const auto pod =
          has(row.bound) ? Half(name).Node("n").Phase("Running").Obj() : Half(name).Obj();
      world.shown_.Show(pod);
      if (!has(row.bound) && !has(row.prepared)) continue;
      world.shown_.Show(builders::MakePartition("")
                            .For(pod)
                            .Assigned(builders::MakeSlice("n", units / 2, 30 * (units % 2), 30, 100,
                                                          units % 2, units))
                            .Condition(crds::kPrepared, "True")
                            .Ready()
                            .Obj());
      ++units;
    }
    EXPECT_EQ(world.Work(), row.want);
  }
}

TEST_F(PodGroupTest, WhoComesLaterIsPlacedForItself) {
  shown_.ShowNode("n", 2);
  Show({Half("a").Node("n").Phase("Running"), Half("b").Node("n").Phase("Running"),
        Half("c").Node("n").Phase("Failed"), Half("new")});
  EXPECT_THAT(Work(), ElementsAre("tell new")) << "one that has failed does not count";
  Show({Half("done").Node("n").Phase("Succeeded")});
  EXPECT_THAT(Work(), ElementsAre("create new")) << "one that has succeeded does";
  ShowSlices("new");
  EXPECT_THAT(Work(), ElementsAre("bind new on n"));
  Show({Half("new").Node("n").Phase("Running"), Half("fifth"),
        Half("sixth").NodeSelector({{"no", "node"}})});
  EXPECT_THAT(Work(), ElementsAre("create fifth", "tell sixth"));
  EXPECT_THAT(told_["sixth"], testing::StartsWith("0/1 nodes fit")) << "not its group's doing";
}

TEST_F(PodGroupTest, PodsThatAreGoingDoNotCount) {
  shown_.ShowNode("n", 2);
  Show({Half("a", "2").Node("n").Phase("Running").Deleting(), Half("b", "2").Deleting(),
        Half("c", "2")});
  EXPECT_THAT(Work(), ElementsAre("tell c"));
  EXPECT_THAT(told_["c"], HasSubstr("1 of 2 pods exist"));
}

TEST_F(PodGroupTest, WhoSaysAnotherSizeThanTheOldestIsRefusedAndTheOthersGoOn) {
  shown_.ShowNode("n", 2);
  Show({Half("b", "2").Created("2025-12-31T00:00:00Z"), Half("a", "3"), Half("c", "2")});
  EXPECT_THAT(Work(), ElementsAre("create b", "create c", "tell a"));
  EXPECT_EQ(told_["a"],
            "annotation vdcu.io/group-size: \"3\": must be 2, as pod b of the same group says");
}

TEST_F(PodGroupTest, OneThatIsWrongIsToldSoAndIsNoneOfThem) {
  shown_.ShowNode("n", 4);
  Show({Half("a", "2"), Half("b", "zero"), Half("c", "2").Unsupported("spec.resourceClaims")});
  EXPECT_THAT(Work(), ElementsAre("tell a", "tell b", "tell c"));
  EXPECT_THAT(told_["a"], HasSubstr("1 of 2 pods exist that can be placed"));
  EXPECT_THAT(told_["b"], HasSubstr("annotation vdcu.io/group-size: \"zero\": must be a whole"));
  EXPECT_THAT(told_["c"], HasSubstr("spec.resourceClaims"));
  Show({Half("d", "2")});
  EXPECT_THAT(Work(), ElementsAre("create a", "create d"));
}

TEST_F(PodGroupTest, TwoGroupsNeverHoldHalvesOfEachOther) {
  shown_.ShowNode("n", 2);
  for (const char* group : {"x", "y"}) {
    for (const char* pod : {"1", "2", "3"}) {
      Show({Half(std::string(group) + pod, "3", group)});
    }
  }
  EXPECT_THAT(Work(),
              ElementsAre("create x1", "create x2", "create x3", "tell y1", "tell y2", "tell y3"));
  EXPECT_THAT(told_["y1"], HasSubstr("group y: 1 of 3 placed: "));
  for (const char* pod : {"x1", "x2"}) {
    ShowSlices(pod);
    shown_.Remove(Half(pod, "3", "x").Obj());
    RemoveSlices(pod);
  }
  EXPECT_THAT(Work(), testing::Contains("create y3")) << "x3 is taken back, or leaves room";
}

TEST_F(PodGroupTest, TheLargestComesFirst) {
  Settings settings;
  settings.policy = dcu::Policy::kSpread;
  ShownCluster spread(settings);
  Placer placer(spread.cluster);
  spread.ShowNode("n1", 1);
  spread.ShowNode("n2", 1);
  const auto whole = MakePod("z").Limits(kWhole).Annotation("vdcu.io/group", "train");
  for (const auto& pod : {Half("a", "3").Obj(), Half("b", "3").Obj(),
                          PodBuilder(whole).Annotation("vdcu.io/group-size", "3").Obj()}) {
    spread.Show(pod);
  }
  placer.Add(MakeKey(kPodGroup, "team-a/train"), spread.at.now);
  const auto decision = placer.Next(spread.at);
  ASSERT_TRUE(decision);
  EXPECT_EQ(decision->placed, 3) << "a and b on a card each would leave none for z";
}

TEST_F(PodGroupTest, WhatOneTakesOfANodeTheNextCannotHave) {
  const auto busy = [](const std::string& name) {
    return Half(name, "2").Limits({{"cpu", 40'000},
                                   {"hygon.com/dcunum", 1},
                                   {"hygon.com/dcucores", 50},
                                   {"hygon.com/dcumem", 100}});
  };
  shown_.ShowNode("n1", 2);
  Show({busy("a"), busy("b")});
  EXPECT_THAT(Work(), ElementsAre("tell a", "tell b"));
  EXPECT_THAT(told_["a"], HasSubstr("1 of 2 placed: 0/1 nodes fit: 1 node has too little cpu"));
  shown_.ShowNode("n2", 1);
  EXPECT_THAT(Work(), ElementsAre("create a", "create b"));
}

TEST_F(PodGroupTest, PodsOfItMayKeepEachOtherAway) {
  const auto shy = [](const std::string& name) {
    return Half(name, "2")
        .Label("app", "train")
        .KeepsAway(
            {.pods = {.present = true, .match_labels = {{"app", "train"}}, .match_expressions = {}},
             .namespaces = {"team-a"},
             .namespace_selector = {},
             .topology_key = "kubernetes.io/hostname"});
  };
  shown_.Show(MakeNode("n1").Label("kubernetes.io/hostname", "n1").Obj());
  shown_.Show(MakeDcuNode("n1").Cards(2).Obj());
  Show({shy("a"), shy("b")});
  EXPECT_THAT(Work(), ElementsAre("tell a", "tell b"));
  EXPECT_THAT(told_["b"], HasSubstr("1 of 2 placed"));
  shown_.Show(MakeNode("n2").Label("kubernetes.io/hostname", "n2").Obj());
  shown_.Show(MakeDcuNode("n2").Cards(2).Obj());
  EXPECT_THAT(Work(), ElementsAre("create a", "create b"));
}

TEST_F(PodGroupTest, AQuotaHasToHoldAllOfThem) {
  shown_.ShowNode("n", 4);
  const auto quota = [&](int64_t cards) {
    kclient::ResourceQuota quota;
    quota.meta.ns = "team-a";
    quota.meta.name = "q";
    quota.hard = {{"requests.hygon.com/dcunum", cards}};
    return std::make_shared<const kclient::ResourceQuota>(quota);
  };
  const auto three = quota(3);
  shown_.cluster.shown().Set(nullptr, three, shown_.at.now);
  Show({Half("a"), Half("b"), Half("c"), Half("d")});
  EXPECT_THAT(Work(), ElementsAre("tell a", "tell b", "tell c", "tell d"));
  EXPECT_THAT(told_["a"], HasSubstr("group train: 3 of 4 placed: "));
  EXPECT_THAT(told_["a"], HasSubstr("dcunum"));
  shown_.cluster.shown().Set(three, quota(4), shown_.at.now);
  EXPECT_THAT(Work(), ElementsAre("create a", "create b", "create c", "create d"));
}

TEST_F(PodGroupTest, WhereTheCreateOfOneIsRefusedAllGoBackAndSayWhy) {
  shown_.ShowNode("n", 2);
  Show({Half("a", "2"), Half("b", "2")});
  Work();
  const Plan made = last_;
  const Plan refused{{made.writes.at(1)}, {}, {}};
  shown_.Settle(refused, Outcome::kRefused);
  shown_.SetBack(refused, {base::ErrorCode::kForbidden, "exceeded quota", {}});
  const bool a_stays = RequestKeyOf(made.writes.at(0).assumption).name == "a";
  const std::string other = a_stays ? "a" : "b";
  ShowSlices(other);
  EXPECT_THAT(Work(), UnorderedElementsAre("delete of " + other, "tell a", "tell b"));
  EXPECT_THAT(told_["a"], HasSubstr("group train: pod "));
  EXPECT_THAT(told_["a"], HasSubstr("exceeded quota"));
  RemoveSlices(other);
  EXPECT_THAT(Work(), IsEmpty());
  EXPECT_THAT(WorkLater(base::Duration(60'000)), ElementsAre("create a", "create b"));
}

TEST_F(PodGroupTest, ANodeThatIsCordonedMeanwhileGetsNoneOfThem) {
  shown_.ShowNode("n1", 1);
  shown_.ShowNode("n2", 1);
  Show({Half("a"), Half("b"), Half("c"), Half("d")});
  Work();
  shown_.Show(MakeNode("n1").Cordoned().Obj());
  for (const char* pod : {"a", "b", "c", "d"}) ShowSlices(pod);
  EXPECT_THAT(Work(), ElementsAre("delete of a", "delete of b", "delete of c", "delete of d"));
}

TEST_F(PodGroupTest, KueuesPairIsReadAsTheSame) {
  shown_.ShowNode("n", 2);
  const auto kueues = [](const std::string& name) {
    return MakePod(name)
        .Limits(kTenth)
        .Label("kueue.x-k8s.io/pod-group-name", "train")
        .Annotation("kueue.x-k8s.io/pod-group-total-count", "2");
  };
  Show({kueues("a")});
  EXPECT_THAT(Work(), ElementsAre("tell a"));
  Show({kueues("b")});
  EXPECT_THAT(Work(), ElementsAre("create a", "create b"));
}

TEST_F(PodGroupTest, PodsOfOtherSchedulersAreInNoGroup) {
  shown_.ShowNode("n", 2);
  Show({Half("a", "2"), Half("b", "2").Scheduler("volcano")});
  EXPECT_THAT(Work(), ElementsAre("tell a"));
}

TEST_F(PodGroupTest, AGroupThatIsGoneWaitsNoMore) {
  shown_.ShowNode("n", 1);
  Show({Half("a", "3"), Half("b", "3"), Half("c", "3")});
  Work();
  EXPECT_EQ(placer_.waiting(), 1u);
  WaitCounts counts;
  placer_.CountWaiting(counts);
  EXPECT_EQ(counts[WaitReason::kCards].count, 3u) << "pods are counted";
  for (const char* pod : {"a", "b", "c"}) shown_.Remove(Half(pod, "3").Obj());
  Work();
  EXPECT_EQ(placer_.waiting(), 0u);
}

TEST_F(PodGroupTest, APodThatLeavesItsGroupIsPlacedForItself) {
  shown_.ShowNode("n", 1);
  Show({Half("a", "2")});
  EXPECT_THAT(Work(), ElementsAre("tell a"));
  Show({MakePod("a").Limits(kTenth)});
  EXPECT_THAT(Work(), ElementsAre("create a"));
}

TEST_F(PodGroupTest, OneThatFitsOnlyBesideAnotherOfThemComesAfterIt) {
  shown_.ShowNode("n1", 2);
  shown_.ShowNode("n2", 2);
  Show({Half("a", "2"), Half("b", "2")});
  auto pod = std::make_shared<kclient::Pod>(*Half("a", "2").Obj());
  auto wants = std::make_unique<kclient::PodScheduling>(*pod->scheduling);
  wants->pod_affinity = {
      {.pods = {.present = true, .match_labels = {{"app", "b"}}, .match_expressions = {}},
       .namespaces = {"team-a"},
       .namespace_selector = {},
       .topology_key = "kubernetes.io/hostname"}};
  pod->scheduling = std::move(wants);
  for (const char* node : {"n1", "n2"}) {
    shown_.Show(MakeNode(node).Label("kubernetes.io/hostname", node).Obj());
  }
  shown_.Show(pod);
  Show({Half("b", "2").Label("app", "b")});
  EXPECT_THAT(Work(), ElementsAre("create a", "create b"));
}

}  // namespace
}  // namespace vdcu::reconcilers
