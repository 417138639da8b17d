// The kubelet's checkpoint is gone: the containers that run go on and can never start again. The
// pod and its partition say so, and how it goes on.
#include <string>

#include "tests/e2e/e2e_test.h"

namespace vdcu::e2e {
namespace {

using nlohmann::json;
using world::Condition;
using world::kPartitions;

class LostCheckpointTest : public E2eTest {
 protected:
  static std::string Ready(const std::string& partition) {
    const json ready = Condition(api().Find(kPartitions, partition), "Ready");
    return ready.is_null()
               ? ""
               : ready["status"].get<std::string>() + " " + ready["reason"].get<std::string>() +
                     " " + ready["message"].get<std::string>();
  }
};

TEST_F(LostCheckpointTest, PodAndPartitionNameTheCauseAndTheWayOut) {
  Create(RealPod("runs", Slice(15, 2000)));
  ASSERT_TRUE(Runs("runs"));
  const std::string identity = Identity("runs");
  const std::string partition = PartitionsOf("runs").at(0)["metadata"]["name"];
  machine().Do("kill", {"kubelet"});
  const std::string checkpoint = "/var/lib/kubelet/device-plugins/kubelet_internal_checkpoint";
  ASSERT_EQ(machine().Exec({"rm", checkpoint}).exit_code, 0);
  machine().Do("start", {"kubelet"});
  ASSERT_TRUE(Eventually("the partition says so", [&] {
    return Ready(partition).find("False DeviceLost") == 0 &&
           Ready(partition).find("kubelet_internal_checkpoint") != std::string::npos;
  }));
  ASSERT_TRUE(Eventually("an event of the pod says so",
                         [] { return HasEvent("runs", "DeviceLost", "delete the pod"); }));
  EXPECT_EQ(Identity("runs"), identity) << "it runs on";
  ASSERT_TRUE(DaemonIsReady());
  Create(RealPod("next", Slice(15, 2000)));
  ASSERT_TRUE(Runs("next"));
  ExpectOwnSlice("next");
  // What a kubelet that was only restarted says is nothing.
  machine().RestartKubelet();
  ASSERT_TRUE(DaemonIsReady());
  Delete("runs");
  ASSERT_TRUE(IsGone("runs"));
  Create(RealPod("runs", Slice(15, 2000)));
  ASSERT_TRUE(Runs("runs"));
  ExpectOwnSlice("runs");
  EXPECT_FALSE(HasEvent("next", "DeviceLost", ""));
}

}  // namespace
}  // namespace vdcu::e2e
