#include "tests/fakes/simulated_loop.h"

#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace vdcu::fakes {
namespace {

using base::Duration;

TEST(SimulatedLoop, TimersFireInOrderOfTimeAtTheirTime) {
  SimulatedLoop loop;
  const auto start = loop.clock().Now();
  std::vector<std::pair<std::string, int64_t>> fired;
  const auto note = [&](const char* name) {
    return [&fired, &loop, start, name] {
      fired.emplace_back(name, (loop.clock().Now() - start).count());
    };
  };
  const auto late = loop.MakeTimer(note("late"));
  const auto early = loop.MakeTimer(note("early"));
  const auto also_early = loop.MakeTimer(note("also early"));
  late->Start(Duration(30));
  early->Start(Duration(10));
  also_early->Start(Duration(10));
  EXPECT_EQ(loop.NextTimer(), start + Duration(10));

  loop.Advance(Duration(9));
  EXPECT_TRUE(fired.empty());
  loop.Advance(Duration(100));
  const std::vector<std::pair<std::string, int64_t>> want{
      {"early", 10}, {"also early", 10}, {"late", 30}};
  EXPECT_EQ(fired, want);
  EXPECT_EQ(loop.clock().Now() - start, Duration(109));
  EXPECT_FALSE(loop.NextTimer());
}

TEST(SimulatedLoop, AStartReplacesAnEarlierOneAndAStopTakesItBack) {
  SimulatedLoop loop;
  int fired = 0;
  const auto timer = loop.MakeTimer([&] { ++fired; });
  timer->Start(Duration(10));
  timer->Start(Duration(20));
  loop.Advance(Duration(10));
  EXPECT_EQ(fired, 0);
  EXPECT_TRUE(timer->armed());
  loop.Advance(Duration(10));
  EXPECT_EQ(fired, 1);
  EXPECT_FALSE(timer->armed());
  timer->Start(Duration(5));
  timer->Stop();
  loop.Advance(Duration(10));
  EXPECT_EQ(fired, 1);
}

TEST(SimulatedLoop, ATimerMayStartItselfAgainOrDestroyItself) {
  SimulatedLoop loop;
  int ticks = 0;
  base::TimerPtr timer;
  timer = loop.MakeTimer([&] {
    if (++ticks == 3) {
      timer.reset();
    } else {
      timer->Start(Duration(10));
    }
  });
  timer->Start(Duration(10));
  loop.Advance(Duration(1000));
  EXPECT_EQ(ticks, 3);
  EXPECT_EQ(timer, nullptr);
}

TEST(SimulatedLoop, PostedWorkRunsInOrderAndNeverInsidePost) {
  SimulatedLoop loop;
  std::string seen;
  loop.Post([&] {
    seen += 'a';
    loop.Post([&] { seen += 'c'; });
    seen += 'b';
  });
  EXPECT_TRUE(seen.empty());
  EXPECT_EQ(loop.RunPosted(), 2U);
  EXPECT_EQ(seen, "abc");
}

TEST(SimulatedLoop, WorkPostedByATimerRunsAtThatTime) {
  SimulatedLoop loop;
  const auto start = loop.clock().Now();
  base::TimePoint ran;
  const auto timer = loop.MakeTimer([&] { loop.Post([&] { ran = loop.clock().Now(); }); });
  timer->Start(Duration(10));
  loop.Advance(Duration(50));
  EXPECT_EQ(ran - start, Duration(10));
}

TEST(SimulatedLoop, PostWorksFromOtherThreads) {
  SimulatedLoop loop;
  int ran = 0;
  std::thread other([&] { loop.Post([&] { ++ran; }); });
  other.join();
  loop.Advance(Duration(0));
  EXPECT_EQ(ran, 1);
}

}  // namespace
}  // namespace vdcu::fakes
