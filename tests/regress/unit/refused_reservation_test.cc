// A reservation whose only node refused it (a full disk) was tried again after 30 s at the
// earliest: it was back 28 s after the disk was well.
#include <gtest/gtest.h>

#include "tests/reconcilers/shown.h"

namespace vdcu::reconcilers {
namespace {

using builders::MakePartition;
using builders::MakeSlice;

TEST(RefusedReservation, IsBackSoonAfterTheNodeTakesItAgain) {
  ShownCluster shown;
  shown.ShowNode("n", 1);
  const auto slice = MakeSlice("n", 0, 0, 10, 1000, 0, 0);
  const auto assigned = MakePartition("r").Assigned(slice);
  const base::TimePoint full = shown.at.now;
  const base::TimePoint well = full + base::Duration(5'000);
  while (shown.at.now < well) {
    shown.Show(builders::PartitionBuilder(assigned)
                   .Condition(crds::kPrepared, "False", "WriteFailed")
                   .Obj());
    shown.OfPartition(assigned.Obj());
    const auto waiting = MakePartition("r").Obj();
    shown.Show(waiting);
    const Plan plan = shown.OfPartition(waiting);
    ASSERT_TRUE(plan.place && plan.requeue_after);
    shown.Pass(*plan.requeue_after);
  }
  EXPECT_LE(shown.at.now - well, well - full) << "as long as it was full at most";
  shown.Show(builders::PartitionBuilder(assigned).Condition(crds::kPrepared, "True").Obj());
  EXPECT_TRUE(shown.cluster.view().FindPartition("team-a/r")->avoided.empty()) << "it begins anew";
}

}  // namespace
}  // namespace vdcu::reconcilers
