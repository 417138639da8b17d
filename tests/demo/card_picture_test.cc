#include "demo/card_picture.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace vdcu::demo {
namespace {

crds::DcuNode NodeWithCard(int units) {
  crds::DcuNode node;
  node.meta.name = "n";
  dcu::Device card;
  card.uuid = "DCU-1";
  card.model = "Z100L";
  card.compute_units = units;
  card.memory = dcu::MiB{100};
  node.status.devices.push_back(card);
  return node;
}

crds::VdcuPartition Slice(const std::string& name, dcu::CuMask units, std::optional<int> pipe) {
  crds::VdcuPartition partition;
  partition.meta.ns = "default";
  partition.meta.name = name;
  partition.spec.assignment = dcu::Assignment{.node = "n",
                                              .device = "DCU-1",
                                              .pci_bus_id = "",
                                              .compute_units = units.Count(),
                                              .units = units,
                                              .memory = dcu::MiB{7},
                                              .pipe = pipe,
                                              .vdev = pipe};
  return partition;
}

TEST(CardPicture, AFreeCardIsOneLine) {
  EXPECT_EQ(DrawCards({NodeWithCard(60)}, {}, false),
            "n\n  card 0  Z100L  DCU-1: 60 units, 100 MiB, all free\n");
}

TEST(CardPicture, EachUnitShowsItsSliceInTheOrderOfPipes) {
  const auto picture = DrawCards(
      {NodeWithCard(8)},
      {Slice("second", dcu::CuMask(0b11000, 0), 1), Slice("first", dcu::CuMask(0b11, 0), 0)},
      false);
  EXPECT_EQ(picture,
            "n\n  card 0  Z100L  DCU-1: 8 units, 100 MiB\n"
            "    aa.bb...\n"
            "      a default/first: 2 units, 7 MiB, pipe 0, vdev 0\n"
            "      b default/second: 2 units, 7 MiB, pipe 1, vdev 1\n");
}

TEST(CardPicture, RowsAreTheMasksOfAVdevFileAndEndWithTheCard) {
  const auto picture = DrawCards({NodeWithCard(66)}, {Slice("p", {1, 2}, std::nullopt)}, false);
  EXPECT_NE(picture.find("    a" + std::string(63, '.') + "\n    .a\n"), std::string::npos)
      << picture;
  EXPECT_NE(picture.find("the whole card"), std::string::npos) << picture;
}

TEST(CardPicture, AUnitGrantedTwiceStandsOut) {
  const auto picture =
      DrawCards({NodeWithCard(4)}, {Slice("p", {3, 0}, 0), Slice("q", {6, 0}, 1)}, false);
  EXPECT_NE(picture.find("    a!b.\n"), std::string::npos) << picture;
}

TEST(CardPicture, ANodesSlicesAreNotDrawnOnAnother) {
  auto elsewhere = Slice("p", {3, 0}, 0);
  elsewhere.spec.assignment->node = "m";
  EXPECT_NE(DrawCards({NodeWithCard(4)}, {elsewhere}, false).find("all free"), std::string::npos);
}

TEST(CardPicture, HoldersAreNamed) {
  auto reserved = Slice("p", {1, 0}, 0);
  reserved.status.used_by = crds::PodRef{"user", "uid", "main"};
  auto node = NodeWithCard(4);
  node.status.held.push_back({"u", *Slice("q", {2, 0}, 1).spec.assignment, "gone", ""});
  const auto picture = DrawCards({node}, {reserved}, false);
  EXPECT_NE(picture.find("    ab..\n"), std::string::npos) << picture;
  EXPECT_NE(picture.find("a default/p, pod user:"), std::string::npos) << picture;
  EXPECT_NE(picture.find("b still held by pod gone:"), std::string::npos) << picture;
}

TEST(CardPicture, ColourOnlyWhenAsked) {
  const std::vector partitions{Slice("p", {3, 0}, 0)};
  EXPECT_EQ(DrawCards({NodeWithCard(4)}, partitions, false).find('\x1b'), std::string::npos);
  EXPECT_NE(DrawCards({NodeWithCard(4)}, partitions, true).find("\x1b[30;42maa\x1b[0m.."),
            std::string::npos);
}

TEST(CardPicture, ASickCardSaysWhy) {
  auto node = NodeWithCard(4);
  node.status.devices[0].healthy = false;
  node.status.devices[0].reason = "DriverUnbound";
  EXPECT_NE(DrawCards({node}, {}, false).find("not healthy: DriverUnbound"), std::string::npos);
}

}  // namespace
}  // namespace vdcu::demo
