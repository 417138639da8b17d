#include "tests/simulation/simulation.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <iostream>
#include <string>

#include "base/clock.h"
#include "base/log.h"

namespace vdcu::simulation {
namespace {

constexpr int kActions = 60;
constexpr base::Duration kTime{10'000};
constexpr unsigned kEnoughBy = 30;  // runs

unsigned FromEnvironment(const char* name, unsigned otherwise) {
  const char* given = std::getenv(name);
  return given ? static_cast<unsigned>(std::strtoul(given, nullptr, 10)) : otherwise;
}

void RunOnce(unsigned seed, Hazards hazards, Counts& counts) {
  SCOPED_TRACE("VDCU_TEST_SEED=" + std::to_string(seed));
  Simulation world(seed, hazards);
  for (int i = 0; i < kActions; ++i) {
    world.Act();
    ASSERT_EQ(world.WhatIsWrong(), "") << "after action " << i;
  }
  world.ComeToRest(Nodes::kAsTheyAre);
  ASSERT_EQ(world.WhatIsWrong(), "");
  ASSERT_EQ(world.WhatIsWrongAtRest(), "") << "nodes as they are";
  ASSERT_EQ(world.WhatIsLeftToDo(), "") << "nodes as they are";
  world.ComeToRest(Nodes::kMended);
  ASSERT_EQ(world.WhatIsWrong(), "");
  ASSERT_EQ(world.WhatIsWrongAtRest(), "");
  ASSERT_EQ(world.WhatIsLeftToDo(), "");
  world.DeleteAll();
  world.ComeToRest(Nodes::kMended);
  ASSERT_EQ(world.WhatIsWrong(), "");
  ASSERT_EQ(world.partitions(), 0u) << "a slice leaks";
  ASSERT_EQ(world.held(), 0u);
  counts.bound += world.counts().bound;
  counts.evicted += world.counts().evicted;
  counts.offered += world.counts().offered;
  counts.let += world.counts().let;
}

// Each seed fails where the mend of its fault is taken out.
TEST(Simulation, WhatFailedOnceHolds) {
  base::SetUpLogging(base::Level::kError, base::LogFormat::kText);
  Counts counts;
  // A create whose answer was lost, refused when it was repeated: its pod was forgotten, and what
  // it might have been given was given to another.
  RunOnce(10115U, Hazards::kAll, counts);
  // A slice that the daemon had refused kept its finalizer for as long as its pod awaited another,
  // which it could not get before.
  RunOnce(23U, Hazards::kArrivals, counts);
  // The daemon asked for a pod that its watch had not shown, and was told that it is there. It
  // ended before the watch was back, so nothing told of its end, and its slice was kept for ever.
  RunOnce(8050U, Hazards::kRefusals, counts);
}

// As many as there is time for, and until there has been enough of what the hazard is about;
// VDCU_TEST_SEED runs that one again, VDCU_TEST_RUNS so many from it.
void RunMany(Hazards hazards, const std::function<bool(const Counts&)>& enough) {
  base::SetUpLogging(base::Level::kError, base::LogFormat::kText);
  const unsigned first = FromEnvironment("VDCU_TEST_SEED", 1);
  const bool replay = std::getenv("VDCU_TEST_SEED") != nullptr;
  const unsigned most = FromEnvironment("VDCU_TEST_RUNS", replay ? 1 : 300);
  const bool all = std::getenv("VDCU_TEST_RUNS") != nullptr;
  const base::SystemClock clock;
  const auto begin = clock.Now();
  Counts counts;
  unsigned runs = 0;
  const auto goes_on = [&] {
    const bool early = clock.Now() - begin < kTime || (runs < kEnoughBy && !enough(counts));
    return runs < most && !testing::Test::HasFatalFailure() && (all || early);
  };
  while (goes_on()) RunOnce(first + runs++, hazards, counts);
  EXPECT_TRUE(replay || testing::Test::HasFatalFailure() || enough(counts));
  std::cout << runs << " runs from VDCU_TEST_SEED=" << first << ", " << counts.bound
            << " pods bound, " << counts.evicted << " evicted, " << counts.offered << " offered, "
            << counts.let << " let through\n";
}

bool SomeAreBound(const Counts& counts) { return counts.bound > 0; }

TEST(Simulation, NothingIsGrantedTwiceNothingLeaksAndAllThatFitsRuns) {
  RunMany(Hazards::kAll, SomeAreBound);
}

TEST(Simulation, GroupsAreBoundWholeOrNotAtAll) { RunMany(Hazards::kGroups, SomeAreBound); }

TEST(Simulation, WhoIsMoreImportantHasOthersEvicted) {
  RunMany(Hazards::kPriorities, [](const Counts& counts) { return counts.evicted > 0; });
}

TEST(Simulation, AlsoWhereRulesRefuseWhatIsWritten) { RunMany(Hazards::kRefusals, SomeAreBound); }

TEST(Simulation, AlsoWherePodsComeByThemselves) { RunMany(Hazards::kArrivals, SomeAreBound); }

TEST(Simulation, WhatOtherSchedulersAreOfferedNobodyElseGets) {
  RunMany(Hazards::kDoors,
          [](const Counts& counts) { return counts.offered > 0 && counts.let > 0; });
}

}  // namespace
}  // namespace vdcu::simulation
