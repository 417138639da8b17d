// A ReplicaSet whose pods are refused on their node: they fail and are made anew without end. The
// ReplicaSet says why, once, and not each pod.
#include <algorithm>
#include <string>

#include "tests/e2e/e2e_test.h"

namespace vdcu::e2e {
namespace {

using nlohmann::json;
using world::kPods;

class BypassedTest : public E2eTest {};

TEST_F(BypassedTest, TheOwnerIsToldOnce) {
  // Whoever names a reserved partition must be bound by vdcu-scheduler.
  json pod = On(kNode, RealPod("x", kWholeCard));
  json set = ReplicaSet("bypass", 1, pod);
  set["spec"]["template"]["metadata"]["annotations"] = {{"vdcu.io/partition", "kept"}};
  Create(set);
  ASSERT_TRUE(Eventually("several pods have failed", [] { return api().List(kPods).size() > 5; }));
  ASSERT_TRUE(Eventually("the ReplicaSet says why",
                         [] { return HasEvent("bypass", "NoSlice", "spec.nodeName"); }));
  api().Call("DELETE",
             "/apis/apps/v1/namespaces/default/replicasets/bypass?propagationPolicy=Background");
  const auto events = api().List("/apis/events.k8s.io/v1/namespaces/default/events");
  const auto told = std::count_if(events.begin(), events.end(), [](const json& event) {
    const std::string about = event["regarding"].value("name", "");
    return event["reason"] == "NoSlice" && about.starts_with("bypass");
  });
  EXPECT_EQ(told, 1);
}

}  // namespace
}  // namespace vdcu::e2e
