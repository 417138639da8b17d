// Seen: a process takes its vdev file away and has the whole card, with the slices of others on it.
// Where namespaces do not trust each other none shares a card with another.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "node/slices.h"
#include "tests/reconcilers/shown.h"

namespace vdcu::reconcilers {
namespace {

using builders::MakeDcuNode;
using builders::MakePartition;
using builders::MakePod;
using builders::MakeSlice;
using testing::HasSubstr;

constexpr char kShared[] =
    "0/1 nodes fit: 1 card(s) shared with other namespaces; 1 card: 1 shared with other namespaces";

class CardSharingTest : public testing::Test {
 protected:
  // What "p" of team-a is told, or "namespace" or "cluster" where it is placed: what its slice
  // says.
  static std::string Place(ShownCluster& shown, Placer& placer, const std::string& share = "") {
    auto pod = MakePod("p").Limits(kTenth);
    if (!share.empty()) pod.Annotation(std::string(crds::kShareAnnotation), share);
    shown.Show(pod.Obj());
    placer.Add(PodKey("team-a/p"), shown.at.now);
    const auto decision = placer.Next(shown.at);
    if (!decision) return "";
    shown.Assume(decision->plan);
    if (!decision->placed) return Reported(decision->plan).value("message", "");
    return decision->plan.writes[0].write.body["spec"]["assignment"].value("share", "cluster");
  }
  std::string Place(const std::string& share = "") { return Place(shown_, placer_, share); }

  static PartitionPtr There(const std::string& ns, dcu::Sharing share) {
    auto slice = MakeSlice("n", 0, 0, 6, 1000, 0, 0);
    slice.share = share;
    return MakePartition("there").Ns(ns).Assigned(slice).Obj();
  }
  static DcuNodePtr Node(dcu::Sharing share) {
    auto node = *MakeDcuNode("n").Cards(1).Obj();
    node.spec.share_cards = share;
    return std::make_shared<const crds::DcuNode>(node);
  }

