// Seen where the API server does not validate (Kubernetes before 1.25, a CRD that was edited): an
// object that does not decode said nothing, a DCUNode with a wrong spec took the node's cards out,
// and its daemon sent a create each second. Each says what is wrong, and the node goes on.
#include <memory>
#include <string>

#include "tests/integration/placement_fixture.h"
#include "tests/world/crd_edit.h"
#include "tests/world/refusals.h"

namespace vdcu::integration {
namespace {

using nlohmann::json;

class UnreadObjectsTest : public PlacementTest {
 protected:
  void SetUp() override {
    PlacementTest::SetUp();
    const json anything = {{"x-kubernetes-preserve-unknown-fields", true}};
    partitions_ =
        std::make_unique<world::CrdEdit>(api(), "vdcupartitions.vdcu.io", [&](json& version) {
          world::SpecSchema(version).erase("x-kubernetes-validations");
          world::SpecSchema(version)["properties"]["memory"] = anything;
        });
    nodes_ = std::make_unique<world::CrdEdit>(api(), "dcunodes.vdcu.io", [&](json& version) {
      world::SpecSchema(version)["properties"]["memoryReserve"] = anything;
    });
  }
  void TearDown() override {
    PlacementTest::TearDown();
    partitions_.reset();
    nodes_.reset();
  }
  // The server takes a CRD up after a moment.
  bool Taken(const std::string& name, const json& spec) {
    return Eventually(name + " is taken", [&] {
      return api().Call("POST", kPartitions, Partition(name, spec)).code == 201;
    });
  }
  static std::string Says(const json& object, const std::string& type) {
    const json condition = Condition(object, type);
    if (condition.is_null()) return "";
    return condition["status"].get<std::string>() + " " + condition["reason"].get<std::string>() +
           " " + condition["message"].get<std::string>();
  }
  static bool PatchNode(const json& spec) {
    return api().Call("PATCH", kDcuNodes + std::string("/small"), {{"spec", spec}}).code == 200;
  }

  std::unique_ptr<world::CrdEdit> partitions_;
  std::unique_ptr<world::CrdEdit> nodes_;
};

TEST_F(UnreadObjectsTest, APartitionSaysWhatIsWrongAndIsPlacedOnceItIsMended) {
  ASSERT_TRUE(Taken("wrong", {{"computeUnits", 6}, {"memory", 2000}}));
  EXPECT_TRUE(Becomes("wrong", "Assigned", "False/Invalid"));
  EXPECT_EQ(Says(FindPartition("wrong"), "Assigned"),
            "False Invalid spec.memory: 2000: write a unit, for example 2000Mi");
  EXPECT_TRUE(Eventually("an event says it", [] {
    return HasEvent("wrong", "Invalid", "write a unit, for example 2000Mi");
  }));
  Create(Pod("names-it", {{"dcunum", "1"}}, {{"vdcu.io/partition", "wrong"}}));
  EXPECT_TRUE(Waits("names-it", "Unschedulable", "VDCUPartition wrong is not valid: spec.memory"));
  Delete(kPods, "names-it");
  EXPECT_EQ(
      api()
          .Call("PATCH", kPartitions + std::string("/wrong"), {{"spec", {{"memory", "2000Mi"}}}})
          .code,
      200);
  EXPECT_TRUE(Becomes("wrong", "Ready", "True/Ready"));
}

TEST_F(UnreadObjectsTest, ANodeWithAWrongSpecKeepsItsCardsAndSaysSo) {
  ASSERT_TRUE(
      Eventually("the wrong spec is taken", [] { return PatchNode({{"memoryReserve", 12}}); }));
  ASSERT_TRUE(Eventually("it is said", [] {
    return Says(world().small.DcuNode(), "Accepted")
               .find("False Invalid spec.memoryReserve: 12: write a unit, for example 12Mi") == 0;
  }));
  const auto creates = [] { return world::CountAnswers(api(), "POST", "dcunodes", 409); };
  const int64_t before = creates();
  Create(Pod("goes-on", {{"dcunum", "1"}, {"dcucores", "10"}, {"dcumem", "1000"}},
             {{"hygon.com/use-dcutype", "Z100L"}}));
  EXPECT_EQ(Bound("goes-on"), "small");
  // At a start, too.
  world().small.Kill();
  world().small.Start();
  Create(Pod("later", {{"dcunum", "1"}, {"dcucores", "10"}, {"dcumem", "1000"}},
             {{"hygon.com/use-dcutype", "Z100L"}}));
  EXPECT_EQ(Bound("later"), "small");
  EXPECT_EQ(creates(), before) << "its daemon makes no object that exists";
  EXPECT_TRUE(PatchNode({{"memoryReserve", nullptr}}));
  ASSERT_TRUE(
      Eventually("it is mended", [] { return Says(world().small.DcuNode(), "Accepted").empty(); }));
}

}  // namespace
}  // namespace vdcu::integration
