// Pods that run were not asked whom their required podAntiAffinity keeps away.
#include "tests/integration/placement_fixture.h"

namespace vdcu::integration {
namespace {

using nlohmann::json;

class AntiAffinityThereTest : public PlacementTest {
 protected:
  // Of another scheduler, as most such pods are.
  void Guard(const std::string& node, const json& term) {
    json guard = Pod("guard-of-" + node, {});
    guard["spec"]["schedulerName"] = "default-scheduler";
    guard["spec"]["nodeName"] = node;
    guard["spec"]["affinity"]["podAntiAffinity"] = {
        {"requiredDuringSchedulingIgnoredDuringExecution", {term}}};
    Create(guard);
  }
};

TEST_F(AntiAffinityThereTest, APodWaitsUntilThePodThatKeepsItAwayIsGone) {
  Guard("small",
        {{"topologyKey", "kubernetes.io/hostname"},
         {"namespaceSelector", {{"matchLabels", {{"kubernetes.io/metadata.name", "default"}}}}},
         {"labelSelector", {{"matchLabels", {{"app", "web"}}}}}});
  Guard("big",
        {{"topologyKey", "kubernetes.io/hostname"},
         {"labelSelector", {{"matchExpressions", {{{"key", "app"}, {"operator", "Exists"}}}}}}});
  json pod = Pod("web", {{"dcunum", "1"}, {"dcumem", "1000"}, {"dcucores", "10"}});
  pod["metadata"]["labels"]["app"] = "web";
  Create(pod);
  ASSERT_TRUE(Waits("web", "Unschedulable",
                    "2 node shares kubernetes.io/hostname with a pod whose anti-affinity"));
  json other = Pod("other", {{"dcunum", "1"}, {"dcumem", "1000"}, {"dcucores", "10"}});
  Create(other);
  EXPECT_FALSE(Bound("other").empty()) << "it is selected by none";
  Delete(kPods, "guard-of-small");
  EXPECT_EQ(Bound("web"), "small");
}

}  // namespace
}  // namespace vdcu::integration
