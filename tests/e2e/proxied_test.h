// The daemon of the machine behind the fault proxy (tests/faults), as client "daemon".
#pragma once

#include <string>

#include "tests/e2e/e2e_test.h"
#include "tests/faults/proxy.h"

namespace vdcu::e2e {

class ProxiedTest : public E2eTest {
 protected:
  static faults::Proxy& proxy();

  void SetUp() override;
  void TearDown() override;

  // Anew, with nothing planned.
  void StartProxied();
  static std::string ProxiedKubeconfig() { return machine().kubeconfig() + ".proxied"; }
};

}  // namespace vdcu::e2e
