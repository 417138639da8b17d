// Pods with required affinity to pods, or with a strict spread, were left alone.
#include "tests/integration/placement_fixture.h"

namespace vdcu::integration {
namespace {

using nlohmann::json;

const Limits kSlice{{"dcunum", "1"}, {"dcumem", "1000"}, {"dcucores", "10"}};

class PodTopologyTest : public PlacementTest {
 protected:
  static json Labelled(const std::string& name, const std::string& app) {
    json pod = Pod(name, kSlice);
    pod["metadata"]["labels"]["app"] = app;
    return pod;
  }
  static json Term(const std::string& app) {
    return {{"topologyKey", "kubernetes.io/hostname"},
            {"labelSelector", {{"matchLabels", {{"app", app}}}}}};
  }
};

TEST_F(PodTopologyTest, ReplicasKeepApart) {
  const auto replica = [](const std::string& name) {
    json pod = Labelled(name, "web");
    pod["spec"]["affinity"]["podAntiAffinity"] = {
        {"requiredDuringSchedulingIgnoredDuringExecution", {Term("web")}}};
    return pod;
  };
  for (const char* name : {"one", "two"}) Create(replica(name));
  EXPECT_NE(Bound("one"), Bound("two"));
  Create(replica("three"));
  ASSERT_TRUE(Waits("three", "Unschedulable", "2 node shares kubernetes.io/hostname with a pod"));
  const std::string node = Bound("one");
  Delete(kPods, "one");
  EXPECT_EQ(Bound("three"), node);
}

TEST_F(PodTopologyTest, GoesToWhomItsAffinityNames) {
  json pod = Labelled("beside", "web");
  pod["spec"]["affinity"]["podAffinity"] = {
      {"requiredDuringSchedulingIgnoredDuringExecution", {Term("db")}}};
  Create(pod);
  ASSERT_TRUE(Waits("beside", "Unschedulable", "with no pod that the affinity of this one names"));
  json db = Pod("db", {});
  db["metadata"]["labels"]["app"] = "db";
  db["spec"]["schedulerName"] = "default-scheduler";
  db["spec"]["nodeName"] = "big";
  Create(db);
  EXPECT_EQ(Bound("beside"), "big");
}

TEST_F(PodTopologyTest, AStrictSpreadIsKept) {
  const auto spread = [](const std::string& name) {
    json pod = Labelled(name, "even");
    pod["spec"]["topologySpreadConstraints"] = {
        {{"topologyKey", "kubernetes.io/hostname"},
         {"maxSkew", 1},
         {"whenUnsatisfiable", "DoNotSchedule"},
         {"labelSelector", {{"matchLabels", {{"app", "even"}}}}}}};
    return pod;
  };
  std::map<std::string, int> pods;
  for (const char* name : {"e1", "e2", "e3", "e4"}) {
    Create(spread(name));
    ++pods[Bound(name)];
  }
  EXPECT_EQ(pods, (std::map<std::string, int>{{"big", 2}, {"small", 2}}));
}

}  // namespace
}  // namespace vdcu::integration
