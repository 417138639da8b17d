#include "dcu/card_prices.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace vdcu::dcu {
namespace {

TEST(CardPrices, WithoutDemandAPartIsWorthAPart) {
  const CardPrices prices({});
  EXPECT_DOUBLE_EQ(prices.Of(25, 4), 0.25);
  EXPECT_DOUBLE_EQ(prices.Of(100, 1), 1);
  EXPECT_DOUBLE_EQ(prices.Of(100, 0), 0) << "no slice can come";
}

TEST(CardPrices, WhatNoRequestCanUseIsWorthNothing) {
  struct Case {
    std::string name;
    std::vector<DemandedSize> sizes;
    int parts;
    int slices;
    double want;
  };
  for (const Case& c :
       std::vector<Case>{{"a whole card is asked for", {{100, 5}}, 99, 4, 0},
                         {"and is there", {{100, 5}}, 100, 4, 1},
                         {"a half", {{50, 3}}, 50, 2, 0.5},
                         {"less than a half", {{50, 3}}, 49, 4, 0},
                         {"more than a half", {{50, 3}}, 99, 4, 0.5},
                         {"two halves, of which one may come", {{50, 3}}, 100, 1, 0.5},
                         {"a third, of a third and a half", {{33, 9}, {50, 1}}, 33, 4, 1.0 / 3},
                         {"large ones with small ones beside them", {{60, 1}, {40, 3}}, 60, 4, 0.5},
                         {"the small ones", {{60, 1}, {40, 3}}, 40, 4, 0.5},
                         {"too small for any", {{60, 1}, {40, 3}}, 39, 4, 0},
                         {"81 of which nothing fits beside", {{81, 4}, {20, 1}}, 81, 4, 1}}) {
    EXPECT_NEAR(CardPrices(c.sizes).Of(c.parts, c.slices), c.want, 1e-6) << c.name;
  }
}

TEST(CardPrices, MoreIsNeverWorthLessAndNothingMoreThanACard) {
  constexpr unsigned kSeed = 20261127;
  std::mt19937 random(kSeed);
  for (int run = 0; run < 200; ++run) {
    SCOPED_TRACE("seed " + std::to_string(kSeed) + " run " + std::to_string(run));
    std::vector<DemandedSize> sizes;
    for (int parts = 1 + static_cast<int>(random() % 20); parts <= kCardParts;
         parts += 1 + static_cast<int>(random() % 30)) {
      sizes.push_back({parts, 1.0 + static_cast<double>(random() % 1000)});
    }
    const CardPrices prices(sizes);
    for (int slices = 0; slices <= kMaxSlicesPerCard; ++slices) {
      for (int parts = 0; parts <= kCardParts; ++parts) {
        const double worth = prices.Of(parts, slices);
        ASSERT_GE(worth, 0);
        ASSERT_LE(worth, 1 + 1e-9);
        ASSERT_GE(worth, prices.Of(std::max(parts - 1, 0), slices));
        ASSERT_GE(worth, prices.Of(parts, std::max(slices - 1, 0)));
      }
    }
    ASSERT_NEAR(prices.Of(kCardParts, kMaxSlicesPerCard), 1, 1e-9);
  }
}

}  // namespace
}  // namespace vdcu::dcu
