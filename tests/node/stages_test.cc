#include "node/stages.h"

#include <map>
#include <string>

#include <gtest/gtest.h>

#include "tests/fakes/simulated_clock.h"

namespace vdcu::node {
namespace {

class StagesTest : public testing::Test {
 protected:
  void ReachAfter(int milliseconds, Stage stage, const std::string& pod = "a") {
    clock_.Advance(base::Duration(milliseconds));
    stages_.Reach(pod, stage);
  }
  // Count and seconds of each stage's histogram.
  std::map<std::string, std::pair<uint64_t, double>> Counted() const {
    std::map<std::string, std::pair<uint64_t, double>> counted;
    for (const auto& family : metrics_.registry()->Collect()) {
      if (family.name != "vdcu_node_stage_seconds") continue;
      for (const auto& metric : family.metric) {
        counted[metric.label.at(0).value] = {metric.histogram.sample_count,
                                             metric.histogram.sample_sum};
      }
    }
    return counted;
  }

  fakes::SimulatedClock clock_;
  Metrics metrics_;
  Stages stages_{clock_, metrics_};
};

TEST_F(StagesTest, CountsEachStageOnceFromTheOneBefore) {
  ReachAfter(0, Stage::kPrepared);
  ReachAfter(10, Stage::kBound);
  ReachAfter(5, Stage::kBound);
  ReachAfter(20, Stage::kAllocated);
  ReachAfter(500, Stage::kStarted);
  ReachAfter(500, Stage::kStarted);  // its container starts again
  const auto counted = Counted();
  ASSERT_EQ(counted.size(), 3u);
  EXPECT_EQ(counted.at("bound").first, 1u);
  EXPECT_NEAR(counted.at("bound").second, 0.010, 1e-9);
  EXPECT_NEAR(counted.at("allocated").second, 0.025, 1e-9);
  EXPECT_EQ(counted.at("started").first, 1u);
  EXPECT_NEAR(counted.at("started").second, 0.5, 1e-9);
}

TEST_F(StagesTest, WhatBeganBeforeThisProcessIsNotCounted) {
  ReachAfter(0, Stage::kAllocated);
  EXPECT_TRUE(Counted().empty());
  ReachAfter(7, Stage::kStarted);
  EXPECT_EQ(Counted().at("started").first, 1u);
}

TEST_F(StagesTest, APodThatIsForgottenBeginsAnew) {
  ReachAfter(0, Stage::kPrepared);
  stages_.Forget("a");
  ReachAfter(60'000, Stage::kBound);
  EXPECT_TRUE(Counted().empty());
}

}  // namespace
}  // namespace vdcu::node
