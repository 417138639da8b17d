// A running pod was resized in place, and the pods that fitted then waited for ever.
#include "tests/integration/placement_fixture.h"

namespace vdcu::integration {
namespace {

using nlohmann::json;

class ResizedPodTest : public PlacementTest {
 protected:
  static json WithCpu(json pod, const std::string& cpu) {
    for (const char* kind : {"requests", "limits"}) {
      pod["spec"]["containers"][0]["resources"][kind]["cpu"] = cpu;
    }
    return pod;
  }
};

TEST_F(ResizedPodTest, WhatItLeavesIsGivenToWhoWaits) {
  // Of the 32 cores of the node; another scheduler's, as most pods are.
  json runs = WithCpu(Pod("runs", {}), "31500m");
  runs["spec"]["schedulerName"] = "default-scheduler";
  runs["spec"]["nodeName"] = "big";
  Create(runs);
  Create(WithCpu(Pod("waits", {{"dcunum", "1"}, {"dcumem", "1000"}, {"dcucores", "10"}},
                     {{"hygon.com/use-dcutype", "K100_AI"}}),
                 "1"));
  ASSERT_TRUE(Waits("waits", "Unschedulable", "node has too little cpu"));
  const json resources{{"requests", {{"cpu", "100m"}}}, {"limits", {{"cpu", "100m"}}}};
  const auto answer = api().Call(
      "PATCH", std::string(kPods) + "/runs/resize",
      {{"spec", {{"containers", {{{"name", "main"}, {"image", "i"}, {"resources", resources}}}}}}});
  ASSERT_EQ(answer.code, 200) << answer.body.dump();
  EXPECT_EQ(Bound("waits"), "big");
}

}  // namespace
}  // namespace vdcu::integration
