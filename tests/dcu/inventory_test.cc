#include "dcu/inventory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/dcu/cards.h"

namespace vdcu::dcu {
namespace {

using ::testing::ElementsAre;

class InventoryTest : public ::testing::Test {
 protected:
  InventoryTest() { inventory_.SetNode("n1", {Card60("c1"), Card60("c2")}, Ready()); }

  const Card& CardOf(const std::string& uuid) {
    const Card* card = inventory_.Find("n1")->FindCard(uuid);
    EXPECT_NE(card, nullptr) << uuid;
    return *card;
  }

  Inventory inventory_;
};

TEST_F(InventoryTest, AnUnusedCardIsFree) {
  const Card& card = CardOf("c1");
  EXPECT_EQ(card.FreeUnits(), CuMask::FirstUnits(60));
  EXPECT_EQ(card.FreeMemory(), MiB{32768});
  EXPECT_EQ(card.FreePipes(), 0b1111);
  EXPECT_TRUE(card.unused());
  EXPECT_THAT(inventory_.Find("n1")->LowestFreeVdevs(2), ElementsAre(0, 1));
}

TEST_F(InventoryTest, ASliceTakesItsUnitsMemoryPipeAndVdev) {
  inventory_.SetSlice("a", Held("n1", "c1", 0, 9, 2000, 1, 0));
  const Card& card = CardOf("c1");
  EXPECT_EQ(card.FreeUnits(), CuMask::FirstUnits(60) & ~CuMask::FirstUnits(9));
  EXPECT_EQ(card.FreeMemory(), MiB{30768});
  EXPECT_EQ(card.FreePipes(), 0b1101);
  EXPECT_EQ(card.slice_count, 1u);
  EXPECT_TRUE(inventory_.HasSlice("a"));
  EXPECT_THAT(inventory_.Find("n1")->LowestFreeVdevs(2), ElementsAre(1, 2));
  EXPECT_TRUE(CardOf("c2").unused());
}

TEST_F(InventoryTest, SettingASliceTwiceCountsItOnce) {
  for (int i = 0; i < 2; ++i) inventory_.SetSlice("a", Held("n1", "c1", 0, 9, 2000, 1, 0));
  EXPECT_EQ(CardOf("c1").FreeMemory(), MiB{30768});
  EXPECT_EQ(CardOf("c1").slice_count, 1u);
  EXPECT_EQ(inventory_.slice_count(), 1u);
}

TEST_F(InventoryTest, SettingASliceAnewMovesIt) {
  inventory_.SetSlice("a", Held("n1", "c1", 0, 9, 2000, 1, 0));
  inventory_.SetSlice("a", Held("n1", "c2", 5, 5, 1000, 0, 3));
  EXPECT_TRUE(CardOf("c1").unused());
  EXPECT_EQ(CardOf("c2").FreeUnits().Count(), 55);
  EXPECT_THAT(inventory_.Find("n1")->LowestFreeVdevs(4), ElementsAre(0, 1, 2, 4));
}

TEST_F(InventoryTest, RemovingASliceSaysWhetherItWasThere) {
  inventory_.SetSlice("a", Held("n1", "c1", 0, 9, 2000, 1, 0));
  EXPECT_TRUE(inventory_.RemoveSlice("a"));
  EXPECT_FALSE(inventory_.RemoveSlice("a"));
  EXPECT_TRUE(CardOf("c1").unused());
  EXPECT_EQ(CardOf("c1").FreeUnits().Count(), 60);
}

TEST_F(InventoryTest, OverlappingSlicesCountAsTheirUnionAndStillDoWithoutOne) {
  inventory_.SetSlice("a", Held("n1", "c1", 0, 20, 1000, 1, 0));
  inventory_.SetSlice("b", Held("n1", "c1", 10, 20, 2000, 1, 0));
  inventory_.SetSlice("c", Held("n1", "c1", 0, 30, 3000, 2, 1));
  EXPECT_EQ(CardOf("c1").FreeUnits(), CuMask::FirstUnits(60) & ~CuMask::FirstUnits(30));
  EXPECT_EQ(CardOf("c1").FreeMemory(), MiB{26768});
  EXPECT_EQ(CardOf("c1").FreePipes(), 0b1001);
  inventory_.RemoveSlice("c");
  EXPECT_EQ(CardOf("c1").FreeUnits().Count(), 30);
  EXPECT_EQ(CardOf("c1").FreePipes(), 0b1101);
  inventory_.RemoveSlice("a");
  EXPECT_EQ(CardOf("c1").FreeUnits().Count(), 40);
  EXPECT_EQ(CardOf("c1").FreeMemory(), MiB{30768});
  EXPECT_EQ(CardOf("c1").FreePipes(), 0b1101);
  EXPECT_THAT(inventory_.Find("n1")->LowestFreeVdevs(1), ElementsAre(1));
}

TEST_F(InventoryTest, FourSlicesLeaveNoPipeWhateverTheirPipesAre) {
  for (int i = 0; i < 4; ++i) {
    inventory_.SetSlice(std::to_string(i), Held("n1", "c1", i, 1, 1, 0, i));
  }
  EXPECT_EQ(CardOf("c1").FreePipes(), 0);
  inventory_.RemoveSlice("2");
  EXPECT_EQ(CardOf("c1").FreePipes(), 0b1110);
}

TEST_F(InventoryTest, SlicesPastTheCardNeverMakeNegativeRoom) {
  Assignment beyond = Held("n1", "c1", 0, 128, 40'000, 9, -3);
  inventory_.SetSlice("a", beyond);
  EXPECT_EQ(CardOf("c1").FreeUnits(), CuMask());
  EXPECT_EQ(CardOf("c1").FreeMemory(), MiB{0});
  EXPECT_EQ(CardOf("c1").FreePipes(), 0b1111);
  beyond.memory = MiB{-5};
  inventory_.SetSlice("a", beyond);
  EXPECT_EQ(CardOf("c1").FreeMemory(), MiB{32768});
}

TEST_F(InventoryTest, AWholeCardLeavesNothing) {
  inventory_.SetSlice("a", HeldWhole("n1", "c1"));
  EXPECT_TRUE(CardOf("c1").taken_whole);
  EXPECT_EQ(CardOf("c1").FreeUnits(), CuMask());
  EXPECT_EQ(CardOf("c1").FreeMemory(), MiB{0});
  EXPECT_EQ(CardOf("c1").FreePipes(), 0);
  EXPECT_THAT(inventory_.Find("n1")->LowestFreeVdevs(1), ElementsAre(0));
  inventory_.RemoveSlice("a");
  EXPECT_EQ(CardOf("c1").FreePipes(), 0b1111);
}

TEST_F(InventoryTest, SlicesMayComeBeforeTheirNodeAndCard) {
  inventory_.SetSlice("a", Held("n2", "c9", 0, 9, 2000, 0, 0));
  EXPECT_EQ(inventory_.Find("n2"), nullptr);
  EXPECT_EQ(inventory_.node_count(), 1u);
  inventory_.SetNode("n2", {Card60("c8")}, Ready());
  EXPECT_FALSE(inventory_.Find("n2")->FindCard("c9")->reported);
  inventory_.SetNode("n2", {Card60("c8"), Card60("c9")}, Ready());
  EXPECT_EQ(inventory_.Find("n2")->FindCard("c9")->FreeUnits().Count(), 51);
  EXPECT_EQ(inventory_.node_count(), 2u);
}

TEST_F(InventoryTest, ACardThatVanishesAndComesBackStillHasItsSlices) {
  inventory_.SetSlice("a", Held("n1", "c1", 0, 9, 2000, 0, 0));
  inventory_.SetSlice("b", Held("n1", "c2", 0, 9, 2000, 0, 1));
  inventory_.SetNode("n1", {Card60("c2")}, Ready());
  EXPECT_FALSE(CardOf("c1").reported);
  EXPECT_THAT(inventory_.Find("n1")->LowestFreeVdevs(1), ElementsAre(2));
  inventory_.SetNode("n1", {Card60("c1"), Card60("c2")}, Ready());
  EXPECT_EQ(CardOf("c1").FreeUnits().Count(), 51);
  EXPECT_TRUE(inventory_.RemoveSlice("a"));
  EXPECT_EQ(CardOf("c1").FreeUnits().Count(), 60);
  EXPECT_EQ(CardOf("c2").FreeUnits().Count(), 51);
}

TEST_F(InventoryTest, ANodeThatVanishesAndComesBackStillHasItsSlices) {
  inventory_.SetSlice("a", Held("n1", "c1", 0, 9, 2000, 0, 0));
  inventory_.RemoveNode("n1");
  EXPECT_EQ(inventory_.Find("n1"), nullptr);
  EXPECT_EQ(inventory_.node_count(), 0u);
  inventory_.SetNode("n1", {Card60("c1")}, Ready());
  EXPECT_EQ(CardOf("c1").FreeUnits().Count(), 51);
}

TEST_F(InventoryTest, NothingIsKeptOfWhatIsGone) {
  inventory_.SetSlice("a", Held("n1", "c1", 0, 9, 2000, 0, 0));
  inventory_.SetSlice("b", Held("n2", "c9", 0, 9, 2000, 0, 0));
  inventory_.RemoveNode("n1");
  inventory_.RemoveSlice("a");
  inventory_.RemoveSlice("b");
  inventory_.RemoveNode("n1");
  EXPECT_TRUE(inventory_.nodes().empty());
  EXPECT_TRUE(inventory_.NodesWithCard("c1").empty());
}

TEST_F(InventoryTest, TheReserveIsKeptFromSlices) {
  NodeOptions options = Ready();
  options.memory_reserve = MiB{768};
  inventory_.SetNode("n1", {Card60("c1")}, options);
  EXPECT_EQ(CardOf("c1").FreeMemory(), MiB{32000});
  EXPECT_EQ(CardOf("c1").memory, MiB{32768});
  options.memory_reserve = MiB{100'000};
  inventory_.SetNode("n1", {Card60("c1")}, options);
  EXPECT_EQ(CardOf("c1").FreeMemory(), MiB{0});
}

TEST_F(InventoryTest, OccupiedVdevNumbersAreNotFree) {
  NodeOptions options = Ready();
  options.occupied_vdevs = {0, 2};
  inventory_.SetNode("n1", {Card60("c1")}, options);
  inventory_.SetSlice("a", Held("n1", "c1", 0, 9, 2000, 0, 3));
  EXPECT_EQ(inventory_.Find("n1")->LowestFreeVdevs(3), (std::vector<int>{1, 4, 5}));
  inventory_.SetNode("n1", {Card60("c1")}, Ready());
  EXPECT_EQ(inventory_.Find("n1")->LowestFreeVdevs(3), (std::vector<int>{0, 1, 2}));
}

TEST_F(InventoryTest, OnlyHealthySchedulableVdcuCardsAreUsable) {
  NodeOptions options = Ready();
  options.unschedulable_devices = {"c2"};
  inventory_.SetNode("n1",
                     {Sick(Card60("c1"), "EccErrors"), Card60("c2"), Mig(Card60("c3")),
                      Card60("c4"), Sick(Card60("c5"), "")},
                     options);
  EXPECT_EQ(*CardOf("c1").reason, "EccErrors");
  EXPECT_EQ(*CardOf("c5").reason, "Unknown");
  EXPECT_FALSE(CardOf("c1").usable());
  EXPECT_FALSE(CardOf("c2").usable());
  EXPECT_FALSE(CardOf("c3").usable());
  EXPECT_TRUE(CardOf("c4").usable());
}

TEST_F(InventoryTest, ACardReportedTwiceIsOneCard) {
  inventory_.SetNode("n1", {Card60("c1"), Card60("c1")}, Ready());
  EXPECT_EQ(inventory_.Find("n1")->cards.size(), 1u);
}

}  // namespace
}  // namespace vdcu::dcu
