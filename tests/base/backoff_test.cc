#include "base/backoff.h"

#include <climits>
#include <cstdint>

#include <gtest/gtest.h>

namespace vdcu::base {
namespace {

struct Case {
  int failures;
  double random;
  int64_t want_ms;
};

TEST(Backoff, DoublesUpToTheMostAndSpreadsOverTheUpperHalf) {
  const Backoff backoff{.first = Duration(800), .most = Duration(30'000)};
  const Case cases[] = {
      {1, 0.0, 400},     {1, 0.5, 600},       {1, 0.999, 799},        {2, 0.0, 800},
      {3, 0.0, 1600},    {6, 0.0, 12'800},    {7, 0.0, 15'000},       {7, 0.5, 22'500},
      {20, 0.0, 15'000}, {1000, 0.0, 15'000}, {INT_MAX, 0.0, 15'000}, {0, 0.0, 400},
  };
  for (const auto& [failures, random, want_ms] : cases) {
    EXPECT_EQ(backoff.Delay(failures, random).count(), want_ms) << failures << " " << random;
  }
}

}  // namespace
}  // namespace vdcu::base
