// Seen: reserved partitions with a finalizer of their owner's, deleted, kept their units for ever,
// without a pod, and beside whatever the namespace made in their place.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/reconcilers/shown.h"

namespace vdcu::reconcilers {
namespace {

using builders::MakePartition;
using builders::MakePod;
using builders::MakeSlice;
using testing::Contains;

class ForeignFinalizerTest : public testing::Test {
 protected:
  ForeignFinalizerTest() {
    shown_.ShowNode("n", 1);
    shown_.Show(Kept({std::string(crds::kFinalizer), "example.com/keep"}));
    shown_.cluster.changes().TakeImproved();
  }
  // All of the card, being deleted, with these finalizers left.
  static PartitionPtr Kept(std::vector<std::string> finalizers) {
    auto object =
        *MakePartition("kept").Assigned(MakeSlice("n", 0, 0, 60, 1000, 0, 0)).Deleting("now").Obj();
    object.meta.finalizers = std::move(finalizers);
    object.meta.resource_version += "0";
    return std::make_shared<const crds::VdcuPartition>(object);
  }
  Decision Place() {
    Placer placer(shown_.cluster);
    shown_.Show(MakePod("p").Limits(kTenth).Obj());
    placer.Add(PodKey("team-a/p"), shown_.at.now);
    return *placer.Next(shown_.at);
  }

  ShownCluster shown_;
};

TEST_F(ForeignFinalizerTest, TheUnitsAreHeldUntilOursIsLifted) {
  EXPECT_EQ(shown_.UnitsTaken("n"), 60);
  EXPECT_FALSE(Place().placed);
}

TEST_F(ForeignFinalizerTest, TheUnitsAreFreeWhenOursIsLifted) {
  shown_.Show(Kept({"example.com/keep"}));
  EXPECT_EQ(shown_.UnitsTaken("n"), 0);
  EXPECT_THAT(shown_.cluster.changes().TakeImproved(), Contains("n"));
  EXPECT_TRUE(Place().placed);
  shown_.Show(Kept({}));
  shown_.Remove(Kept({}));
  EXPECT_TRUE(Place().placed) << "its end takes nothing away once more";
}

TEST_F(ForeignFinalizerTest, SoTheyAreWhereAControllerStartsWithIt) {
  ShownCluster fresh;
  fresh.ShowNode("n", 1);
  fresh.Show(Kept({"example.com/keep"}));
  EXPECT_EQ(fresh.UnitsTaken("n"), 0);
}

TEST_F(ForeignFinalizerTest, AndOfAQuota) {
  kclient::ResourceQuota quota;
  quota.meta.name = "q";
  quota.meta.ns = "team-a";
  quota.hard = {{"requests.hygon.com/dcunum", 1}};
  shown_.cluster.shown().Set(nullptr, std::make_shared<const kclient::ResourceQuota>(quota),
                             shown_.at.now);
  shown_.ShowNode("other", 1);
  EXPECT_FALSE(Place().placed);
  shown_.cluster.changes().TakeEased();
  shown_.Show(Kept({"example.com/keep"}));
  EXPECT_THAT(shown_.cluster.changes().TakeEased(), Contains("team-a"));
  EXPECT_TRUE(Place().placed);
}

}  // namespace
}  // namespace vdcu::reconcilers
