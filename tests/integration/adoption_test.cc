// Pods that come to a node without having passed us: by hand (spec.nodeName), with the real
// vdcu-controller and vdcu-node. What their kubelet does meanwhile is in
// tests/e2e/adoption_test.cc.
#include <string>
#include <vector>

#include "tests/integration/placement_fixture.h"

namespace vdcu::integration {
namespace {

using nlohmann::json;
using testing::HasSubstr;

const Limits kWholeCard{{"dcunum", "1"}};

Limits Cores(int cores) {
  return {{"dcunum", "1"}, {"dcumem", "4000"}, {"dcucores", std::to_string(cores)}};
}

json OnSmall(json pod) {
  pod["spec"]["nodeName"] = "small";
  return pod;
}

class AdoptionTest : public PlacementTest {
 protected:
  std::string NameOf(const std::string& prefix, int i) { return prefix + std::to_string(i); }
  // Its slices are Ready, on that node.
  bool IsServed(const std::string& pod, size_t slices = 1, const std::string& node = "small") {
    const auto partitions = PartitionsOf(pod);
    size_t ready = 0;
    for (const json& partition : partitions) {
      const bool here = partition["spec"]["assignment"]["node"] == node;
      const json condition = Condition(partition, "Ready");
      ready += here && condition.is_object() && condition["status"] == "True" ? 1 : 0;
    }
    return partitions.size() == slices && ready == slices;
  }
  // "False NoRoom"
  std::string SaysOfItsSlice(const std::string& pod) {
    const json said = Condition(FindPod(pod), "vdcu.io/SliceAssigned");
    if (!said.is_object()) return "";
    return said["status"].get<std::string>() + " " + said["reason"].get<std::string>();
  }
};

TEST_F(AdoptionTest, WhoeverPlacedItItGetsASliceOfItsNode) {
  for (const char* scheduler : {"vdcu-scheduler", "default-scheduler"}) {
    json pod = OnSmall(Pod(std::string("of-") + scheduler, Cores(15)));
    pod["spec"]["schedulerName"] = scheduler;
    Create(pod);
  }
  Create(OnSmall(Pod("cards", {{"dcunum", "2"}})));
  Eventually("our own has its slice", [&] { return IsServed("of-vdcu-scheduler"); });
  Eventually("another's has its slice", [&] { return IsServed("of-default-scheduler"); });
  Eventually("two cards are two slices", [&] { return IsServed("cards", 2); });
  EXPECT_EQ(OnlyPartitionOf("of-default-scheduler")["spec"]["assignment"]["computeUnits"], 9);
  EXPECT_EQ(SaysOfItsSlice("cards"), "") << "nothing but what is not";
  Eventually("it says so", [&] { return HasEvent("cards", "Adopted", "small"); });
}

TEST_F(AdoptionTest, EightAtOnceBesideOrdinaryOnesAndNothingIsGrantedTwice) {
  for (int i = 0; i < 8; ++i) {
    Create(OnSmall(Pod(NameOf("hand", i), Cores(20))));
    Create(Pod(NameOf("ordinary", i), Cores(20), {{"hygon.com/use-dcutype", "Z100L"}}));
  }
  for (int i = 0; i < 8; ++i) {
    Eventually("those by hand", [&] { return IsServed(NameOf("hand", i)); });
    EXPECT_EQ(Bound(NameOf("ordinary", i)), "small");
  }
  ExpectNoBreach();
}

// By their names the small ones would go first and leave no room for the last of the large ones.
TEST_F(AdoptionTest, OfThoseThatAreFoundTogetherTheLargerGoFirst) {
  world().controller.reset();
  for (int i = 0; i < 4; ++i) Create(OnSmall(Pod(NameOf("a-small", i), Cores(30))));
  for (int i = 0; i < 4; ++i) Create(OnSmall(Pod(NameOf("b-large", i), Cores(70))));
  world().StartController();
  for (int i = 0; i < 4; ++i) {
    Eventually("a large one", [&] { return IsServed(NameOf("b-large", i)); });
    Eventually("a small one", [&] { return IsServed(NameOf("a-small", i)); });
  }
}

TEST_F(AdoptionTest, WithoutRoomItSaysWhyAndGetsItsSliceWhenThereIs) {
  for (int i = 0; i < 4; ++i) Create(OnSmall(Pod(NameOf("full", i), kWholeCard)));
  for (int i = 0; i < 4; ++i) Eventually("a card", [&] { return IsServed(NameOf("full", i)); });
  Create(OnSmall(Pod("late", Cores(10))));
  ASSERT_TRUE(Eventually("it says why", [&] { return SaysOfItsSlice("late") == "False NoRoom"; }));
  EXPECT_THAT(Condition(FindPod("late"), "vdcu.io/SliceAssigned")["message"].get<std::string>(),
              HasSubstr("4 cards: "));
  EXPECT_TRUE(Eventually("an event", [&] { return HasEvent("late", "NoRoom", "4 cards: "); }));
  EXPECT_TRUE(PartitionsOf("late").empty());
  Delete(kPods, "full2");
  EXPECT_TRUE(Eventually("it has what came free", [&] { return IsServed("late"); }));
  EXPECT_TRUE(Eventually("it says so", [&] { return SaysOfItsSlice("late") == "True Assigned"; }));
}

TEST_F(AdoptionTest, WhoNeverGetsOneSaysWhy) {
  json mirror = OnSmall(Pod("static-small", Cores(10)));
  mirror["metadata"]["annotations"]["kubernetes.io/config.mirror"] = "1a2b";
  Create(mirror);
  Create(OnSmall(Pod("named", kWholeCard, {{"vdcu.io/partition", "kept"}})));
  Eventually("the static one", [&] { return SaysOfItsSlice("static-small") == "False StaticPod"; });
  Eventually("who names another's", [&] { return SaysOfItsSlice("named") == "False NotServed"; });
  EXPECT_TRUE(PartitionsOf("static-small").empty());
  EXPECT_TRUE(PartitionsOf("named").empty());
}

TEST_F(AdoptionTest, TheLeaderIsKilledInBetweenAndEachHasItsSliceOnce) {
  for (int i = 0; i < 10; ++i) Create(OnSmall(Pod(NameOf("hand", i), Cores(20))));
  for (int i = 0; i < 4; ++i) {
    const size_t before = api().List(kPartitions).size();
    Until([&] { return api().List(kPartitions).size() > before || before >= 10; },
          std::chrono::seconds(20));
    world().controller.reset();  // SIGKILL
    ExpectNoBreach();
    world().StartController();
  }
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(Eventually("it has its slice", [&] { return IsServed(NameOf("hand", i)); }));
  }
  EXPECT_EQ(api().List(kPartitions).size(), 10u);
  ExpectNoBreach();
}

}  // namespace
}  // namespace vdcu::integration
