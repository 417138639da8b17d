// Kubernetes before 1.31 does not select our objects by a field (HTTP 400), and the daemons listed
// for ever. They go by the label vdcu.io/node there, which a hand may take away or change: that
// lets nothing go, and gives nothing twice. A CRD without selectable fields makes such a server.
#include <map>
#include <optional>
#include <string>

#include "tests/integration/placement_fixture.h"
#include "tests/world/crd_edit.h"
#include "tests/world/refusals.h"

namespace vdcu::integration {
namespace {

using nlohmann::json;

class NodeLabelTest : public PlacementTest {
 protected:
  void SetUp() override {
    PlacementTest::SetUp();
    without_.emplace(api());
    for (Worker* worker : {&world().big, &world().small}) {
      worker->Kill();
      worker->Start();
    }
    PlacementTest::SetUp();
  }
  void TearDown() override {
    PlacementTest::TearDown();
    without_.reset();
    for (Worker* worker : {&world().big, &world().small}) worker->Kill();
    PlacementTest::SetUp();
  }
  void Reserve() {
    Create(Partition(
        "kept", {{"computeUnits", 6}, {"memory", "1000Mi"}, {"devices", {{"models", {"Z100L"}}}}}));
    ASSERT_TRUE(Becomes("kept", "Ready", "True/Ready"));
  }
  static json LabelOf(const std::string& partition) {
    return api()
        .Find(kPartitions, partition)["metadata"]
        .value("labels", json::object())
        .value("vdcu.io/node", json());
  }
  static void SetLabel(const json& value) {
    const json patch = {{"metadata", {{"labels", {{"vdcu.io/node", value}}}}}};
    ASSERT_EQ(api().Call("PATCH", kPartitions + std::string("/kept"), patch).code, 200);
  }
  static std::map<std::string, std::string> Files() { return world().small.Files(); }

  std::optional<world::WithoutSelectableFields> without_;
};

TEST_F(NodeLabelTest, PodsArePlacedAndTheDaemonSaysOnceHowItAsks) {
  Create(Pod("slice", {{"dcunum", "1"}, {"dcucores", "10"}, {"dcumem", "1000"}},
             {{"hygon.com/use-dcutype", "Z100L"}}));
  EXPECT_EQ(Bound("slice"), "small");
  const std::string partition = OnlyPartitionOf("slice")["metadata"]["name"];
  EXPECT_EQ(LabelOf(partition), "small");
  const std::string log = world().small.Log();
  const size_t said = log.rfind("does not select by this field: asking by label");
  ASSERT_NE(said, std::string::npos) << log;
  EXPECT_EQ(log.find("list and watch failed", said), std::string::npos);
}

TEST_F(NodeLabelTest, AHandOnTheLabelLetsNothingGo) {
  Reserve();
  const auto files = Files();
  ASSERT_FALSE(files.empty());
  for (const json& hand : {json(nullptr), json("big"), json("nowhere")}) {
    SetLabel(hand);
    ASSERT_TRUE(Eventually("it is put right", [] { return LabelOf("kept") == "small"; }));
    EXPECT_EQ(Files(), files) << hand;
  }
  // Nobody puts it right: the daemon asks, and holds on.
  world().controller.reset();
  SetLabel("big");
  const int64_t reads = world::CountAnswers(api(), "GET", "vdcupartitions", 200);
  ASSERT_TRUE(Eventually("the daemon has asked twice", [&] {
    return world::CountAnswers(api(), "GET", "vdcupartitions", 200) >= reads + 2;
  }));
  EXPECT_EQ(Files(), files);
  EXPECT_TRUE(world().big.Files().empty()) << "it is not what big was given";
  world().StartController();
  ASSERT_TRUE(Eventually("it is put right", [] { return LabelOf("kept") == "small"; }));
  Delete(kPartitions, "kept");
  EXPECT_TRUE(Eventually("it is let go", [] { return Files().empty(); }));
}

}  // namespace
}  // namespace vdcu::integration
