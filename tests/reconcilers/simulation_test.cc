#include "tests/reconcilers/simulation.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <string>

#include "base/clock.h"
#include "base/log.h"

namespace vdcu::reconcilers {
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
  if (hazards != Hazards::kFew) {
    world.ComeToRest(Nodes::kAsTheyAre);
    ASSERT_EQ(world.WhatIsWrong(), "");
    ASSERT_EQ(world.WhatIsWrongAtRest(), "") << "nodes as they are";
    ASSERT_EQ(world.WhatIsLeftToDo(), "") << "nodes as they are";
  }
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

TEST(Simulation, WhatFailedOnceHolds) {
  base::SetUpLogging(base::Level::kError, base::LogFormat::kText);
  int bound = 0;
  // A create whose answer was lost, refused when it was repeated: its pod was forgotten, and what
  // it might have been given was given to another.
  for (const unsigned seed : {100271U, 101222U}) RunOnce(seed, Hazards::kFew, bound);
  // A repeated create stored another object after a person had deleted the first, which the watch
  // showed, and its end, only then: the slice of the second was given to another. 131: the slice of
  // a pod whose binding is under way is not let go though its daemon is silent (nothing failed; no
  // other seed nearby comes to it).
  // 905083: a partition was made, and deleted by a person, while the watch was away; its pod waited
  // for ever.
  for (const unsigned seed : {201700U, 131U, 905083U}) RunOnce(seed, Hazards::kAll, bound);
  // A pod's end was about to delete its partition, a rule refused it, and the pod, which was to
  // come back for it, was gone.
  RunOnce(1100448U, Hazards::kRefusals, bound);
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

TEST(Simulation, AlsoWhereRulesRefuseWhatIsWritten) { RunMany(Hazards::kRefusals); }

}  // namespace
}  // namespace vdcu::reconcilers
