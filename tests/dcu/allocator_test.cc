#include "dcu/allocator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/dcu/cards.h"

namespace vdcu::dcu {
namespace {

using ::testing::ElementsAre;

// "node/card units memory pipe vdev" for each slice, or the error.
std::vector<std::string> Told(const Answer& answer) {
  if (const auto* error = std::get_if<FitError>(&answer)) return {error->Message()};
  std::vector<std::string> lines;
  for (const Assignment& a : std::get<Placement>(answer).assignments) {
    EXPECT_EQ(a.compute_units, a.units.Count());
    std::string line = a.node + "/" + a.device + " " + std::to_string(a.compute_units) + " " +
                       std::to_string(a.memory.value);
    line +=
        a.whole_card() ? " whole" : " " + std::to_string(*a.pipe) + " " + std::to_string(*a.vdev);
    lines.push_back(line);
  }
  return lines;
}

std::vector<std::string> Ask(const Inventory& inventory, std::vector<SliceRequest> slices,
                             Policy policy = Policy::kBinPack) {
  return Told(Allocate(inventory, {std::move(slices), policy}, nullptr));
}

SliceRequest On(SliceRequest slice, DeviceSelector devices) {
  slice.devices = base::Interned(std::move(devices));
  return slice;
}

TEST(Allocator, PercentIsRoundedUpToWholeUnitsOfTheCard) {
  const struct {
    int percent;
    int want_of_60;
    int want_of_120;
  } cases[] = {{1, 1, 2}, {15, 9, 18}, {16, 10, 20}, {33, 20, 40}, {99, 60, 119}, {100, 60, 120}};
  for (const auto& c : cases) {
    Inventory small;
    small.SetNode("n", {Card60("c")}, Ready());
    Inventory large;
    large.SetNode("n", {Card120("c")}, Ready());
    const auto want = [](int units) { return "n/c " + std::to_string(units) + " 2000 0 0"; };
    EXPECT_THAT(Ask(small, {Percent(c.percent, 2000)}), ElementsAre(want(c.want_of_60)));
    EXPECT_THAT(Ask(large, {Percent(c.percent, 2000)}), ElementsAre(want(c.want_of_120)));
  }
}

TEST(Allocator, UnitsAreTheLowestFreeBits) {
  Inventory inventory;
  inventory.SetNode("n", {Card60("c")}, Ready());
  inventory.SetSlice("a", Held("n", "c", 2, 3, 100, 0, 0));
  const Answer answer = Allocate(inventory, {{Units(4, 100)}, Policy::kBinPack}, nullptr);
  const Assignment& got = std::get<Placement>(answer).assignments.at(0);
  EXPECT_EQ(got.units, CuMask(0b1100011, 0));
  EXPECT_EQ(got.pci_bus_id, "0000:33:00.0");
  EXPECT_EQ(got.pipe, 1);
  EXPECT_EQ(got.vdev, 1);
}

TEST(Allocator, WhatIsNotAskedIsAllOfTheCard) {
  NodeOptions options = Ready();
  options.memory_reserve = MiB{768};
  SliceRequest only_units;
  only_units.compute_units = 10;
  SliceRequest only_memory;
  only_memory.memory = MiB{1000};
  SliceRequest only_percent;
  only_percent.percent = 50;
  Inventory inventory;
  inventory.SetNode("n", {Card60("c")}, options);
  EXPECT_THAT(Ask(inventory, {only_units}), ElementsAre("n/c 10 32000 0 0"));
  EXPECT_THAT(Ask(inventory, {only_percent}), ElementsAre("n/c 30 32000 0 0"));
  EXPECT_THAT(Ask(inventory, {only_memory}), ElementsAre("n/c 60 1000 0 0"));
  EXPECT_THAT(Ask(inventory, {Whole()}), ElementsAre("n/c 60 32768 whole"))
      << "a whole card comes as it is";
  inventory.SetSlice("a", Held("n", "c", 0, 1, 1, 0, 0));
  EXPECT_THAT(Ask(inventory, {only_units}),
              ElementsAre("0/1 nodes fit: 1 too little card memory (most free 31999 MiB); "
                          "1 card: 1 too little memory"));
  EXPECT_THAT(Ask(inventory, {only_memory}),
              ElementsAre("0/1 nodes fit: 1 too few free compute units (most free 59); "
                          "1 card: 1 too few compute units"));
}

TEST(Allocator, ValuesBelowOneCountAsOne) {
  Inventory inventory;
  inventory.SetNode("n", {Card60("c")}, Ready());
  EXPECT_THAT(Ask(inventory, {Units(0, 0)}), ElementsAre("n/c 1 1 0 0"));
  EXPECT_THAT(Ask(inventory, {Percent(-5, -5)}), ElementsAre("n/c 1 1 0 0"));
}

TEST(Allocator, AFifthSliceFindsNoPipe) {
  Inventory inventory;
  inventory.SetNode("n", {Card60("c")}, Ready());
  const std::vector<SliceRequest> four(4, Units(1, 1));
  EXPECT_THAT(Ask(inventory, four),
              ElementsAre("n/c 1 1 0 0", "n/c 1 1 1 1", "n/c 1 1 2 2", "n/c 1 1 3 3"));
  for (int i = 0; i < 4; ++i) {
    inventory.SetSlice(std::to_string(i), Held("n", "c", i, 1, 1, i, i));
  }
  EXPECT_THAT(Ask(inventory, {Units(1, 1)}),
              ElementsAre("0/1 nodes fit: 1 no free slice (4 in use); 1 card: 1 no free slice"));
}

TEST(Allocator, AWholeCardNeedsACardOfItsOwn) {
  Inventory inventory;
  inventory.SetNode("n", {Card60("c1"), Card60("c2")}, Ready());
  inventory.SetSlice("a", Held("n", "c1", 0, 1, 1, 0, 0));
  EXPECT_THAT(Ask(inventory, {Whole()}), ElementsAre("n/c2 60 32768 whole"));
  inventory.SetSlice("b", HeldWhole("n", "c2"));
  EXPECT_THAT(Ask(inventory, {Whole()}),
              ElementsAre("0/1 nodes fit: 1 card in use; 2 cards: 2 in use"));
  EXPECT_THAT(Ask(inventory, {Units(1, 1)}), ElementsAre("n/c1 1 1 1 1"));
}

TEST(Allocator, SeveralWholeCardsAreOnOneNode) {
  Inventory inventory;
  inventory.SetNode("n1", {Card60("a1")}, Ready());
  inventory.SetNode("n2", {Card60("b1"), Card60("b2"), Card60("b3")}, Ready());
  EXPECT_THAT(Ask(inventory, {Whole(), Whole()}),
              ElementsAre("n2/b1 60 32768 whole", "n2/b2 60 32768 whole"));
  EXPECT_THAT(Ask(inventory, {Whole(), Units(30, 100)}),
              ElementsAre("n2/b1 60 32768 whole", "n2/b2 30 100 0 0"));
}

TEST(Allocator, BinPackTakesTheFullestNodeAndTheTightestCard) {
  Inventory inventory;
  inventory.SetNode("n1", {Card60("a1"), Card60("a2")}, Ready());
  inventory.SetNode("n2", {Card60("b1"), Card60("b2")}, Ready());
  inventory.SetSlice("1", Held("n2", "b2", 0, 30, 1000, 0, 0));
  EXPECT_THAT(Ask(inventory, {Units(30, 100)}), ElementsAre("n2/b2 30 100 1 1"));
  EXPECT_THAT(Ask(inventory, {Units(31, 100)}), ElementsAre("n2/b1 31 100 0 1"));
}

TEST(Allocator, SpreadTakesTheEmptiestNodeAndCardTheLowerNameOfEquals) {
  Inventory inventory;
  inventory.SetNode("n3", {Card60("c1"), Card60("c2")}, Ready());
  inventory.SetNode("n2", {Card60("b1"), Card60("b2")}, Ready());
  inventory.SetNode("n1", {Card60("a1"), Card60("a2")}, Ready());
  inventory.SetSlice("1", Held("n1", "a1", 0, 1, 1000, 0, 0));
  EXPECT_THAT(Ask(inventory, {Units(30, 100)}, Policy::kSpread), ElementsAre("n2/b1 30 100 0 0"));
  inventory.SetSlice("2", Held("n2", "b1", 0, 30, 1000, 0, 0));
  EXPECT_THAT(Ask(inventory, {Units(30, 100)}, Policy::kSpread), ElementsAre("n3/c1 30 100 0 0"));
  inventory.SetSlice("3", HeldWhole("n3", "c1"));
  EXPECT_THAT(Ask(inventory, {Units(30, 100)}, Policy::kSpread), ElementsAre("n1/a2 30 100 0 1"));
}

TEST(Allocator, OnlyUsableCardsOfReadyNodesAreGiven) {
  NodeOptions options = Ready();
  options.unschedulable_devices = {"c2"};
  Inventory inventory;
  inventory.SetNode("n0", {Card60("c0")}, NodeOptions{});
  inventory.SetNode("n1", {Sick(Card60("c1"), "EccErrors"), Card60("c2"), Mig(Card60("c3"))},
                    options);
  for (const SliceRequest& slice : {Units(1, 1), Whole()}) {
    EXPECT_THAT(Ask(inventory, {slice}),
                ElementsAre("0/2 nodes fit: 1 card in MIG mode, 1 node not ready: its daemon does "
                            "not report; 3 cards: 1 cordoned, 1 in MIG mode, 1 unhealthy "
                            "(EccErrors)"));
  }
  inventory.SetNode("n0", {Card60("c0")}, Ready());
  EXPECT_THAT(Ask(inventory, {Units(1, 1)}), ElementsAre("n0/c0 1 1 0 0"));
}

TEST(Allocator, SelectorsChooseCards) {
  Inventory inventory;
  inventory.SetNode("n", {Card60("c1"), Card120("c2"), Card120("c3")}, Ready());
  const struct {
    const char* sentence;
    DeviceSelector devices;
    const char* want_card;  // empty: refused
  } cases[] = {
      {"none", {}, "c1"},
      {"an exact model", {.models = {"K100_AI"}}, "c2"},
      {"one of two models", {.models = {"BW100", "K100_AI"}}, "c2"},
      {"a part is no exact model", {.models = {"K100"}}, ""},
      {"an excluded model", {.exclude_models = {"Z100L"}}, "c2"},
      {"all models excluded", {.exclude_models = {"Z100L", "K100_AI"}}, ""},
      {"a part in any case", {.model_parts = {"k100_ai"}}, "c2"},
      {"a part as others register it", {.model_parts = {"DCU-K100_AI"}}, "c2"},
      {"an excluded part", {.exclude_model_parts = {"z1"}}, "c2"},
      {"a uuid", {.uuids = {"c3"}}, "c3"},
      {"two uuids", {.uuids = {"c3", "c2"}}, "c2"},
      {"an excluded uuid", {.exclude_models = {"Z100L"}, .exclude_uuids = {"c2"}}, "c3"},
      {"a uuid of another model", {.models = {"Z100L"}, .uuids = {"c3"}}, ""},
      {"a uuid that nobody has", {.uuids = {"c9"}}, ""},
  };
  for (const auto& c : cases) {
    for (const SliceRequest& slice : {Units(1, 1), Whole()}) {
      const Answer answer = Allocate(inventory, {{On(slice, c.devices)}}, nullptr);
      const auto* placement = std::get_if<Placement>(&answer);
      EXPECT_EQ(placement ? placement->assignments.at(0).device : "", c.want_card) << c.sentence;
    }
  }
}

TEST(Allocator, BacktracksWhereGreedyFails) {
  Device other_model = Card60("c2");
  other_model.model = "Z100";
  const auto in_use = [](Inventory& inventory) {
    inventory.SetSlice("1", Held("n", "c1", 0, 20, 100, 0, 0));
  };
  const auto unused = [](Inventory&) {};
  const struct {
    const char* sentence;
    Device second;
    std::function<void(Inventory&)> prepare;
    DeviceSelector devices;
    std::vector<std::string> want;
  } cases[] = {
      {"the tightest card for the first slice is the only one that the second may have",
       Card60("c2"),
       in_use,
       {.uuids = {"c1"}},
       {"n/c2 40 100 0 1", "n/c1 30 100 1 2"}},
      {"of two cards alike the second slice may have one only",
       Card60("c2"),
       unused,
       {.uuids = {"c1"}},
       {"n/c2 40 100 0 0", "n/c1 30 100 0 1"}},
      {"two cards differ by model only",
       other_model,
       unused,
       {.models = {"Z100L"}},
       {"n/c2 40 100 0 0", "n/c1 30 100 0 1"}},
  };
  for (const auto& c : cases) {
    Inventory inventory;
    inventory.SetNode("n", {Card60("c1"), c.second}, Ready());
    c.prepare(inventory);
    EXPECT_EQ(Ask(inventory, {Units(40, 100), On(Units(30, 100), c.devices)}), c.want)
        << c.sentence;
  }
}

TEST(Allocator, CardsOfThePastDoNotChangeTheAnswer) {
  Inventory fresh;
  fresh.SetNode("n", {Card60("c1"), Card60("c2")}, Ready());
  Inventory aged;
  aged.SetNode("gone", {Card120("c0")}, Ready());
  aged.SetNode("n", {Card60("c1"), Card60("c2")}, Ready());
  aged.RemoveNode("gone");
  const std::vector<SliceRequest> slices = {Percent(50, 100), Units(40, 100)};
  EXPECT_THAT(Ask(fresh, slices), ElementsAre("n/c2 30 100 0 0", "n/c1 40 100 0 1"));
  EXPECT_EQ(Ask(aged, slices), Ask(fresh, slices));
}

TEST(Allocator, MemoryFreedWithoutUnitsIsFound) {
  NodeOptions options = Ready();
  options.memory_reserve = MiB{32000};
  Inventory inventory;
  inventory.SetNode("n", {Card60("c")}, options);
  ASSERT_THAT(Ask(inventory, {Units(1, 2000)}).at(0), ::testing::HasSubstr("largest 768 MiB"));
  inventory.SetNode("n", {Card60("c")}, Ready());
  EXPECT_THAT(Ask(inventory, {Units(1, 2000)}), ElementsAre("n/c 1 2000 0 0"));
}

TEST(Allocator, ManyEqualSlicesThatDoNotFitAreRefusedInFewSteps) {
  Inventory inventory;
  std::vector<Device> cards;
  for (int i = 0; i < 16; ++i) cards.push_back(Card60("c" + std::to_string(100 + i)));
  inventory.SetNode("n", cards, Ready());
  EXPECT_EQ(Ask(inventory, std::vector<SliceRequest>(32, Units(30, 100))).size(), 32u);
  EXPECT_THAT(Ask(inventory, std::vector<SliceRequest>(33, Units(30, 100))),
              ElementsAre("0/1 nodes fit: 1 room for only some of the slices; 16 cards: 16 room "
                          "for only some of the slices"));
}

TEST(Allocator, TheFilterIsAskedBestFirstUntilOnePasses) {
  Inventory inventory;
  inventory.SetNode("small", {Card60("c0")}, Ready());
  inventory.SetSlice("1", Held("small", "c0", 0, 60, 100, 0, 0));
  for (int i = 4; i >= 1; --i) {
    inventory.SetNode("n" + std::to_string(i), {Card60("c" + std::to_string(i))}, Ready());
  }
  std::vector<std::string> asked;
  const NodeFilter filter = [&](const std::string& node) -> std::optional<std::string> {
    asked.push_back(node);
    if (node < "n3") return "node has taint x";
    return std::nullopt;
  };
  EXPECT_THAT(Told(Allocate(inventory, {{Units(30, 100)}}, filter)),
              ElementsAre("n3/c3 30 100 0 0"));
  EXPECT_THAT(asked, ElementsAre("n1", "n2", "n3"));
}

TEST(Allocator, TheFilterIsNotAskedOfNodesWithoutRoomBesideTheirCards) {
  Inventory inventory;
  const auto add = [&](const std::string& name, const NodeNeeds& free) {
    inventory.SetNode(name, {Card60(name + "-c")}, Ready());
    inventory.SetRoom(name, free);
  };
  add("n1", {999, MiB{4096}});
  add("n2", {4000, MiB{1023}});
  add("n3", {1000, MiB{1024}});
  std::vector<std::string> asked;
  const NodeFilter filter = [&](const std::string& node) {
    asked.push_back(node);
    return std::optional<std::string>();
  };
  Request request{{Units(30, 100)}};
  request.node = {1000, MiB{1024}};
  for (const Policy policy : {Policy::kBinPack, Policy::kSpread, Policy::kFragmentationAware}) {
    request.policy = policy;
    asked.clear();
    EXPECT_THAT(Told(Allocate(inventory, request, filter)), ElementsAre("n3/n3-c 30 100 0 0"));
    EXPECT_THAT(asked, ElementsAre("n3"));
  }
  inventory.SetRoom("n1", {1000, MiB{1024}});
  EXPECT_THAT(Told(Allocate(inventory, request, filter)), ElementsAre("n1/n1-c 30 100 0 0"));
  inventory.SetRoom("n1", {-500, MiB{-1}});
  request.node = {};
  EXPECT_THAT(Told(Allocate(inventory, request, filter)), ElementsAre("n1/n1-c 30 100 0 0"))
      << "who asks for nothing fits where too much is promised";
}

TEST(Allocator, AllocateOnLooksAtNoOtherNode) {
  Inventory inventory;
  for (const char* name : {"n1", "n2", "n3"}) {
    inventory.SetNode(name, {Card60(std::string("c") + name)}, Ready());
  }
  const Request request{{Units(30, 100)}, Policy::kBinPack};
  EXPECT_THAT(Told(AllocateOn(inventory, request, {"n3", "n2", "n3"}, nullptr)),
              ElementsAre("n2/cn2 30 100 0 0"));
  inventory.SetSlice("1", HeldWhole("n3", "cn3"));
  EXPECT_THAT(Told(AllocateOn(inventory, request, {"n3", "n3", "n9"}, nullptr)),
              ElementsAre("0/2 nodes fit: 1 card in use, 1 node has reported no DCU cards; 1 card: "
                          "1 in use"));
}

TEST(Allocator, CardsThatVanishedAreNotGiven) {
  Inventory inventory;
  inventory.SetNode("n", {Card60("c1"), Card60("c2")}, Ready());
  inventory.SetSlice("1", Held("n", "c1", 0, 1, 1, 0, 0));
  inventory.SetNode("n", {Card60("c2")}, Ready());
  EXPECT_THAT(Ask(inventory, {Units(1, 1)}), ElementsAre("n/c2 1 1 0 1"));
  inventory.RemoveNode("n");
  EXPECT_THAT(Ask(inventory, {Units(1, 1)}),
              ElementsAre("0/0 nodes fit: no node has reported DCU cards"));
}

}  // namespace
}  // namespace vdcu::dcu
