#include "tests/simulation/simulation.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <string>

#include "base/clock.h"
#include "base/log.h"

namespace vdcu::simulation {
namespace {

constexpr int kActions = 60;
constexpr base::Duration kTime{10'000};

unsigned FromEnvironment(const char* name, unsigned otherwise) {
  const char* given = std::getenv(name);
  return given ? static_cast<unsigned>(std::strtoul(given, nullptr, 10)) : otherwise;
}

void RunOnce(unsigned seed, Hazards hazards, int& bound) {
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
  bound += world.bound();
}

// Each seed fails where the mend of its fault is taken out.
TEST(Simulation, WhatFailedOnceHolds) {
  base::SetUpLogging(base::Level::kError, base::LogFormat::kText);
  int bound = 0;
  // A create whose answer was lost, refused when it was repeated: its pod was forgotten, and what
  // it might have been given was given to another.
  RunOnce(10115U, Hazards::kAll, bound);
  // A slice that the daemon had refused kept its finalizer for as long as its pod awaited another,
  // which it could not get before.
  RunOnce(23U, Hazards::kArrivals, bound);
}

// As many as there is time for; VDCU_TEST_SEED runs that one again, VDCU_TEST_RUNS so many from it.
void RunMany(Hazards hazards) {
  base::SetUpLogging(base::Level::kError, base::LogFormat::kText);
  const unsigned first = FromEnvironment("VDCU_TEST_SEED", 1);
  const bool replay = std::getenv("VDCU_TEST_SEED") != nullptr;
  const unsigned most = FromEnvironment("VDCU_TEST_RUNS", replay ? 1 : 300);
  const bool all = std::getenv("VDCU_TEST_RUNS") != nullptr;
  const base::SystemClock clock;
  const auto begin = clock.Now();
  int bound = 0;
  unsigned runs = 0;
  while (runs < most && !testing::Test::HasFatalFailure() && (all || clock.Now() - begin < kTime)) {
    RunOnce(first + runs++, hazards, bound);
  }
  std::cout << runs << " runs from VDCU_TEST_SEED=" << first << ", " << bound << " pods bound\n";
}

TEST(Simulation, NothingIsGrantedTwiceNothingLeaksAndAllThatFitsRuns) { RunMany(Hazards::kAll); }

TEST(Simulation, GroupsAreBoundWholeOrNotAtAll) { RunMany(Hazards::kGroups); }

TEST(Simulation, WhoIsMoreImportantHasOthersEvicted) { RunMany(Hazards::kPriorities); }

TEST(Simulation, AlsoWhereRulesRefuseWhatIsWritten) { RunMany(Hazards::kRefusals); }

TEST(Simulation, AlsoWherePodsComeByThemselves) { RunMany(Hazards::kArrivals); }

}  // namespace
}  // namespace vdcu::simulation
