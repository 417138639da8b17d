// A reservation on a node whose daemon was dead waited there without a word, though another node
// was free.
#include <string>

#include "tests/integration/placement_fixture.h"

namespace vdcu::integration {
namespace {

using nlohmann::json;

constexpr char kBig[] = "/api/v1/nodes/big";

class SilentNodeTest : public PlacementTest {
 protected:
  std::string NodeOf(const std::string& partition) const {
    return FindPartition(partition)["spec"].value("assignment", json::object()).value("node", "");
  }
  static void Patch(const std::string& path, const json& patch) {
    const auto answer = api().Call("PATCH", path, patch);
    EXPECT_EQ(answer.code, 200) << answer.body.dump();
  }
  static void Cordon(bool cordoned) {
    Patch(kBig, {{"spec", {{"unschedulable", cordoned ? json(true) : json(nullptr)}}}});
  }
};

TEST_F(SilentNodeTest, AReservationLeavesADaemonThatIsDead) {
  world().small.Kill();
  Cordon(true);
  Create(Partition("moves", {{"cores", 10}, {"memory", "1000Mi"}}));
  Eventually("it is assigned to the silent node", [&] { return NodeOf("moves") == "small"; });
  Cordon(false);
  Eventually("it is on the other one", [&] { return NodeOf("moves") == "big"; });
  EXPECT_TRUE(Becomes("moves", "Ready", "True/Ready"));
  EXPECT_TRUE(HasEvent("moves", "NodeSilent", "did not prepare the slice in time"));
  ExpectNoBreach();
}

TEST_F(SilentNodeTest, AReservationSaysWhyItWaits) {
  world().small.Kill();
  Create(Partition("waits",
                   {{"cores", 10}, {"memory", "1000Mi"}, {"devices", {{"models", {"Z100L"}}}}}));
  EXPECT_TRUE(Becomes("waits", "Assigned", "False/Unschedulable"));
  world().small.Start();
  EXPECT_TRUE(Becomes("waits", "Ready", "True/Ready"));
}

}  // namespace
}  // namespace vdcu::integration
