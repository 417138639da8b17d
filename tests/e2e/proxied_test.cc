#include "tests/e2e/proxied_test.h"

#include <filesystem>

namespace vdcu::e2e {

faults::Proxy& ProxiedTest::proxy() {
  static faults::Proxy one(world().cluster, "daemon");
  return one;
}

void ProxiedTest::SetUp() {
  E2eTest::SetUp();
  if (IsSkipped() || HasFatalFailure()) return;
  std::filesystem::copy_file(machine().kubeconfig(), ProxiedKubeconfig(),
                             std::filesystem::copy_options::overwrite_existing);
  proxy().Redirect(ProxiedKubeconfig(), "daemon");
  StartProxied();
}

void ProxiedTest::TearDown() {
  if (checker_) {
    proxy().Plan({});
    machine().KillDaemon();
  }
  E2eTest::TearDown();
}

void ProxiedTest::StartProxied() {
  proxy().Plan({});
  machine().KillDaemon();
  machine().StartDaemon({.kubeconfig = ProxiedKubeconfig()});
  ASSERT_TRUE(DaemonIsReady());
}

}  // namespace vdcu::e2e
