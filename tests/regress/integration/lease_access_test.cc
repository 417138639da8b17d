// --leader-elect without access to its Lease was silent: no line in the log, /readyz 200, and it
// never led. Right: said at once, and not ready after a while.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "tests/integration/placement_fixture.h"
#include "tests/world/http.h"

namespace vdcu::integration {
namespace {

using testing::HasSubstr;
using world::Fetch;
using world::HttpAnswer;

class LeaseAccessTest : public PlacementTest {
 protected:
  static std::string Log() {
    std::ifstream file(world().cluster.folder() + "/no-lease.log");
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static HttpAnswer Readiness() {
    const std::string log = Log();
    const size_t at = log.find("serving port=");
    if (at == std::string::npos) return {};
    const std::string port = log.substr(at + 13, log.find('\n', at) - at - 13);
    return Fetch({.url = "http://127.0.0.1:" + port + "/readyz"});
  }
  static size_t Times(const std::string& text) {
    size_t count = 0;
    const std::string log = Log();
    for (size_t at = 0; (at = log.find(text, at)) != std::string::npos; at += text.size()) ++count;
    return count;
  }
};

TEST_F(LeaseAccessTest, AMissingRoleIsSaidOnceAndIsNotReady) {
  const auto standby = world().MakeController(
      "no-lease",
      {"--leader-elect", "--lease-namespace", "kube-public", "--listen", "127.0.0.1:0"});
  Eventually("it says so", [] { return Times("the Lease cannot be had") > 0; });
  EXPECT_EQ(Readiness().code, 200) << "it may be over soon";
  Eventually("it is not ready", [] { return Readiness().code == 503; });
  const std::string text = Readiness().text;
  EXPECT_THAT(text, HasSubstr("the Lease kube-public/vdcu-controller cannot be had for "));
  EXPECT_THAT(text, HasSubstr("forbidden"));
  EXPECT_EQ(Times("the Lease cannot be had"), 1u) << Log();
  EXPECT_THAT(Log(), HasSubstr("kube-public/vdcu-controller"));
}

}  // namespace
}  // namespace vdcu::integration
