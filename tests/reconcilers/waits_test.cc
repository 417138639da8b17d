// Who waits for cards, by why: each request that waits is counted once, by the placer or by its
// plan.
#include "reconcilers/waits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "reconcilers/pod_partitions.h"
#include "tests/reconcilers/shown.h"

namespace vdcu::reconcilers {
namespace {

using builders::MakePartition;
using builders::MakePod;
using testing::ElementsAre;

class WaitsTest : public testing::Test {
 protected:
  WaitsTest() { shown_.ShowNode("n", 1); }

  // "invalid since 10:00": of a plan; "place" where it is the placer's.
  static std::string Of(const Plan& plan) {
    if (!plan.waits) return plan.place ? "place" : "";
    for (const auto& [reason, name] : kWaitReasons) {
      if (reason == plan.waits->reason) return std::string(name) + " since " + plan.waits->since;
    }
    return "?";
  }
  // "cards 2 2026-01-01T00:00:00Z", of the placer.
  std::vector<std::string> InThePlacer() {
    WaitCounts counts;
    placer_.CountWaiting(counts);
    std::vector<std::string> lines;
    for (const auto& [reason, name] : kWaitReasons) {
      if (!counts.contains(reason)) continue;
      lines.push_back(std::string(name) + " " + std::to_string(counts[reason].count) + " " +
                      counts[reason].oldest);
    }
    return lines;
  }
  void Place(const PodPtr& pod) {
    shown_.Show(pod);
    placer_.Add(PodKey(pod->meta.key()), shown_.at.now);
  }
  void Decide() {
    while (const auto decision = placer_.Next(shown_.at)) shown_.Assume(decision->plan);
  }

  ShownCluster shown_;
  Placer placer_{shown_.cluster};
};

constexpr char kThen[] = "2026-01-01T00:00:00Z";

TEST_F(WaitsTest, OneThatIsNeverPlacedIsInvalid) {
  shown_.Show(MakePod("p").Created(kThen).Obj());
  EXPECT_EQ(Of(shown_.OfPod("p")), "invalid since " + std::string(kThen));
  EXPECT_EQ(Of(shown_.OfPod("p")), "invalid since " + std::string(kThen)) << "said already";
}

TEST_F(WaitsTest, OneThatNamesAReservedPartitionWaitsForThat) {
  const auto naming =
      MakePod("p").Created(kThen).Limits(kWhole).Annotation("vdcu.io/partition", "r");
  shown_.Show(builders::PodBuilder(naming).Obj());
  EXPECT_EQ(Of(shown_.OfPod("p")), "partition since " + std::string(kThen));
  shown_.Show(
      MakePartition("r").Assigned(builders::MakeSlice("n", 0, 0, 10, 1000, 0, 0)).Ready().Obj());
  EXPECT_EQ(Of(shown_.OfPod("p")), "") << "it is bound";
}

TEST_F(WaitsTest, OneWhoseWriteIsRefusedWaitsForTheApiServer) {
  const auto pod = MakePod("p").Created(kThen).Limits(kTenth).Obj();
  shown_.Show(pod);
  EXPECT_EQ(Of(shown_.OfPod("p")), "place");
  const auto slice = builders::MakeSlice("n", 0, 0, 6, 1000, 0, 0);
  shown_.SetBack({{CreatePartition(*MakePartition("").For(pod).Assigned(slice).Obj())}, {}, {}},
                 {base::ErrorCode::kForbidden, "no", {}});
  EXPECT_EQ(Of(shown_.OfPod("p")), "refused since " + std::string(kThen));
  const auto reserved = MakePartition("r").Obj();
  shown_.Show(reserved);
  shown_.SetBack({{AssignPartition(*reserved, slice)}, {}, {}},
                 {base::ErrorCode::kForbidden, "no", {}});
  EXPECT_EQ(Of(shown_.OfPartition(reserved)), "refused since " + reserved->meta.creation_timestamp);
}

TEST_F(WaitsTest, ThePlacerSaysWhyTheLastTryFailed) {
  const auto asks = [](const std::string& name) { return MakePod(name).Limits(kWhole); };
  Place(asks("first").Created(kThen).Obj());
  EXPECT_THAT(InThePlacer(), ElementsAre("new 1 2026-01-01T00:00:00Z"));
  Decide();
  EXPECT_THAT(InThePlacer(), testing::IsEmpty()) << "it has the card";
  Place(asks("b").Created("2026-01-01T00:00:02Z").Obj());
  Place(asks("a").Created("2026-01-01T00:00:01Z").Obj());
  Place(asks("picky").Created("2026-01-01T00:00:03Z").NodeSelector({{"no", "1"}}).Obj());
  Place(asks("claims").Created("2026-01-01T00:00:04Z").Claim("data").Obj());
  Decide();
  EXPECT_THAT(InThePlacer(),
              ElementsAre("cards 3 2026-01-01T00:00:01Z", "volumes 1 2026-01-01T00:00:04Z"));
}

TEST_F(WaitsTest, WhereCardsHaveRoomAndNodesAreNotFitTheNodesAreWhy) {
  Place(MakePod("picky").Created(kThen).Limits(kTenth).NodeSelector({{"no", "1"}}).Obj());
  Decide();
  EXPECT_THAT(InThePlacer(), ElementsAre("nodes 1 2026-01-01T00:00:00Z"));
}

TEST_F(WaitsTest, AQuotaThatIsFullIsWhy) {
  kclient::ResourceQuota quota;
  quota.meta.ns = "team-a";
  quota.meta.name = "q";
  quota.hard = {{"requests.hygon.com/dcunum", 0}};
  shown_.cluster.shown().Set(nullptr, std::make_shared<const kclient::ResourceQuota>(quota),
                             shown_.at.now);
  Place(MakePod("p").Created(kThen).Limits(kTenth).Obj());
  Decide();
  EXPECT_THAT(InThePlacer(), ElementsAre("quota 1 2026-01-01T00:00:00Z"));
}

}  // namespace
}  // namespace vdcu::reconcilers