  ShownCluster shown_;
  Placer placer_{shown_.cluster};
};

TEST_F(CardSharingTest, WhoeverSaysSoHasItsCardForItsNamespace) {
  const auto any = dcu::Sharing::kCluster;
  const auto own = dcu::Sharing::kNamespace;
  struct Case {
    std::string name;
    std::string pod, ns;  // what they say
    dcu::Sharing node, controller;
    std::string there_ns;
    dcu::Sharing there;
    std::string want;
  };
  for (const Case& c : {
           Case{"nobody says anything", "", "", any, any, "team-b", any, "cluster"},
           Case{"cluster is what there is anyway", "cluster", "cluster", any, any, "team-b", any,
                "cluster"},
           Case{"the pod", "namespace", "", any, any, "team-b", any, kShared},
           Case{"the pod, beside its own", "namespace", "", any, any, "team-a", any, "namespace"},
           Case{"the namespace", "", "namespace", any, any, "team-b", any, kShared},
           Case{"the pod cannot take it back", "cluster", "namespace", any, any, "team-b", any,
                kShared},
           Case{"the node", "", "", own, any, "team-b", any, kShared},
           Case{"the node, beside its own", "", "", own, any, "team-a", any, "namespace"},
           Case{"the controller", "", "", any, own, "team-b", any, kShared},
           Case{"the slice that is there", "", "", any, any, "team-b", own, kShared},
           Case{"that of its own namespace", "", "", any, any, "team-a", own, "cluster"},
       }) {
    SCOPED_TRACE(c.name);
    Settings settings;
    settings.share = c.controller;
    ShownCluster shown(settings);
    Placer placer(shown.cluster);
    shown.Show(builders::MakeNode("n").Obj());
    shown.Show(Node(c.node));
    shown.ShowNamespace("team-a", c.ns);
    shown.Show(There(c.there_ns, c.there));
    EXPECT_EQ(Place(shown, placer, c.pod), c.want);
  }
}

TEST_F(CardSharingTest, AnotherCardIsFound) {
  shown_.ShowNode("n", 2);
  shown_.Show(There("team-b", dcu::Sharing::kNamespace));
  EXPECT_EQ(Place(), "cluster");
  EXPECT_EQ(shown_.UnitsTaken("n", 1), 6);
}

TEST_F(CardSharingTest, ASliceThatIsOnItsWayCountsAtOnce) {
  shown_.ShowNode("n", 1);
  EXPECT_EQ(Place("namespace"), "namespace");
  shown_.Show(MakePod("q").Ns("team-b").Limits(kTenth).Obj());
  placer_.Add(PodKey("team-b/q"), shown_.at.now);
  const auto other = placer_.Next(shown_.at);
  ASSERT_TRUE(other);
  EXPECT_FALSE(other->placed);
  EXPECT_EQ(Reported(other->plan)["message"], kShared);
}

TEST_F(CardSharingTest, OfTwoThatAskForTheSameOneMayFit) {
  shown_.ShowNode("n", 1);
  shown_.Show(There("team-b", dcu::Sharing::kNamespace));
  EXPECT_EQ(Place(), kShared);
  shown_.Show(MakePod("q").Ns("team-b").Limits(kTenth).Obj());
  placer_.Add(PodKey("team-b/q"), shown_.at.now);
  const auto other = placer_.Next(shown_.at);
  ASSERT_TRUE(other);
  EXPECT_TRUE(other->placed) << "it may stand beside its own";
}

TEST_F(CardSharingTest, WhatIsLostIsKeptApartToo) {
  for (const std::string ns : {"team-a", "team-b", ""}) {
    SCOPED_TRACE(ns);
    ShownCluster shown;
    Placer placer(shown.cluster);
    shown.Show(builders::MakeNode("n").Obj());
    auto node = *Node(dcu::Sharing::kCluster);
    auto slice = MakeSlice("n", 0, 0, 6, 1000, 0, 0);
    slice.share = dcu::Sharing::kNamespace;
    node.status.held.push_back({"uid-lost", slice, "", "", ns});
    shown.Show(std::make_shared<const crds::DcuNode>(node));
    EXPECT_EQ(Place(shown, placer), ns == "team-a" ? "cluster" : kShared);
  }
}

TEST_F(CardSharingTest, ItWaitsUntilItsNamespaceIsSeenAndCanBeRead) {
  ShownCluster shown(Settings(), false);
  Placer placer(shown.cluster);
  shown.ShowNode("n", 1);
  EXPECT_EQ(Place(shown, placer), "namespace team-a has not been seen yet");
  shown.TakeDirty();
  shown.ShowNamespace("team-a", "mine");
  EXPECT_TRUE(shown.TakesDirty("pod/team-a/p"));
  EXPECT_EQ(Place(shown, placer),
            "namespace team-a: annotation vdcu.io/share: \"mine\": must be cluster or namespace");
  shown.ShowNamespace("team-a", "namespace");
  EXPECT_TRUE(shown.TakesDirty("pod/team-a/p"));
  EXPECT_EQ(Place(shown, placer), "namespace");
}

TEST_F(CardSharingTest, AReservedPartitionSaysItInItsSpec) {
  shown_.ShowNode("n", 1);
  shown_.Show(There("team-b", dcu::Sharing::kCluster));
  auto reserved = *MakePartition("r").Obj();
  reserved.spec.share = dcu::Sharing::kNamespace;
  shown_.Show(std::make_shared<const crds::VdcuPartition>(reserved));
  placer_.Add(PartitionKey("team-a/r"), shown_.at.now);
  const auto refused = placer_.Next(shown_.at);
  ASSERT_TRUE(refused);
  EXPECT_EQ(Reported(refused->plan)["message"], kShared);
  shown_.Remove(There("team-b", dcu::Sharing::kCluster));
  const auto placed = placer_.Next(shown_.at);
  ASSERT_TRUE(placed && placed->placed);
  const auto& write = placed->plan.writes[0].write;
  EXPECT_EQ(write.body["spec"]["assignment"]["share"], "namespace");
  EXPECT_EQ(write.body["metadata"]["resourceVersion"], reserved.meta.resource_version);
}

TEST_F(CardSharingTest, APodSaysItOrNamesAPartition) {
  const auto error = [](const std::string& share, const std::string& partition) -> std::string {
    auto pod = MakePod("p").Limits(kWhole).Annotation("vdcu.io/share", share);
    if (!partition.empty()) pod.Annotation("vdcu.io/partition", partition);
    const auto parsed = crds::ParsePodRequest(*pod.Obj());
    return parsed ? "" : parsed.error().message;
  };
  EXPECT_EQ(error("pod", ""), "annotation vdcu.io/share: \"pod\": must be cluster or namespace");
  EXPECT_THAT(error("namespace", "r"), HasSubstr("in spec.share; leave out vdcu.io/share"));
  EXPECT_EQ(error("cluster", "r"), "");
}

// Whoever wrote the assignments: the daemon is the fence.
TEST_F(CardSharingTest, ADaemonAdmitsNoneBesideAnotherNamespace) {
  const auto any = dcu::Sharing::kCluster;
  const auto own = dcu::Sharing::kNamespace;
  for (const auto& [there, wanted] : std::vector<std::pair<dcu::Sharing, dcu::Sharing>>{
           {any, any}, {any, own}, {own, any}, {own, own}}) {
    for (const std::string ns : {"team-a", "team-b"}) {
      const auto partition = There("team-b", there);
      node::Slices held;
      held["uid"] = {"uid", "team-b", "there", *partition->spec.assignment, {}, ""};
      auto slice = MakeSlice("n", 0, 6, 6, 1000, 1, 1);
      slice.share = wanted;
      const auto refusal =
          node::Admit(held, "uid-p", ns, slice, MakeDcuNode("n").Cards(1).Obj()->status.devices);
      const bool want_refusal = ns == "team-a" && (there == own || wanted == own);
      EXPECT_EQ(refusal ? refusal->reason : "", want_refusal ? "OtherNamespace" : "");
    }
  }
}

}  // namespace
}  // namespace vdcu::reconcilers
