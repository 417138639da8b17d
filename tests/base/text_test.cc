#include "base/text.h"

#include <gtest/gtest.h>

#include <string>

namespace vdcu::base {
namespace {

TEST(Trim, LeavesWhatStandsBetweenWhiteSpace) {
  EXPECT_EQ(Trim(" \t a b\r\n"), "a b");
  EXPECT_EQ(Trim("a"), "a");
  EXPECT_EQ(Trim(" \n"), "");
  EXPECT_EQ(Trim(""), "");
}

TEST(Cut, NeverHalfACharacterAndSaysThatItCut) {
  const std::string umlaut = "\xC3\xA4";
  EXPECT_EQ(Cut("abcdef", 6), "abcdef");
  EXPECT_EQ(Cut("abcdefg", 6), "abc...");
  EXPECT_EQ(Cut("ab" + umlaut + umlaut, 5), "ab...");
  EXPECT_EQ(Cut("a" + umlaut + umlaut + umlaut, 6), "a" + umlaut + "...");
  EXPECT_EQ(Cut("abcd", 3), "...");
  EXPECT_EQ(Cut(std::string(4096, 'x')).size(), kMostMessage);
}

TEST(Quote, IsShort) {
  EXPECT_EQ(Quote("binpack"), "\"binpack\"");
  EXPECT_EQ(Quote(std::string(64 << 10, 'x')), '"' + std::string(97, 'x') + "...\"");
}

}  // namespace
}  // namespace vdcu::base
