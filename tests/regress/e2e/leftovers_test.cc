// Seen: a test that aborted left its control plane, its machine and its daemons running for ever,
// and their containers failed another test. Nothing outlives a test, in whatever way it ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "tests/e2e/e2e_test.h"
#include "tests/regress/victim.h"

namespace vdcu::regress {
namespace {

using testing::Contains;
using testing::EndsWith;
using testing::IsEmpty;

class LeftoversTest : public e2e::E2eTest {};

// Played by the process that NothingOutlivesATestThatIsKilled starts.
TEST_F(LeftoversTest, Victim) {
  if (IsSkipped() || HasFatalFailure() || !Victim::IsPlayed()) return;
  Create(e2e::RealPod("slice", e2e::Slice(15, 2000)));
  ASSERT_TRUE(Runs("slice"));
  Victim::Show(world().cluster.folder(), machine().cgroup());
  pause();
}

TEST_F(LeftoversTest, NothingOutlivesATestThatIsKilled) {
  if (IsSkipped() || HasFatalFailure()) return;
  Victim victim("LeftoversTest.Victim");
  const auto programs = victim.Programs();
  for (const char* program :
       {"/etcd", "/kube-apiserver", "/kube-controller-manager", "/kubectl", "/vdcu-controller",
        "/init", "/containerd", "/kubelet", "vdcu-node", "/busybox"}) {
    EXPECT_THAT(programs, Contains(EndsWith(program)));
  }
  EXPECT_EQ(victim.End(SIGKILL), 128 + SIGKILL);
  EXPECT_THAT(victim.Left(), IsEmpty());
}

}  // namespace
}  // namespace vdcu::regress
