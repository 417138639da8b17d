// What waits for a daemon that is dead, and what is given out of a node that comes back: a
// reservation waited there without a word though another node was free; and a new pod was given
// what the node still held, was refused, and waited for half a minute.
#include <chrono>
#include <fstream>
#include <memory>
#include <string>

#include "tests/integration/placement_fixture.h"

namespace vdcu::integration {
namespace {

using nlohmann::json;

constexpr char kSmall[] = "/api/v1/nodes/small";
constexpr char kBig[] = "/api/v1/nodes/big";

class NodeComesBackTest : public PlacementTest {
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
  static void SetReady(const std::string& status) {
    const json ready{{"type", "Ready"}, {"status", status}, {"reason", "Test"}};
    Patch(std::string(kSmall) + "/status", {{"status", {{"conditions", json::array({ready})}}}});
  }
  bool Says(const std::string& status, const std::string& reason) {
    return Eventually("DCUNode small says " + status + " " + reason, [&] {
      const json ready = Condition(world().small.DcuNode(), "Ready");
      return ready["status"] == status && ready["reason"] == reason;
    });
  }
};

TEST_F(NodeComesBackTest, AReservationLeavesADaemonThatIsDead) {
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

TEST_F(NodeComesBackTest, AReservationSaysWhyItWaits) {
  world().small.Kill();
  Create(Partition("waits",
                   {{"cores", 10}, {"memory", "1000Mi"}, {"devices", {{"models", {"Z100L"}}}}}));
  EXPECT_TRUE(Becomes("waits", "Assigned", "False/Unschedulable"));
  world().small.Start();
  EXPECT_TRUE(Becomes("waits", "Ready", "True/Ready"));
}

// A pod runs on while its partition is deleted and let go in the dead node's place.
TEST_F(NodeComesBackTest, IsReadyOnlyWithAllThatItHolds) {
  Create(Pod("runs", {{"dcunum", "1"}, {"dcumem", "2000"}, {"dcucores", "15"}},
             {{"hygon.com/use-dcutype", "Z100L"}}));
  ASSERT_EQ(Bound("runs"), "small");
  const json partition = OnlyPartitionOf("runs");
  world().small.Kill();
  SetReady("Unknown");
  ASSERT_TRUE(Says("Unknown", "NodeNotReady"));
  Patch(kSmall, {{"spec",
                  {{"taints", json::array({{{"key", "node.kubernetes.io/out-of-service"},
                                            {"effect", "NoExecute"}}})}}}});
  Delete(kPartitions, partition["metadata"]["name"]);
  Eventually("the finalizer is lifted", [&] { return PartitionsOf("runs").empty(); });
  Patch(kSmall, {{"spec", {{"taints", nullptr}}}});
  SetReady("True");
  Eventually("the node is believed in", [&] {
    return Condition(world().small.DcuNode(), "Ready")["reason"] != "NodeNotReady";
  });

  const std::string folder = world().cluster.folder();
  const Background watch(
      {folder + "/c/kubectl", "get", "dcunode", "small", "--watch", "-o",
       "jsonpath={.status.conditions[0].status} {.status.held[*].partitionUID}{\"\\n\"}"},
      folder + "/watch.log");
  const auto seen = [&] {
    std::ifstream file(folder + "/watch.log");
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  Eventually("the watch runs", [&] { return seen().starts_with("Unknown"); });
  world().small.Start();
  Eventually("it is ready", [&] { return seen().find("True") != std::string::npos; });
  const std::string first = seen().substr(seen().find("True"));
  EXPECT_EQ(first.substr(0, first.find('\n')),
            "True " + partition["metadata"]["uid"].get<std::string>());
  Create(Pod("next", {{"dcunum", "1"}, {"dcumem", "2000"}, {"dcucores", "15"}},
             {{"hygon.com/use-dcutype", "Z100L"}}));
  EXPECT_EQ(Bound("next"), "small");
  EXPECT_FALSE(HasEvent("next", "SliceRefused", ""));
  Delete(kPods, "runs");
}

}  // namespace
}  // namespace vdcu::integration
