// What the placement survives: processes, nodes, cards and API servers that go in the middle of it.
#include <signal.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "tests/integration/placement_fixture.h"
#include "tests/world/invariants.h"

namespace vdcu::integration {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using testing::HasSubstr;

const Limits kWholeCard{{"dcunum", "1"}};
const Limits kSlice{{"dcunum", "1"}, {"dcumem", "2000"}, {"dcucores", "15"}};
const std::map<std::string, std::string> kOnSmall{{"hygon.com/use-dcutype", "Z100L"}};
constexpr char kLeases[] = "/apis/coordination.k8s.io/v1/namespaces/vdcu-system/leases";

class BurstTest : public PlacementTest {
 protected:
  static constexpr int kSlots = 12 * 4;
  static constexpr int kBurst = 60;

  // Made by kubectl beside the test: slices of which any four fit on any card.
  void Begin() {
    json list{{"apiVersion", "v1"}, {"kind", "List"}, {"items", json::array()}};
    for (int i = 0; i < kBurst; ++i) {
      json pod = Pod("burst-" + std::to_string(i), {{"dcunum", "1"},
                                                    {"dcumem", std::to_string(1000 + 100 * i)},
                                                    {"dcucores", std::to_string(1 + i % 25)}});
      pod["metadata"]["namespace"] = "default";
      list["items"].push_back(std::move(pod));
    }
    const std::string folder = world().cluster.folder();
    std::ofstream(folder + "/burst.json") << list.dump();
    kubectl_ = std::make_unique<Background>(
        std::vector<std::string>{folder + "/c/kubectl", "create", "-f", folder + "/burst.json"},
        folder + "/burst.log");
  }

  static int Bindings() {
    const auto pods = api().List(kPods);
    return static_cast<int>(std::count_if(pods.begin(), pods.end(), [](const json& pod) {
      return pod["spec"].contains("nodeName");
    }));
  }
  // Waits for as many bindings, looking for breaches all the time.
  void Reach(int bindings) {
    Eventually(std::to_string(bindings) + " pods are bound", [&] {
      ExpectNoBreach();
      return HasFailure() || Bindings() >= bindings;
    });
    std::cerr << Bindings() << " of " << kSlots << " are bound\n";
  }

  std::unique_ptr<Background> kubectl_;
};

TEST_F(BurstTest, ProcessesAreKilledInABurstAndNothingIsGrantedTwice) {
  Begin();
  Reach(1);
  world().controller.reset();  // SIGKILL
  ExpectNoBreach();
  world().controller = world().MakeController("controller");
  Reach(6);
  world().big.Kill();
  ExpectNoBreach();
  world().big.Start();
  Reach(12);
  world().small.Kill();
  world().controller.reset();
  ExpectNoBreach();
  world().controller = world().MakeController("controller");
  world().small.Start();
  Reach(kSlots);
  EXPECT_EQ(kubectl_->Wait(seconds(180)), 0);

  Eventually("those that do not fit say so", [&] {
    const auto pods = api().List(kPods);
    return std::count_if(pods.begin(), pods.end(), [](const json& pod) {
             const json condition = Condition(pod, "PodScheduled");
             return condition.is_object() && condition.value("reason", "") == "Unschedulable";
           }) == kBurst - kSlots;
  });
  EXPECT_EQ(Bindings(), kSlots);
  Eventually("as many partitions", [&] { return api().List(kPartitions).size() == kSlots; });
  ExpectNoBreach();
  ExpectFilesOfAssignments();
}

class LeaderTest : public PlacementTest {
 protected:
  static std::string Holder() {
    const json lease = api().Find(kLeases, "vdcu-controller");
    return lease.is_object() ? lease["spec"].value("holderIdentity", "") : "";
  }
  std::unique_ptr<Background> StartReplica(const std::string& name) {
    auto replica = world().MakeController(name, {"--leader-elect"});
    Eventually(name + " leads, or knows who does",
               [&] { return world().LogOf(name).find(" leader ") != std::string::npos; });
    return replica;
  }
  // How long it takes until another than `before` holds the lease.
  base::Duration TakeOver(const std::string& before) {
    const base::SystemClock clock;
    const base::TimePoint start = clock.Now();
    Eventually("another leads", [&] {
      const std::string holder = Holder();
      return !holder.empty() && holder != before;
    });
    return clock.Now() - start;
  }
};

TEST_F(LeaderTest, AStandbyTakesOverFromADeadLeaderAndAtOnceFromOneThatEnds) {
  world().controller.reset();
  auto first = StartReplica("replica-1");
  Eventually("the first leads", [] { return !Holder().empty(); });
  auto second = StartReplica("replica-2");
  Create(Pod("before", kSlice));
  Bound("before");

  const std::string dead = Holder();
  first.reset();  // SIGKILL
  Create(Pod("between", kSlice));
  // The lease is 15 s, a follower looks at it every 2 s, and a busy machine needs its time.
  EXPECT_LE(TakeOver(dead), seconds(30));
  Bound("between");

  auto third = StartReplica("replica-3");
  const std::string ends = Holder();
  second->Signal(SIGTERM);
  EXPECT_LE(TakeOver(ends), seconds(10)) << "without waiting for the lease to run out";
  EXPECT_EQ(second->Wait(seconds(20)), 0);
  Create(Pod("after", kSlice));
  Bound("after");
  ExpectNoBreach();
  third->Signal(SIGTERM);
  EXPECT_EQ(third->Wait(seconds(20)), 0);
  EXPECT_EQ(Holder(), "");
}

class NodeFaultTest : public PlacementTest {
 protected:
  static constexpr char kNode[] = "/api/v1/nodes/small";

