// Seen: reserved partitions with a finalizer of their owner's, deleted, kept their units for ever,
// without a pod, and beside whatever the namespace made in their place.
#include "tests/integration/placement_fixture.h"

namespace vdcu::integration {
namespace {

using nlohmann::json;

class ForeignFinalizerTest : public PlacementTest {
 protected:
  bool WaitsForCard(const std::string& name) {
    return Becomes(name, "Assigned", "False/Unschedulable");
  }
  void TearDown() override {
    api().Call("PATCH", std::string(kPartitions) + "/kept",
               {{"metadata", {{"finalizers", nullptr}}}});
    PlacementTest::TearDown();
  }
};

TEST_F(ForeignFinalizerTest, ItKeepsTheObjectAndNotTheUnits) {
  const std::string card = api().Find(kDcuNodes, "small")["status"]["devices"][0]["uuid"];
  const json all_of_it = {{"computeUnits", 60}, {"devices", {{"uuids", {card}}}}};
  json kept = Partition("kept", all_of_it);
  kept["metadata"]["finalizers"] = {"example.com/keep"};
  Create(kept);
  ASSERT_TRUE(Becomes("kept", "Ready", "True/Ready"));
  Create(Partition("next", all_of_it));
  ASSERT_TRUE(WaitsForCard("next"));
  Delete(kPartitions, "kept");
  ASSERT_TRUE(Becomes("next", "Ready", "True/Ready"));
  EXPECT_EQ(FindPartition("kept")["metadata"]["finalizers"], json({"example.com/keep"}));

  // What a controller and a daemon do that know nothing but the objects.
  world().controller.reset();
  world().controller = world().MakeController("controller");
  Create(Partition("third", {{"computeUnits", 1}, {"devices", {{"uuids", {card}}}}}));
  ASSERT_TRUE(WaitsForCard("third"));
  Delete(kPartitions, "next");
  EXPECT_TRUE(Becomes("third", "Ready", "True/Ready"));
}

}  // namespace
}  // namespace vdcu::integration
