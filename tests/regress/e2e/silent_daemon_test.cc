// DCUNode said Ready for as long as nobody told it otherwise: with the daemon stopped for minutes,
// or the whole node gone.
#include <signal.h>

#include <chrono>
#include <string>

#include "base/clock.h"
#include "tests/e2e/e2e_test.h"

namespace vdcu::e2e {
namespace {

using nlohmann::json;
using std::chrono::seconds;

constexpr char kNodeStatus[] = "/api/v1/nodes/node-1/status";

class SilentDaemonTest : public E2eTest {
 protected:
  static json Ready() { return world::Condition(machine().DcuNode(), "Ready"); }
  bool Says(const std::string& status, const std::string& reason, seconds most) {
    return Eventually(
        "DCUNode says " + status + " " + reason,
        [&] {
          const json ready = Ready();
          return ready["status"] == status && ready["reason"] == reason;
        },
        most);
  }
  // Of a pod that waits, why.
  static std::string WhyWaits(const std::string& pod) {
    const json condition = world::Condition(FindPod(pod), "PodScheduled");
    return condition.is_object() ? condition.value("message", "") : "";
  }
};

TEST_F(SilentDaemonTest, IsUnknownWithinFifteenSecondsAndSpeaksAgain) {
  machine().KillDaemon();
  const auto killed = std::chrono::steady_clock::now();
  ASSERT_TRUE(Says("Unknown", "DaemonSilent", seconds(60)));
  const std::chrono::duration<double> after = std::chrono::steady_clock::now() - killed;
  RecordProperty("seconds", std::to_string(after.count()));
  EXPECT_LE(after, seconds(16)) << "a second for the test's own look";
  Create(RealPod("late", Slice(10, 1000)));
  ASSERT_TRUE(Eventually("the pod is told", [] {
    return WhyWaits("late").find("its daemon does not report") != std::string::npos;
  }));
  EXPECT_TRUE(PartitionsOf("late").empty()) << "no new slices there";
  machine().StartDaemon();
  ASSERT_TRUE(Runs("late"));
  ASSERT_TRUE(Says("True", "Published", seconds(60)));
  ExpectOwnSlice("late");
}

TEST_F(SilentDaemonTest, ARestartIsNoSilence) {
  const json serving = machine().DcuNode()["status"]["servingSince"];
  machine().RestartKubelet();
  ASSERT_TRUE(Eventually("it serves anew", [&] {
    return machine().DcuNode()["status"]["servingSince"] != serving && Ready()["status"] == "True";
  }));
  ASSERT_TRUE(Advertises("32"));
  for (int i = 0; i < 3; ++i) {
    const json before = machine().DcuNode()["status"]["servingSince"];
    const std::string since = Ready()["lastTransitionTime"];
    Eventually("another second", [&] {
      return base::FormatTime(base::SystemClock().Wall()) > before.get<std::string>();
    });
    const auto killed = std::chrono::steady_clock::now();
    machine().KillDaemon();
    machine().StartDaemon();
    ASSERT_TRUE(Eventually(
        "it serves anew", [&] { return machine().DcuNode()["status"]["servingSince"] != before; }));
    const bool quick = std::chrono::steady_clock::now() - killed < seconds(2);
    ASSERT_TRUE(Advertises("32"));
    EXPECT_EQ(Ready()["status"], "True");
    // Three seconds after the kubelet has told of it the controller would.
    if (quick) {
      EXPECT_EQ(Ready()["lastTransitionTime"], since);
    }
  }
}

// The test says in kube-controller-manager's place what that says after 50 s.
TEST_F(SilentDaemonTest, OfANodeThatIsNotReadyNothingIsBelieved) {
  machine().Do("kill", {"kubelet"});
  json unknown{{"type", "Ready"},
               {"status", "Unknown"},
               {"reason", "NodeStatusUnknown"},
               {"message", "Kubelet stopped posting node status."},
               {"lastTransitionTime", "2026-01-01T00:00:00Z"}};
  const json patch{{"status", {{"conditions", json::array({unknown})}}}};
  ASSERT_EQ(api().Call("PATCH", kNodeStatus, patch).code, 200);
  ASSERT_TRUE(Says("Unknown", "NodeNotReady", seconds(30)));
  machine().KillDaemon();
  machine().StartDaemon();
  machine().Do("start", {"kubelet"});
  ASSERT_TRUE(Says("True", "Published", seconds(120)));
  ASSERT_TRUE(Advertises("32"));
}

// Frozen it keeps its connection: only what it does not do tells.
TEST_F(SilentDaemonTest, OneThatHangsIsFoundByWhatItDoesNotPrepare) {
  const pid_t daemon = machine().DaemonPid();
  ASSERT_GT(daemon, 0);
  kill(daemon, SIGSTOP);
  Create(RealPod("asks", Slice(10, 1000)));
  const bool found = Says("Unknown", "DaemonSilent", seconds(60));
  kill(daemon, SIGCONT);
  ASSERT_TRUE(found);
  ASSERT_TRUE(Says("True", "Published", seconds(60)));
  ASSERT_TRUE(Runs("asks"));
}

}  // namespace
}  // namespace vdcu::e2e