  // A reserved partition that either model can hold, on "small".
  void Reserve() {
    api().Call("PATCH", "/api/v1/nodes/big", {{"spec", {{"unschedulable", true}}}});
    Create(Partition("moves", {{"cores", 10}, {"memory", "1000Mi"}}));
    EXPECT_TRUE(Becomes("moves", "Ready", "True/Ready"));
    EXPECT_EQ(NodeOf("moves"), "small");
    api().Call("PATCH", "/api/v1/nodes/big", {{"spec", {{"unschedulable", nullptr}}}});
  }
  std::string NodeOf(const std::string& partition) const {
    return FindPartition(partition)["spec"].value("assignment", json::object()).value("node", "");
  }
};

TEST_F(NodeFaultTest, OfADeletedNodeTheSlicesAreFreeAndReservedOnesMove) {
  Create(Pod("lost", kSlice, kOnSmall));
  ASSERT_EQ(Bound("lost"), "small");
  Reserve();
  world().small.Kill();
  EXPECT_EQ(api().Call("DELETE", kNode).code, 200);
  Eventually("the reserved one is on the other node", [&] { return NodeOf("moves") == "big"; });
  EXPECT_TRUE(Becomes("moves", "Ready", "True/Ready"));
  EXPECT_EQ(FindPartition("moves")["spec"]["assignment"]["computeUnits"], 12);
  Delete(kPods, "lost");
  Eventually("the finalizer is lifted", [&] { return PartitionsOf("lost").empty(); });
  EXPECT_TRUE(HasEvent("moves", "NodeGone", "small"));

  // The machine comes back with the files as they were.
  EXPECT_FALSE(world().small.Files().empty());
  world().small.Register();
  world().small.Start();
  Eventually("it is cleared", [&] { return world().small.Files().empty(); });
  ExpectFilesOfAssignments();
  Create(Pod("again", kSlice, kOnSmall));
  EXPECT_EQ(Bound("again"), "small");
}

TEST_F(NodeFaultTest, OfANodeOutOfServiceTheSlicesAreFree) {
  Create(Pod("lost", kSlice, kOnSmall));
  ASSERT_EQ(Bound("lost"), "small");
  world().small.Kill();
  const auto taint = [&](const json& taints) {
    EXPECT_EQ(api().Call("PATCH", kNode, {{"spec", {{"taints", taints}}}}).code, 200);
  };
  taint(json::array({{{"key", "node.kubernetes.io/out-of-service"},
                      {"value", "nodeshutdown"},
                      {"effect", "NoExecute"}}}));
  Delete(kPods, "lost");
  Eventually("the finalizer is lifted", [&] { return PartitionsOf("lost").empty(); });
  Create(Pod("waits", kSlice, kOnSmall));
  EXPECT_TRUE(Waits("waits", "Unschedulable", "node.kubernetes.io/out-of-service"));
  world().small.Start();
  Eventually("it is cleared", [&] { return world().small.Files().empty(); });
  taint(nullptr);
  EXPECT_EQ(Bound("waits"), "small");
  ExpectFilesOfAssignments();
}

TEST_F(NodeFaultTest, ASickCardGetsNoNewSlices) {
  Create(
      Partition("sick", {{"cores", 10}, {"devices", {{"models", {"Z100L"}}}}, {"memory", "1Gi"}}));
  ASSERT_TRUE(Becomes("sick", "Ready", "True/Ready"));
  const std::string device = FindPartition("sick")["spec"]["assignment"]["device"];
  int card = 0;
  while (world().small.host().Uuid(card) != device) ++card;
  ASSERT_TRUE(world().small.host().MakeSick(card, hosts::Sickness::kRas));
  ASSERT_TRUE(Becomes("sick", "Healthy", "False/UncorrectableErrors"));
  Eventually("the node tells of it",
             [&] { return world().small.DcuNode()["status"]["healthy"] == "3/4"; });
  Create(Pod("elsewhere", kSlice, kOnSmall));
  ASSERT_EQ(Bound("elsewhere"), "small");
  EXPECT_NE(OnlyPartitionOf("elsewhere")["spec"]["assignment"]["device"], device);
  Create(Pod("waits", kSlice, {{"hygon.com/use-gpuuuid", device}}));
  ASSERT_TRUE(Waits("waits", "Unschedulable", "unhealthy (UncorrectableErrors)"));

  ASSERT_TRUE(world().small.host().Heal(card));
  ASSERT_TRUE(Becomes("sick", "Ready", "True/Ready"));
  EXPECT_EQ(Bound("waits"), "small") << "the card is well again";
  EXPECT_EQ(OnlyPartitionOf("waits")["spec"]["assignment"]["device"], device);
}

TEST_F(NodeFaultTest, TheDaemonRefusesAnOverlapWhoeverWroteIt) {
  // Bypasses the allocator: with the controller's own rights, while it does not run.
  world().controller.reset();
  const auto assigned = [&](const std::string& name, int slot) {
    json partition = Partition(name, {{"computeUnits", 9}, {"memory", "2000Mi"}});
    partition["metadata"]["finalizers"] = {"vdcu.io/in-use"};
    partition["spec"]["assignment"] = {{"node", "small"},
                                       {"device", world().small.host().Uuid(0)},
                                       {"pciBusID", world().small.host().cards()[0].pci_bus_id},
                                       {"computeUnits", 9},
                                       {"cuMasks", {"0x00000000000001ff", "0x0000000000000000"}},
                                       {"memory", "2000Mi"},
                                       {"pipe", slot},
                                       {"vdev", slot}};
    return partition;
  };
  EXPECT_EQ(api().Call("POST", kPartitions, assigned("by-admin", 0)).code, 403);
  Create(assigned("first", 0), kControllerUser);
  ASSERT_TRUE(Becomes("first", "Ready", "True/Ready"));
  Create(assigned("second", 1), kControllerUser);
  ASSERT_TRUE(Becomes("second", "Prepared", "False/UnitsOverlap"));
  EXPECT_THAT(BreachesOfObjects(api().List(kPartitions), world().hosts()),
              testing::Contains(HasSubstr("a unit is granted twice")));
  EXPECT_FALSE(world().small.Files().contains("/etc/vdev/vdev1.conf"));
  Eventually("an event says so", [&] { return HasEvent("second", "UnitsOverlap", ""); });

  world().controller = world().MakeController("controller");
  Eventually("the controller places it anew", [&] {
    const json condition = Condition(FindPartition("second"), "Ready");
    return condition.is_object() && condition["status"] == "True";
  });
  ExpectNoBreach();
  ExpectFilesOfAssignments();
}

TEST_F(NodeFaultTest, AnApiServerThatWasAwayIsFoundAgain) {
  Create(Pod("before", kSlice, kOnSmall));
  ASSERT_EQ(Bound("before"), "small");
  const auto files = world().small.Files();
  world().cluster.StopApiServer();
  ASSERT_TRUE(world().small.host().MakeSick(3, hosts::Sickness::kRas));
  EXPECT_EQ(world().small.Files(), files);
  world().cluster.StartApiServer();
  Create(Pod("after", kSlice, kOnSmall));
  EXPECT_EQ(Bound("after"), "small");
  Eventually("what happened meanwhile is told",
             [&] { return world().small.DcuNode()["status"]["healthy"] == "3/4"; });
  ASSERT_TRUE(world().small.host().Heal(3));
  Delete(kPods, "before");
  Eventually("the slice is let go", [&] { return PartitionsOf("before").empty(); });
  ExpectFilesOfAssignments();
}

}  // namespace
}  // namespace vdcu::integration
