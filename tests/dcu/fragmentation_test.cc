// Policy::kFragmentationAware, by what it does with small clusters.
#include <gtest/gtest.h>

#include <string>
#include <variant>
#include <vector>

#include "dcu/allocator.h"
#include "tests/dcu/cards.h"

namespace vdcu::dcu {
namespace {

constexpr NodeNeeds kRich{64'000, MiB{256 * 1024}};

class FragmentationTest : public ::testing::Test {
 protected:
  // A node with one card of 120 units of which so many percent are taken.
  void AddNode(const std::string& name, int taken, const NodeNeeds& free = kRich) {
    inventory_.SetNode(name, {Card120(name + "-c")}, Ready());
    inventory_.SetRoom(name, free);
    if (taken == 0) return;
    inventory_.SetSlice(name, Held(name, name + "-c", 0, taken * 120 / 100, taken * 600, 0, 0));
  }
  void Demand(const SliceRequest& slice, int count, const NodeNeeds& needs = {1'000, MiB{1}}) {
    inventory_.AddDemand({slice}, needs, count);
  }
  std::string NodeFor(const SliceRequest& slice, const NodeNeeds& needs = {1'000, MiB{1}},
                      Policy policy = Policy::kFragmentationAware) const {
    const Answer answer =
        Allocate(inventory_, {.slices = {slice}, .policy = policy, .node = needs}, nullptr);
    const auto* placement = std::get_if<Placement>(&answer);
    return placement ? placement->node : std::get<FitError>(answer).Message();
  }

  Inventory inventory_;
};

TEST_F(FragmentationTest, WithoutDemandItIsBinPack) {
  AddNode("a", 0);
  AddNode("b", 30);
  EXPECT_EQ(NodeFor(Percent(20, 100)), "b");
  Demand(Percent(20, 100), 1);
  Demand(Percent(20, 100), -1);
  EXPECT_EQ(NodeFor(Percent(20, 100)), "b");
}

TEST_F(FragmentationTest, LeavesWhatOthersAskFor) {
  AddNode("a", 50);
  AddNode("b", 30);
  Demand(Percent(50, 100), 10);
  EXPECT_EQ(NodeFor(Percent(20, 100), {}, Policy::kBinPack), "a") << "the fullest";
  EXPECT_EQ(NodeFor(Percent(20, 100)), "b") << "a half stays on both";
}

TEST_F(FragmentationTest, LeavesWholeCardsToThoseWhoNeedThem) {
  AddNode("a", 0);
  AddNode("b", 80);
  Demand(SliceRequest{}, 10);
  EXPECT_EQ(NodeFor(Percent(20, 100)), "b");
}

TEST_F(FragmentationTest, TakesTheCardBesideWhichThereIsNoCpu) {
  AddNode("a", 0);
  AddNode("b", 0, {2'000, MiB{256 * 1024}});
  Demand(Percent(50, 100), 10, {8'000, MiB{1}});
  EXPECT_EQ(NodeFor(Percent(50, 100), {1'000, MiB{1}}, Policy::kBinPack), "a") << "the first";
  EXPECT_EQ(NodeFor(Percent(50, 100), {1'000, MiB{1}}), "b") << "nobody else can use it";
}

TEST_F(FragmentationTest, SparesTheModelThatOthersMustHave) {
  AddNode("a", 0);
  inventory_.SetNode("b", {Card60("b-c")}, Ready());
  inventory_.SetRoom("b", kRich);
  SliceRequest picky = Percent(50, 100);
  DeviceSelector devices;
  devices.models = {Card120("any").model};
  picky.devices = base::Interned(devices);
  Demand(picky, 10);
  Demand(Percent(50, 100), 1);
  EXPECT_EQ(NodeFor(Percent(50, 100)), "b");
}

TEST_F(FragmentationTest, PicksTheCardOfANode) {
  inventory_.SetNode("a", {Card120("c1"), Card120("c2")}, Ready());
  inventory_.SetSlice("one", Held("a", "c1", 0, 60, 100, 0, 0));
  inventory_.SetSlice("two", Held("a", "c2", 0, 36, 100, 0, 1));
  Demand(Percent(50, 100), 10);
  const Answer answer = Allocate(
      inventory_, {.slices = {Percent(20, 100)}, .policy = Policy::kFragmentationAware}, nullptr);
  EXPECT_EQ(std::get<Placement>(answer).assignments.front().device, "c2");
}

TEST_F(FragmentationTest, WhatFitsNowhereSaysWhy) {
  AddNode("a", 90);
  Demand(Percent(50, 100), 1);
  EXPECT_NE(NodeFor(Percent(50, 100)).find("0/1 nodes fit"), std::string::npos);
}

// A tenant that asks for ever other amounts.
TEST_F(FragmentationTest, RareKindsBeyondTheBoundDoNotCount) {
  constexpr int kHalves = 2'500;
  constexpr int kRare = 2 * static_cast<int>(Demand::kMostKinds);
  AddNode("a", 50);
  AddNode("b", 30);
  Demand(Percent(50, 100), kHalves);
  // All of b, and what a has not.
  Demand(Units(84, 200), kRare);
  EXPECT_EQ(NodeFor(Percent(20, 100)), "a") << "so many of one kind would count";
  Demand(Units(84, 200), -kRare);
  for (int i = 0; i < kRare; ++i) Demand(Units(84, 200 + i), 1);
  EXPECT_EQ(NodeFor(Percent(20, 100)), "b") << "the halves are the most frequent";
  for (int i = 0; i < kRare; ++i) Demand(Units(84, 200 + i), -1);
  Demand(Percent(50, 100), -kHalves);
  EXPECT_EQ(inventory_.worth(), nullptr) << "all are gone";
}

// What the daemon, a person or a restart did before leaves no trace.
TEST_F(FragmentationTest, ANodeThatGoesTakesItsSupplyWithIt) {
  AddNode("a", 50);
  AddNode("b", 30);
  Demand(Percent(50, 100), 10);
  for (int i = 0; i < 3; ++i) {
    AddNode("gone", 10);
    inventory_.RemoveSlice("gone");
    inventory_.RemoveNode("gone");
  }
  EXPECT_EQ(NodeFor(Percent(20, 100)), "b");
}

}  // namespace
}  // namespace vdcu::dcu
