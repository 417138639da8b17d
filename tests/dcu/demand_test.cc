// Which kinds of requests count.
#include "dcu/demand.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/dcu/cards.h"

namespace vdcu::dcu {
namespace {

using Changes = std::vector<std::pair<int, int>>;  // cpu of the kind, count

class DemandTest : public ::testing::Test {
 protected:
  // Kinds differ by their cpu.
  Changes Add(int cpu, int count) {
    Changes told;
    for (const auto& change : demand_.Add({Percent(50, 100)}, {cpu, MiB{10}}, count)) {
      told.emplace_back(static_cast<int>(change.kind.cpu), change.count);
    }
    return told;
  }

  Demand demand_;
};

TEST_F(DemandTest, TellsHowOftenAKindIsAskedForFromNowOn) {
  EXPECT_EQ(Add(1, 2), (Changes{{1, 2}}));
  EXPECT_EQ(Add(1, 3), (Changes{{1, 5}}));
  EXPECT_EQ(demand_.requests(), 5);
  EXPECT_EQ(demand_.cpu(), 5);
  EXPECT_EQ(demand_.memory(), 50);
  EXPECT_EQ(Add(1, -5), (Changes{{1, 0}}));
  EXPECT_TRUE(demand_.empty());
}

TEST_F(DemandTest, WholeCardsOfOneRequestAreOneKindAndSlicesAreApart) {
  const auto whole = demand_.Add({SliceRequest{}, SliceRequest{}}, {8, MiB{1}}, 1);
  ASSERT_EQ(whole.size(), 1U);
  EXPECT_EQ(whole.front().kind, (DemandKind{SliceRequest{}, 2, 8}));
  const auto slices = demand_.Add({Percent(50, 100), Percent(20, 100)}, {8, MiB{1}}, 1);
  ASSERT_EQ(slices.size(), 2U);
  EXPECT_EQ(slices.front().kind, (DemandKind{Percent(20, 100), 1, 4}));
  EXPECT_EQ(slices.back().kind, (DemandKind{Percent(50, 100), 1, 4}));
}

TEST_F(DemandTest, OnlyTheMostFrequentKindsCount) {
  const int most = static_cast<int>(Demand::kMostKinds);
  for (int cpu = 1; cpu <= most; ++cpu) Add(cpu, 2);
  EXPECT_EQ(Add(most + 1, 1), Changes{}) << "the rarest";
  EXPECT_EQ(Add(most + 1, 1), Changes{}) << "as rare as others, which come first in order";
  EXPECT_EQ(Add(most + 1, 1), (Changes{{most, 0}, {most + 1, 3}}));
  EXPECT_EQ(Add(most + 1, -3), (Changes{{most + 1, 0}, {most, 2}})) << "the other counts again";
}

}  // namespace
}  // namespace vdcu::dcu
