#include "dcu/cu_mask.h"

#include <gtest/gtest.h>

namespace vdcu::dcu {
namespace {

TEST(CuMask, FirstUnitsCrossesTheWords) {
  EXPECT_EQ(CuMask::FirstUnits(0), CuMask());
  EXPECT_EQ(CuMask::FirstUnits(9), CuMask(0x1ff, 0));
  EXPECT_EQ(CuMask::FirstUnits(64), CuMask(~0ull, 0));
  EXPECT_EQ(CuMask::FirstUnits(65), CuMask(~0ull, 1));
  EXPECT_EQ(CuMask::FirstUnits(128), CuMask(~0ull, ~0ull));
  EXPECT_EQ(CuMask::FirstUnits(120).Count(), 120);
}

TEST(CuMask, LowestTakesTheLowestBitsOverHoles) {
  const CuMask odd(0xaaaaaaaaaaaaaaaa, 0xf0);
  EXPECT_EQ(odd.Lowest(0), CuMask());
  EXPECT_EQ(odd.Lowest(3), CuMask(0x2a, 0));
  EXPECT_EQ(odd.Lowest(32), CuMask(0xaaaaaaaaaaaaaaaa, 0));
  EXPECT_EQ(odd.Lowest(34), CuMask(0xaaaaaaaaaaaaaaaa, 0x30));
  EXPECT_EQ(odd.Lowest(36), odd);
  EXPECT_EQ(CuMask(0xff00ff00, 0).Lowest(12), CuMask(0x0f00ff00, 0));
  const CuMask all(~0ull, ~0ull);
  EXPECT_EQ(all.Lowest(64), CuMask(~0ull, 0));
  EXPECT_EQ(all.Lowest(65), CuMask(~0ull, 1));
  EXPECT_EQ(all.Lowest(128), all);
}

TEST(CuMask, LinesAreSixteenLowerCaseDigits) {
  const auto lines = CuMask(0x1ff, 0xabcdef).Lines();
  EXPECT_EQ(lines[0], "0x00000000000001ff");
  EXPECT_EQ(lines[1], "0x0000000000abcdef");
}

TEST(CuMask, ParseReadsWhatLinesWrites) {
  for (const CuMask mask : {CuMask(), CuMask(0x1ff, 0), CuMask(~0ull, ~0ull), CuMask(1, 1)}) {
    const auto lines = mask.Lines();
    const auto parsed = CuMask::Parse(lines[0], lines[1]);
    ASSERT_TRUE(parsed.has_value());
    EXPECT_EQ(*parsed, mask);
  }
}

TEST(CuMask, ParseRefusesOtherShapes) {
  const std::string zero = "0x0000000000000000";
  for (const char* bad : {"", "0x", "0x1ff", "00000000000001ff", "0x00000000000001FF",
                          "0X00000000000001ff", "0x000000000000001ff", "0x00000000000001fg",
                          " 0x00000000000001ff", "0x-000000000000001", "0x0000000000000000\n"}) {
    EXPECT_FALSE(CuMask::Parse(bad, zero).has_value()) << bad;
    EXPECT_FALSE(CuMask::Parse(zero, bad).has_value()) << bad;
  }
  EXPECT_EQ(CuMask::Parse("0x1", zero).error().code, base::ErrorCode::kInvalid);
  EXPECT_EQ(CuMask::Parse("0x1", zero).error().message,
            "cu_mask \"0x1\": want 0x and 16 lower-case hex digits");
}

}  // namespace
}  // namespace vdcu::dcu
