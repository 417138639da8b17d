// A crowd of pods that name one reserved partition: each change of it, and of any pod of them,
// rewrote what every pod said, mostly twice, and nobody else was placed meanwhile: pods of other
// namespaces waited for 20 s. Right: what a pod says does not change when only the order does, and
// others are placed beside it.
#include <optional>
#include <string>
#include <vector>

#include "tests/integration/placement_fixture.h"
#include "tests/world/refusals.h"

namespace vdcu::integration {
namespace {

using nlohmann::json;
using world::Namespace;

constexpr int kCrowd = 100;
const Limits kSlice{{"dcunum", "1"}, {"dcumem", "1000"}, {"dcucores", "10"}};

class Crowd : public PlacementTest {
 protected:
  void SetUp() override {
    PlacementTest::SetUp();
    crowd_.emplace(api(), "crowd");
    for (int i = 0; i < kCrowd; ++i) {
      api().Call(
          "POST", crowd_->Pods(),
          Pod("p" + std::to_string(100 + i), {{"dcunum", "1"}}, {{"vdcu.io/partition", "r"}}));
    }
    Eventually("each is told", [&] {
      for (const json& pod : api().List(crowd_->Pods())) {
        if (Condition(pod, "PodScheduled").is_null()) return false;
      }
      return true;
    });
  }
  void TearDown() override {
    crowd_.reset();
    PlacementTest::TearDown();
  }
  static int64_t Told() { return CountAnswers(api(), "PATCH", "pods/status", 200); }
  // Of the crowd: who was bound.
  std::vector<std::string> Bound() const {
    std::vector<std::string> bound;
    for (const json& pod : api().List(crowd_->Pods())) {
      if (pod["spec"].contains("nodeName")) bound.push_back(pod["metadata"]["name"]);
    }
    return bound;
  }

  std::optional<Namespace> crowd_;
};

TEST_F(Crowd, IsNotToldAnewWithEachChangeOfThePartition) {
  const json nowhere = Partition("r", {{"cores", 10}, {"nodeSelector", {{"no", "node"}}}});
  const int64_t before = Told();
  for (int round = 0; round < 6; ++round) {
    ASSERT_EQ(api().Call("POST", crowd_->Partitions(), nowhere).code, 201);
    // Placed beside it.
    const std::string other = "other" + std::to_string(round);
    Create(Pod(other, kSlice));
    EXPECT_NE(PlacementTest::Bound(other), "");
    api().Call("DELETE", crowd_->Partitions() + "/r");
    Eventually("it is gone", [&] { return api().Find(crowd_->Partitions(), "r").is_null(); });
  }
  // The first in line alone may have been, every five seconds.
  EXPECT_LE(Told() - before, 20);
  EXPECT_EQ(Condition(api().Find(crowd_->Pods(), "p150"), "PodScheduled")["message"],
            "VDCUPartition r goes first to another pod");
}

TEST_F(Crowd, TakesItsTurnsAndOnlyTheNextIsToldAnything) {
  ASSERT_EQ(api().Call("POST", crowd_->Partitions(), Partition("r", {{"cores", 10}})).code, 201);
  std::string before = "p100";
  for (const std::string user : {"p100", "p101", "p102"}) {
    if (user != before)
      api().Call("DELETE", crowd_->Pods() + "/" + before + "?gracePeriodSeconds=0");
    const int64_t told = Told();
    EXPECT_TRUE(Eventually(user, [&] { return Bound() == std::vector<std::string>{user}; }));
    EXPECT_LE(Told() - told, 10);
    before = user;
  }
  EXPECT_TRUE(Eventually("the next knows who has it", [&] {
    return Condition(api().Find(crowd_->Pods(), "p103"), "PodScheduled")["message"] ==
           "VDCUPartition r is held by pod p102";
  }));
}

}  // namespace
}  // namespace vdcu::integration
