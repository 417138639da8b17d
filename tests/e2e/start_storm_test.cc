// As many containers as a node has pods for, all of them started again at the same moment.
#include <signal.h>

#include <set>
#include <string>
#include <vector>

#include "tests/e2e/e2e_test.h"

namespace vdcu::e2e {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using world::kPods;

constexpr int kContainers = 110;
constexpr char kBigNode[] = "node-2";

class StartStormTest : public E2eTest {
 protected:
  // Pods of that node all of whose containers run, and have been restarted so often.
  static size_t RunningPods(int restarts) {
    size_t count = 0;
    for (const json& pod : api().List(kPods)) {
      const json statuses = pod["status"].value("containerStatuses", json::array());
      if (statuses.empty() || !statuses[0].value("ready", false)) continue;
      if (statuses[0]["restartCount"] == restarts) ++count;
    }
    return count;
  }
};

TEST_F(StartStormTest, Of110Containers) {
  Machine big(world().cluster, api(),
              {.name = kBigNode,
               .host = {.cards = (kContainers + 3) / 4,
                        .model = "K100_AI",
                        .serial_prefix = kBigNode,
                        .real_devices = true}});
  big.StartDaemon();
  ASSERT_TRUE(Eventually("the node advertises its slots", [] {
    return api().Find("/api/v1/nodes", kBigNode)["status"]["allocatable"].value("hygon.com/dcunum",
                                                                                "") == "112";
  }));
  const Checker checker(api(), big);
  for (int i = 0; i < kContainers; ++i) {
    json pod = RealPod("storm-" + std::to_string(i), Slice(10, 1000));
    pod["spec"]["nodeSelector"] = {{"kubernetes.io/hostname", kBigNode}};
    pod["spec"]["restartPolicy"] = "Always";
    Create(pod);
  }
  ASSERT_TRUE(Eventually("all run", [] { return RunningPods(0) == kContainers; }, seconds(400)));
  for (const RunningContainer& container : RunningContainers(big)) kill(container.pid, SIGKILL);
  ASSERT_TRUE(
      Eventually("all run again", [] { return RunningPods(1) == kContainers; }, seconds(400)));
  std::set<std::string> slices;
  for (const RunningContainer& container : RunningContainers(big)) slices.insert(container.slice);
  EXPECT_EQ(slices.size(), static_cast<size_t>(kContainers));
  EXPECT_EQ(big.Metrics().find("vdcu_node_admissions_refused_total{"), std::string::npos)
      << big.DaemonLog();
  EXPECT_THAT(checker.Breaches(), testing::IsEmpty());
  api().Call("DELETE", std::string(kPods) + "?gracePeriodSeconds=0");
  Eventually("all slots are free",
             [&] { return big.DcuNode()["status"].value("vdcus", "") == "0/112"; });
  api().Call("DELETE", std::string("/api/v1/nodes/") + kBigNode);
}

}  // namespace
}  // namespace vdcu::e2e
