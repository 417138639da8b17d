// A cluster whose users have the documents of the vendor's Volcano, in which dcumem counts GiB.
#include "tests/integration/placement_fixture.h"

namespace vdcu::integration {
namespace {

using nlohmann::json;

constexpr char kQuotas[] = "/api/v1/namespaces/default/resourcequotas";

class MemoryUnitTest : public PlacementTest {
 protected:
  void SetUp() override {
    PlacementTest::SetUp();
    Restart({"--memory-unit", "Gi"});
  }
  void TearDown() override {
    api().Call("DELETE", std::string(kQuotas) + "/cards");
    Restart({});
    PlacementTest::TearDown();
  }
  static void Restart(const std::vector<std::string>& flags) {
    world().controller.reset();
    world().controller = world().MakeController("controller", flags);
  }
};

TEST_F(MemoryUnitTest, PodsAndQuotasCountGiB) {
  Create(Pod("two", {{"dcunum", "1"}, {"dcumem", "2"}, {"dcucores", "10"}}));
  ASSERT_FALSE(Bound("two").empty());
  EXPECT_EQ(OnlyPartitionOf("two")["spec"]["assignment"]["memory"], "2048Mi");
  Create(Pod("bytes", {{"dcunum", "1"}, {"dcumem", "2Gi"}}));
  EXPECT_TRUE(Waits("bytes", "SchedulerError", "counts GiB (--memory-unit)"));

  const json hard{{"requests.hygon.com/dcumem", "4"}};
  api().Call("POST", kQuotas, {{"metadata", {{"name", "cards"}}}, {"spec", {{"hard", hard}}}});
  Create(Partition("fits", {{"cores", 10}, {"memory", "2048Mi"}}));
  EXPECT_TRUE(Becomes("fits", "Ready", "True/Ready"));
  Create(Partition("over", {{"cores", 10}, {"memory", "1Mi"}}));
  EXPECT_TRUE(Eventually("over is held to the quota", [&] {
    const json assigned = Condition(FindPartition("over"), "Assigned");
    return assigned.is_object() &&
           assigned.dump().find("dcumem 4, which counts GiB") != std::string::npos;
  }));
}

}  // namespace
}  // namespace vdcu::integration
