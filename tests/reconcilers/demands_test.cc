// Policy::kFragmentationAware as the cluster feeds it: what is asked for is what exists.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "reconcilers/placer.h"
#include "tests/builders/builders.h"
#include "tests/reconcilers/shown.h"

namespace vdcu::reconcilers {
namespace {

using builders::MakePartition;
using builders::MakePod;

class DemandsTest : public testing::Test {
 protected:
  // Two nodes with a card of 60 units each: of a 30 are taken, of b 18.
  void ShowHalfFullNodes(ShownCluster& shown) {
    for (const char* node : {"a", "b"}) {
      shown.Show(builders::MakeNode(node).Obj());
      shown.Show(builders::MakeDcuNode(node).Cards(1).Obj());
    }
    shown.Show(MakePartition("on-a").Assigned(builders::MakeSlice("a", 0, 0, 30, 100, 0, 0)).Obj());
    shown.Show(MakePartition("on-b").Assigned(builders::MakeSlice("b", 0, 0, 18, 100, 0, 0)).Obj());
  }
  static builders::PodPtr Asks(const std::string& name, int percent,
                               const std::string& policy = "") {
    builders::PodBuilder pod = MakePod(name).Limits(
        {{"hygon.com/dcunum", 1}, {"hygon.com/dcucores", percent}, {"hygon.com/dcumem", 100}});
    if (!policy.empty()) pod.Annotation("vdcu.io/policy", policy);
    return pod.Obj();
  }
  // Where the pod is placed.
  static std::string NodeFor(ShownCluster& shown, const builders::PodPtr& pod) {
    Placer placer(shown.cluster);
    placer.Add(PodKey(pod->meta.key()), shown.at.now);
    const auto decision = placer.Next(shown.at);
    if (!decision || !decision->placed) return "";
    const auto& write = decision->plan.writes.front();
    return std::get<AssumeCreated>(write.assumption).partition.spec.assignment->node;
  }
};

TEST_F(DemandsTest, WhatOthersWaitForIsLeftToThem) {
  ShownCluster shown;
  ShowHalfFullNodes(shown);
  for (int i = 0; i < 9; ++i) shown.Show(Asks("half-" + std::to_string(i), 50));
  const auto packed = Asks("packed", 20, "BinPack");
  shown.Show(packed);
  EXPECT_EQ(NodeFor(shown, packed), "a") << "the fullest";
  const auto aware = Asks("aware", 20, "FragmentationAware");
  shown.Show(aware);
  EXPECT_EQ(NodeFor(shown, aware), "b") << "a half stays free on both";
}

TEST_F(DemandsTest, WhoIsGoneAsksForNothing) {
  ShownCluster shown;
  ShowHalfFullNodes(shown);
  const auto aware = Asks("aware", 20, "FragmentationAware");
  shown.Show(aware);
  for (int i = 0; i < 9; ++i) shown.Show(Asks("half-" + std::to_string(i), 50));
  EXPECT_EQ(NodeFor(shown, aware), "b");
  for (int i = 0; i < 9; ++i) shown.Remove(Asks("half-" + std::to_string(i), 50));
  shown.Remove(MakePartition("on-a").Obj());
  shown.Remove(MakePartition("on-b").Obj());
  EXPECT_EQ(NodeFor(shown, aware), "a") << "only its own size counts, and both are whole";
}

TEST_F(DemandsTest, ThatOfARestartedControllerIsTheSame) {
  ShownCluster before;
  ShowHalfFullNodes(before);
  before.Show(Asks("aware", 20, "FragmentationAware"));
  ShownCluster after;
  for (int i = 8; i >= 0; --i) after.Show(Asks("half-" + std::to_string(i), 50));
  for (int i = 0; i < 9; ++i) before.Show(Asks("half-" + std::to_string(i), 50));
  ShowHalfFullNodes(after);
  after.Show(Asks("aware", 20, "FragmentationAware"));
  EXPECT_EQ(NodeFor(before, Asks("aware", 20)), "b") << "not the fullest";
  EXPECT_EQ(NodeFor(after, Asks("aware", 20)), "b");
}

}  // namespace
}  // namespace vdcu::reconcilers
