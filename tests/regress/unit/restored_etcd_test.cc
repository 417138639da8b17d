// etcd was restored to a state before writes of ours whose answers we had: a watch will never show
// them. Right: what had been committed before a list was asked for and is not in it is void, so
// that the slice is free, the reserved partition is assigned again and the pod is bound again.
#include <gtest/gtest.h>

#include "tests/reconcilers/shown.h"

namespace vdcu::reconcilers {
namespace {

using builders::MakePartition;
using builders::MakePod;
using builders::MakeSlice;

class RestoredEtcdTest : public testing::Test {
 protected:
  RestoredEtcdTest() {
    shown_.ShowNode("n", 2);
    shown_.Show(pod_);
    shown_.TakeDirty();
  }
  void Commit(const Assumption& assumption) {
    shown_.cluster.Assume(assumption, shown_.at.now);
    shown_.cluster.Settle(assumption, Outcome::kCommitted, shown_.at.now);
  }

  ShownCluster shown_;
  const PodPtr pod_ = MakePod("p").Limits(kTenth).Obj();
};

TEST_F(RestoredEtcdTest, ACreateFromBeforeTheListIsVoid) {
  AssumeCreated created{
      *MakePartition("").For(pod_).Assigned(MakeSlice("n", 0, 0, 6, 1000, 0, 0)).Obj()};
  created.partition.meta.resource_version = "900";
  for (const bool before_the_list : {false, true}) {
    if (before_the_list) Commit(created);
    shown_.cluster.OnPartitionsListBegin();
    if (!before_the_list) Commit(created);
    shown_.cluster.OnPartitionsListed("20");
    EXPECT_EQ(shown_.UnitsTaken("n"), before_the_list ? 0 : 6);
  }
  EXPECT_TRUE(shown_.TakesDirty("pod/team-a/p"));
}

TEST_F(RestoredEtcdTest, AnAssignmentFromBeforeTheListIsVoid) {
  shown_.Show(MakePartition("r").Version("5").Obj());
  const AssumeAssigned assigned{"team-a/r", MakeSlice("n", 1, 0, 10, 1000, 0, 0)};
  Commit(assigned);
  EXPECT_EQ(shown_.UnitsTaken("n", 1), 10);
  shown_.cluster.OnPartitionsListBegin();
  shown_.cluster.OnPartitionsListed("20");
  EXPECT_EQ(shown_.UnitsTaken("n", 1), 0);
  EXPECT_FALSE(shown_.cluster.view().FindPartition("team-a/r")->object().assigned());
  EXPECT_TRUE(shown_.TakesDirty("partition/team-a/r"));
  shown_.cluster.OnPartitionsListBegin();
  Commit(assigned);
  shown_.cluster.OnPartitionsListed("20");
  EXPECT_EQ(shown_.UnitsTaken("n", 1), 10) << "the list may be older";
}

TEST_F(RestoredEtcdTest, ABindingFromBeforeTheListIsVoid) {
  const AssumeBound bound{"team-a/p", "uid-p", "n"};
  shown_.cluster.OnPodsListBegin();
  Commit(bound);
  shown_.cluster.OnPodsListed();
  EXPECT_EQ(shown_.cluster.view().FindPod("team-a/p")->node(), "n") << "the list may be older";
  shown_.cluster.OnPodsListBegin();
  shown_.TakeDirty();
  shown_.cluster.OnPodsListed();
  EXPECT_EQ(shown_.cluster.view().FindPod("team-a/p")->node(), "");
  EXPECT_EQ(shown_.cluster.view().ledger().Find("n")->pods, 0);
  EXPECT_TRUE(shown_.TakesDirty("pod/team-a/p"));
}

}  // namespace
}  // namespace vdcu::reconcilers
