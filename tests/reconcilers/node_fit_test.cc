#include "reconcilers/view/node_fit.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "reconcilers/view/demands.h"
#include "tests/reconcilers/shown.h"

namespace vdcu::reconcilers {
namespace {

using builders::MakeNode;
using builders::MakePod;

std::string WhyNot(const NodePtr& node, const std::vector<PodPtr>& there, const PodPtr& pod,
                   const VolumeAffinities& volumes = {}) {
  NodeLedger ledger;
  ledger.SetNode(*node);
  for (const PodPtr& other : there) ledger.Add(*other, node->meta.name);
  return WhyUnfit(*ledger.Find(node->meta.name), *pod, volumes).value_or("");
}

kclient::NodeSelectorTerm Named(const std::string& name) {
  return {{}, {{"metadata.name", "In", {name}}}};
}
kclient::NodeSelectorTerm Labelled(const std::string& key, const std::string& value) {
  return {{{key, "In", {value}}}, {}};
}

struct Case {
  std::string name;
  NodePtr node;
  std::vector<PodPtr> there;
  PodPtr pod;
  std::string want;
};

void Check(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    EXPECT_EQ(WhyNot(c.node, c.there, c.pod), c.want) << c.name;
  }
}

// What the index of the inventory leaves out is what WhyUnfit refuses, to the last milli; of memory
// to the MiB, the rest of which is left to WhyUnfit.
TEST(NodeFit, TheInventoryKnowsTheRoomThatIsCounted) {
  constexpr int64_t kMi = dcu::kBytesPerMiB;
  ShownCluster shown;
  shown.Show(MakeNode("n").Allocatable("cpu", 4000).Allocatable("memory", 1000 * kMi).Obj());
  shown.Show(builders::MakeDcuNode("n").Cards(1).Obj());
  const auto there = MakePod("there").Node("n").Limits({{"cpu", 1000}, {"memory", 10 * kMi}});
  shown.Show(there.Obj());
  const struct {
    const char* sentence;
    kclient::ResourceList asks;
    bool want_room;
    const char* want;
  } cases[] = {
      {"all that is left", {{"cpu", 3000}, {"memory", 990 * kMi}}, true, ""},
      {"a milli more", {{"cpu", 3001}}, false, "node has too little cpu"},
      {"a MiB more", {{"memory", 991 * kMi}}, false, "node has too little memory"},
      {"a byte more", {{"memory", 990 * kMi + 1}}, true, "node has too little memory"},
  };
  const View& view = shown.cluster.view();
  for (const auto& c : cases) {
    const auto pod = MakePod("p").Limits(c.asks).Obj();
    EXPECT_EQ(NeedsOf(*pod).FitInto(view.inventory().Find("n")->free), c.want_room) << c.sentence;
    EXPECT_EQ(WhyUnfit(*view.ledger().Find("n"), *pod, {}).value_or(""), c.want) << c.sentence;
  }
  const auto before = view.inventory().Find("n")->free;
  shown.Show(builders::MakePod("more").Node("n").Limits({{"cpu", 5000}}).Obj());
  EXPECT_EQ(view.inventory().Find("n")->free.cpu, -2000);
  EXPECT_TRUE(NeedsOf(*MakePod("none").Obj()).FitInto(view.inventory().Find("n")->free))
      << "who asks for nothing";
  shown.Remove(builders::MakePod("more").Node("n").Obj());
  EXPECT_EQ(view.inventory().Find("n")->free, before);
}

TEST(NodeFit, WhatTheNodeSays) {
  const kclient::Toleration gpu{"gpu", "Equal", "yes", ""};
  const auto tainted = [](const std::string& effect) {
    return MakeNode("n").Taint("gpu", "yes", effect).Obj();
  };
  const PodPtr plain = MakePod("p").Limits(kTenth).Obj();
  Check({
      {"an empty node takes a pod", MakeNode("n").Obj(), {}, plain, ""},
      {"a taint keeps it out",
       tainted("NoSchedule"),
       {},
       plain,
       "node has taint gpu=yes:NoSchedule"},
      {"the kubelet also looks at NoExecute",
       tainted("NoExecute"),
       {},
       plain,
       "node has taint gpu=yes:NoExecute"},
      {"a preference does not", tainted("PreferNoSchedule"), {}, plain, ""},
      {"a toleration lets it in", tainted("NoExecute"), {}, MakePod("p").Toleration(gpu).Obj(), ""},
      {"one of another value does not",
       tainted("NoSchedule"),
       {},
       MakePod("p").Toleration({"gpu", "", "no", ""}).Obj(),
       "node has taint gpu=yes:NoSchedule"},
      {"a cordon keeps it out", MakeNode("n").Cordoned().Obj(), {}, plain, "node is cordoned"},
      {"unless it is tolerated",
       MakeNode("n").Cordoned().Obj(),
       {},
       MakePod("p")
           .Toleration({"node.kubernetes.io/unschedulable", "Exists", "", "NoSchedule"})
           .Obj(),
       ""},
  });
}

TEST(NodeFit, WhatThePodSelects) {
  const NodePtr node = MakeNode("n").Label("zone", "a").Obj();
  Check({
      {"its selector", node, {}, MakePod("p").NodeSelector({{"zone", "a"}}).Obj(), ""},
      {"another selector",
       node,
       {},
       MakePod("p").NodeSelector({{"zone", "b"}}).Obj(),
       "node does not match the node selector"},
      {"affinity by label",
       node,
       {},
       MakePod("p").Affinity({Labelled("zone", "b")}).Obj(),
       "node does not match the node affinity"},
      {"terms are alternatives",
       node,
       {},
       MakePod("p").Affinity({Labelled("zone", "b"), Labelled("zone", "a")}).Obj(),
       ""},
      {"affinity by name", node, {}, MakePod("p").Affinity({Named("n")}).Obj(), ""},
      {"affinity by another name",
       node,
       {},
       MakePod("p").Affinity({Named("m")}).Obj(),
       "node does not match the node affinity"},
      {"no terms match nothing",
       node,
       {},
       MakePod("p").Affinity({}).Obj(),
       "node does not match the node affinity"},
  });
}

TEST(NodeFit, WhatIsLeft) {
  const auto other = [](const kclient::ResourceList& takes) {
    return MakePod("other").Limits(takes).Obj();
  };
  const NodePtr node = MakeNode("n").Allocatable("cpu", 1000).Allocatable("memory", 100).Obj();
  Check({
      {"all of the cpu", node, {}, other({{"cpu", 1000}}), ""},
      {"more cpu than there is", node, {}, other({{"cpu", 1001}}), "node has too little cpu"},
      {"more cpu than is left",
       node,
       {other({{"cpu", 1}})},
       MakePod("p").Limits({{"cpu", 1000}}).Obj(),
       "node has too little cpu"},
      {"more memory than is left",
       node,
       {other({{"memory", 60}})},
       MakePod("p").Limits({{"memory", 60}}).Obj(),
       "node has too little memory"},
      {"ephemeral storage",
       MakeNode("n").Allocatable("ephemeral-storage", 5).Obj(),
       {},
       other({{"ephemeral-storage", 6}}),
       "node has too little ephemeral-storage"},
      {"the number of pods",
       MakeNode("n").Allocatable("pods", 1).Obj(),
       {other({})},
       MakePod("p").Obj(),
       "node has no room for another pod"},
      {"tokens of the device plugin",
       MakeNode("n").Allocatable("hygon.com/dcunum", 1).Obj(),
       {other({{"hygon.com/dcunum", 1}})},
       MakePod("p").Limits(kTenth).Obj(),
       "node has too little hygon.com/dcunum"},
      {"each resource by its exact name: it would run with no card",
       MakeNode("n").Obj(),
       {},
       other({{"hygon.com/hcunum", 1}}),
       "node has no hygon.com/hcunum"},
      {"parts of cards are no node's",
       MakeNode("n").Obj(),
       {},
       other({{"hygon.com/dcumem", 1000}, {"hygon.com/dcucores", 50}}),
       ""},
      {"nothing of what the node lacks",
       MakeNode("n").Obj(),
       {},
       other({{"example.com/x", 0}}),
       ""},
  });
}

TEST(NodeFit, HostPorts) {
  const auto with = [](const std::string& name, const std::string& ip, const char* protocol) {
    return MakePod(name).Port(8080, ip, protocol).Obj();
  };
  const std::string in_use = "node has host port 8080/TCP in use";
  const NodePtr node = MakeNode("n").Obj();
  Check({
      {"free", node, {}, with("p", "", "TCP"), ""},
      {"taken", node, {with("o", "", "TCP")}, with("p", "", "TCP"), in_use},
      {"of another protocol", node, {with("o", "", "UDP")}, with("p", "", "TCP"), ""},
      {"of another address",
       node,
       {with("o", "10.0.0.1", "TCP")},
       with("p", "10.0.0.2", "TCP"),
       ""},
      {"of all addresses",
       node,
       {with("o", "10.0.0.1", "TCP")},
       with("p", "0.0.0.0", "TCP"),
       in_use},
  });
}

TEST(NodeFit, Volumes) {
  const NodePtr node = MakeNode("n").Label("zone", "a").Obj();
  const PodPtr pod = MakePod("p").Obj();
  const kclient::NodeSelector here{true, {Labelled("zone", "a")}};
  const kclient::NodeSelector there{true, {Labelled("zone", "b")}};
  EXPECT_EQ(WhyNot(node, {}, pod, {here, {}}), "");
  EXPECT_EQ(WhyNot(node, {}, pod, {here, there}), "node cannot reach a volume of the pod");
}

TEST(NodeFit, APartitionAsksForLabelsNoCordonAndLife) {
  const kclient::Labels zone{{"zone", "a"}};
  const auto why = [&](const NodePtr& node) {
    NodeLedger ledger;
    ledger.SetNode(*node);
    return WhyUnfit(*ledger.Find("n"), zone).value_or("");
  };
  EXPECT_EQ(why(MakeNode("n").Label("zone", "a").Taint("x", "", "NoSchedule").Obj()), "");
  EXPECT_EQ(why(MakeNode("n").Obj()), "node does not match the node selector");
  EXPECT_EQ(why(MakeNode("n").Label("zone", "a").Cordoned().Obj()), "node is cordoned");
  for (const std::string taint : {"not-ready", "unreachable", "out-of-service"}) {
    const std::string key = "node.kubernetes.io/" + taint;
    EXPECT_EQ(why(MakeNode("n").Label("zone", "a").Taint(key, "", "NoExecute").Obj()),
              "node has taint " + key + ":NoExecute");
  }
}

TEST(NodeLedger, WhatIsTakenOffIsWhatWasAdded) {
  NodeLedger ledger;
  for (const char* name : {"a", "b"}) ledger.SetNode(*MakeNode(name).Obj());
  const PodPtr pod = MakePod("p").Limits({{"cpu", 5}}).Port(80).Obj();
  const PodPtr other = MakePod("q").Limits({{"cpu", 7}}).Port(81).Obj();
  ledger.Add(*pod, "a");
  ledger.Add(*other, "a");
  EXPECT_EQ(ledger.Find("a")->Used("cpu"), 12);
  EXPECT_EQ(ledger.Find("a")->Used("memory"), 0);
  EXPECT_EQ(ledger.Find("a")->pods, 2);
  ledger.Take(*pod, "a");
  ledger.Add(*pod, "b");
  EXPECT_EQ(ledger.Find("a")->Used("cpu"), 7);
  EXPECT_EQ(ledger.Find("a")->ports, other->host_ports);
  EXPECT_EQ(ledger.Find("b")->pods, 1);
  ledger.Take(*pod, "b");
  EXPECT_EQ(ledger.Find("b")->pods, 0);
  EXPECT_TRUE(ledger.Find("b")->ports.empty());
}

TEST(NodeLedger, PodsMayComeBeforeTheirNodeAndOutliveIt) {
  NodeLedger ledger;
  const PodPtr pod = MakePod("p").Limits({{"cpu", 5}}).Obj();
  ledger.Add(*pod, "n");
  EXPECT_EQ(ledger.Find("n"), nullptr);
  ledger.SetNode(*MakeNode("n").Obj());
  EXPECT_EQ(ledger.Find("n")->pods, 1);
  ledger.RemoveNode("n");
  EXPECT_EQ(ledger.Find("n"), nullptr);
  ledger.SetNode(*MakeNode("n").Obj());
  EXPECT_EQ(ledger.Find("n")->Used("cpu"), 5);
}

}  // namespace
}  // namespace vdcu::reconcilers
