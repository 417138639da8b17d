// A quota on dcumem was passed by: reserved partitions held what no ResourceQuota counts.
#include "tests/integration/placement_fixture.h"

namespace vdcu::integration {
namespace {

using nlohmann::json;

constexpr char kQuotas[] = "/api/v1/namespaces/default/resourcequotas";

class QuotaTest : public PlacementTest {
 protected:
  // Its status, too, which kube-controller-manager writes where there is one: the API server admits
  // no pod before.
  static void SetQuota(const std::string& memory) {
    const json hard{{"requests.hygon.com/dcumem", memory}};
    json quota{{"apiVersion", "v1"},
               {"kind", "ResourceQuota"},
               {"metadata", {{"name", "cards"}}},
               {"spec", {{"hard", hard}}}};
    const std::string path = std::string(kQuotas) + "/cards";
    const bool there = api().Find(kQuotas, "cards").is_object();
    const auto set = there ? api().Call("PATCH", path, quota) : api().Call("POST", kQuotas, quota);
    EXPECT_LT(set.code, 300) << set.body.dump();
    json status{{"status", {{"hard", hard}}}};
    if (!there) status["status"]["used"] = {{"requests.hygon.com/dcumem", "0"}};
    const auto said = api().Call("PATCH", path + "/status", status);
    EXPECT_LT(said.code, 300) << said.body.dump();
  }
  void TearDown() override {
    api().Call("DELETE", std::string(kQuotas) + "/cards");
    PlacementTest::TearDown();
  }
  // Assigned=False, because of the quota.
  bool IsHeld(const std::string& partition, const std::string& message_part) {
    return Eventually(partition + " is held to the quota: " + message_part, [&] {
      const json assigned = Condition(FindPartition(partition), "Assigned");
      return assigned.is_object() && assigned["status"] == "False" &&
             assigned["message"].get<std::string>().find(message_part) != std::string::npos;
    });
  }
};

TEST_F(QuotaTest, ANamespaceHoldsWhatItsQuotaAllows) {
  SetQuota("4000");
  Create(Partition("large", {{"cores", 10}, {"memory", "30000Mi"}}));
  ASSERT_TRUE(IsHeld("large", "ResourceQuota cards allows requests.hygon.com/dcumem 4000"));
  Create(Pod("user", {{"dcunum", "1"}}, {{"vdcu.io/partition", "large"}}));
  ASSERT_TRUE(Waits("user", "Unschedulable", "VDCUPartition large has no card yet"));

  Create(Pod("slice", {{"dcunum", "1"}, {"dcumem", "3000"}, {"dcucores", "10"}}));
  ASSERT_FALSE(Bound("slice").empty());
  Create(Partition("small", {{"cores", 10}, {"memory", "2000Mi"}}));
  ASSERT_TRUE(IsHeld("small", "hold 3000, and this needs 2000"));
  Delete(kPods, "slice");
  ASSERT_TRUE(Becomes("small", "Ready", "True/Ready")) << "the pod's slice is free";

  // What a controller does that knows nothing but the objects.
  world().controller.reset();
  world().controller = world().MakeController("controller");
  Create(Partition("late", {{"cores", 10}, {"memory", "2001Mi"}}));
  ASSERT_TRUE(IsHeld("late", "hold 2000, and this needs 2001"));
  SetQuota("4001");
  ASSERT_TRUE(Becomes("late", "Ready", "True/Ready"));
  EXPECT_TRUE(IsHeld("large", "ResourceQuota cards allows"));
  SetQuota("40000");
  ASSERT_TRUE(Becomes("large", "Ready", "True/Ready"));
  EXPECT_FALSE(Bound("user").empty());
}

}  // namespace
}  // namespace vdcu::integration
