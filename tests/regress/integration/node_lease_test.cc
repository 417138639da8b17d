// Where no kubelet runs nobody told that a daemon was dead: its DCUNode said Ready for ever.
#include <chrono>
#include <string>

#include "tests/integration/placement_fixture.h"

namespace vdcu::integration {
namespace {

using nlohmann::json;

constexpr char kLeases[] = "/apis/coordination.k8s.io/v1/namespaces/vdcu-system/leases";

class NodeLeaseTest : public PlacementTest {
 protected:
  bool Says(const std::string& status, const std::string& reason) {
    return Eventually("DCUNode small says " + status + " " + reason, [&] {
      const json ready = Condition(world().small.DcuNode(), "Ready");
      return ready["status"] == status && ready["reason"] == reason;
    });
  }
};

TEST_F(NodeLeaseTest, ADeadDaemonIsUnknownAndSpeaksAgain) {
  const json lease = api().Find(kLeases, "small");
  ASSERT_TRUE(lease.is_object());
  EXPECT_EQ(lease["spec"]["holderIdentity"], "small");
  world().small.Kill();
  const auto killed = std::chrono::steady_clock::now();
  ASSERT_TRUE(Says("Unknown", "DaemonSilent"));
  EXPECT_LE(std::chrono::steady_clock::now() - killed, std::chrono::seconds(16));
  EXPECT_EQ(Condition(world().big.DcuNode(), "Ready")["status"], "True");
  EXPECT_EQ(world().small.DcuNode()["status"]["heartbeat"], "Lease");
  Create(Pod("late", {{"dcunum", "1"}}, {{"hygon.com/use-dcutype", "Z100L"}}));
  EXPECT_TRUE(Waits("late", "Unschedulable", "its daemon does not report"));
  world().small.Start();
  ASSERT_TRUE(Says("True", "Published"));
  EXPECT_EQ(Bound("late"), "small");
}

TEST_F(NodeLeaseTest, ALeaseThatIsTakenAwayIsMadeAgain) {
  const std::string uid = api().Find(kLeases, "small")["metadata"]["uid"];
  ASSERT_EQ(api().Call("DELETE", std::string(kLeases) + "/small").code, 200);
  Eventually("there is another", [&] {
    const json lease = api().Find(kLeases, "small");
    return lease.is_object() && lease["metadata"]["uid"] != uid;
  });
}

TEST_F(NodeLeaseTest, ADaemonWritesItsOwnOnly) {
  const std::string daemon = "system:serviceaccount:vdcu-system:vdcu-node";
  const auto answer = api().Call("PATCH", std::string(kLeases) + "/small",
                                 {{"spec", {{"holderIdentity", "x"}}}}, daemon);
  EXPECT_EQ(answer.code, 403) << answer.body.dump();
  EXPECT_THAT(answer.body.dump(), testing::HasSubstr("only the Lease named as its node"));
}

}  // namespace
}  // namespace vdcu::integration
