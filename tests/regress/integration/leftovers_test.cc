// Seen: a test that aborted left its etcd and kube-apiserver running for ever. Nothing outlives a
// test, in whatever way it ends. (With a machine: ../e2e/leftovers_test.cc.)
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <string>

#include "tests/regress/victim.h"
#include "tests/world/cluster.h"

namespace vdcu::regress {
namespace {

using testing::Contains;
using testing::EndsWith;
using testing::IsEmpty;

// Played by the process that NothingOutlivesATestThatAborts starts.
TEST(LeftoversTest, Victim) {
  if (!Victim::IsPlayed()) return;
  const world::Cluster cluster({"kube-controller-manager"});
  cluster.PauseApiServer();
  Victim::Show(cluster.folder());
  pause();
}

TEST(LeftoversTest, NothingOutlivesATestThatAborts) {
  Victim victim("LeftoversTest.Victim");
  const auto programs = victim.Programs();
  for (const char* program : {"/etcd", "/kube-apiserver", "/kube-controller-manager"}) {
    EXPECT_THAT(programs, Contains(EndsWith(program)));
  }
  EXPECT_EQ(victim.End(SIGABRT), 128 + SIGABRT);
  EXPECT_THAT(victim.Left(), IsEmpty());
}

}  // namespace
}  // namespace vdcu::regress
