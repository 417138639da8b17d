// With SSLKEYLOGFILE in its environment a process wrote the keys of its connections to the API
// server, and so its token, into a file.
#include <filesystem>

#include "tests/integration/placement_fixture.h"

namespace vdcu::integration {
namespace {

class KeyLogTest : public PlacementTest {
 protected:
  void TearDown() override {
    unsetenv("SSLKEYLOGFILE");
    PlacementTest::TearDown();
  }
};

TEST_F(KeyLogTest, NoKeysAreWritten) {
  const std::string file = world().cluster.folder() + "/keys";
  setenv("SSLKEYLOGFILE", file.c_str(), 1);
  world().controller.reset();
  world().controller = world().MakeController("controller");
  Create(Pod("p", {{"dcunum", "1"}}));
  EXPECT_FALSE(Bound("p").empty()) << "by that controller";
  EXPECT_FALSE(std::filesystem::exists(file));
}

}  // namespace
}  // namespace vdcu::integration
