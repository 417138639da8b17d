// Pods that only seem to ask made the kubelet refuse the rightful ones of their node, and a
// ReplicaSet made new ones without end. Never was a slice given to the wrong pod.
#include <string>
#include <vector>

#include "tests/e2e/e2e_test.h"

namespace vdcu::e2e {
namespace {

using nlohmann::json;

class SeveralAskTest : public E2eTest {
 protected:
  void ExpectOwn(const std::vector<std::string>& pods) {
    ASSERT_TRUE(Runs(pods));
    for (const std::string& pod : pods) ExpectOwnSlice(pod);
  }
};

// A kubelet that does not know the plugin yet takes its resource for nothing and admits the pod,
// which then waits for its volume, without a device, for ever.
TEST_F(SeveralAskTest, APodThatWasAdmittedWithoutThePluginDoesNotAskAnyMore) {
  ASSERT_EQ(machine().StopDaemon(), 0);
  machine().Do("stop", {"kubelet"});
  const std::string checkpoint = "/var/lib/kubelet/device-plugins/kubelet_internal_checkpoint";
  ASSERT_EQ(machine().Exec({"rm", checkpoint}).exit_code, 0);
  machine().Do("start", {"kubelet"});
  json bare = On(kNode, RealPod("bare", Slice(10, 1000)));
  bare["spec"]["volumes"] = {{{"name", "v"}, {"configMap", {{"name", "not-there"}}}}};
  bare["spec"]["containers"][0]["volumeMounts"] = {{{"name", "v"}, {"mountPath", "/v"}}};
  Create(bare);
  ASSERT_TRUE(Eventually("the kubelet has admitted it",
                         [] { return FindPod("bare")["status"].contains("startTime"); }));
  ASSERT_EQ(FindPod("bare")["status"]["phase"], "Pending") << "it knew the plugin";
  StartAll();
  ASSERT_TRUE(DaemonIsReady());
  ExpectOwn(CreateSlices(3));
  ExpectNoAdmissionError();
}

class OldListTest : public SeveralAskTest {
 protected:
  void TearDown() override {
    if (checker_) machine().ConfigureKubelet("");
    SeveralAskTest::TearDown();
  }
};

// Kubelets before 1.34 list pods that have ended or were refused, which the API does not show yet.
TEST_F(OldListTest, PodsThatWereRefusedDoNotFailTheRightfulOnes) {
  machine().ConfigureKubelet("featureGates: {KubeletPodResourcesListUseActivePods: false}\n");
  ASSERT_TRUE(DaemonIsReady());
  std::vector<std::string> right;
  for (int i = 0; i < 6; ++i) {
    const std::string number = std::to_string(i);
    Create(On(kNode, RealPod("rogue-" + number, kWholeCard, {{"vdcu.io/partition", "kept"}})));
    right.push_back("right-" + number);
    Create(RealPod(right.back(), Slice(10, 1000)));
  }
  ExpectOwn(right);
  for (int i = 0; i < 6; ++i) ASSERT_TRUE(HasPhase("rogue-" + std::to_string(i), "Failed"));
}

}  // namespace
}  // namespace vdcu::e2e
