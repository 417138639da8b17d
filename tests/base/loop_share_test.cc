#include "base/http/loop_share.h"

#include <gtest/gtest.h>

namespace vdcu::base {
namespace {

using Time = LoopShare::Time;

// Turns of `took`, each as soon as it may be, until `end`. Returns what they took together.
Time Greedy(LoopShare& share, Time now, Time end, Time took) {
  Time sum{0};
  while (now < end) {
    share.Begin(now);
    now += took;
    sum += took;
    now += share.End(now);
  }
  return sum;
}

TEST(LoopShare, WhoTakesAllThatHeMayHasAFifth) {
  for (const Time took : {Time(3), Time(50), Time(1'000), Time(20'000)}) {
    LoopShare share;
    const Time second(1'000'000);
    // And the burst that it begins with, and the last turn.
    EXPECT_LE(Greedy(share, second, 2 * second, took), second / 5 + Time(5'000) + took)
        << took.count();
    EXPECT_GE(Greedy(share, 2 * second, 3 * second, took), second / 5 - took) << took.count();
  }
}

TEST(LoopShare, AnExchangeNowAndThenIsNotHeldUp) {
  LoopShare share;
  Time now(1'000'000);
  for (int exchange = 0; exchange < 1'000; ++exchange) {
    for (int turn = 0; turn < 4; ++turn) {
      share.Begin(now);
      now += Time(100);
      ASSERT_EQ(share.End(now), Time(0)) << exchange << ", turn " << turn;
    }
    now += Time(2'000);
  }
}

TEST(LoopShare, ALongSilenceEarnsNoMoreThanABurst) {
  LoopShare share;
  share.Begin(Time(1'000'000));
  share.End(Time(1'000'000));
  share.Begin(Time(900'000'000));
  EXPECT_EQ(share.End(Time(900'015'000)), Time(4 * 10'000));
}

}  // namespace
}  // namespace vdcu::base
