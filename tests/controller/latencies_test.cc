#include "controller/latencies.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

#include <cmath>
#include <string>

#include "tests/fakes/simulated_clock.h"

namespace vdcu::controller {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class LatenciesTest : public testing::Test {
 protected:
  // "COUNT SUM" of the histogram.
  std::string Of(const std::string& name) const {
    for (const auto& family : metrics_.registry()->Collect()) {
      if (family.name != name) continue;
      const auto& histogram = family.metric.front().histogram;
      return std::to_string(histogram.sample_count) + " " +
             std::to_string(std::lround(histogram.sample_sum * 1000)) + " ms";
    }
    return "";
  }

  fakes::SimulatedClock clock_;
  Metrics metrics_;
  Latencies latencies_{clock_, metrics_};
  const kclient::Key pod_{"pod", "team", "p"};
};

TEST_F(LatenciesTest, EachStepCountsOnceFromTheFirstTimeOfTheOneBefore) {
  latencies_.OnCreate(pod_);
  clock_.Advance(base::Duration(10));
  latencies_.OnCreate(pod_);
  clock_.Advance(base::Duration(10));
  latencies_.OnPrepared(pod_);
  clock_.Advance(base::Duration(5));
  latencies_.OnPrepared(pod_);
  latencies_.OnBound(pod_);
  latencies_.OnBound(pod_);
  EXPECT_EQ(Of("vdcu_created_to_prepared_seconds"), "1 20 ms");
  EXPECT_EQ(Of("vdcu_prepared_to_bound_seconds"), "1 5 ms");
  EXPECT_FALSE(latencies_.Knows(pod_));
}

TEST_F(LatenciesTest, OneThatIsPlacedAnewBeginsAnew) {
  latencies_.OnCreate(pod_);
  clock_.Advance(base::Duration(5'000));
  latencies_.Forget(pod_);
  latencies_.OnPrepared(pod_);
  latencies_.OnCreate(pod_);
  clock_.Advance(base::Duration(3));
  latencies_.OnPrepared(pod_);
  EXPECT_EQ(Of("vdcu_created_to_prepared_seconds"), "1 3 ms");
}

// One that takes a reserved partition, or whose slices another controller has made.
TEST_F(LatenciesTest, OneWhoseSlicesWereNotMadeHereIsNotMeasured) {
  latencies_.OnPrepared(pod_);
  latencies_.OnBound(pod_);
  EXPECT_EQ(Of("vdcu_created_to_prepared_seconds"), "0 0 ms");
  EXPECT_EQ(Of("vdcu_prepared_to_bound_seconds"), "0 0 ms");
}

}  // namespace
}  // namespace vdcu::controller
