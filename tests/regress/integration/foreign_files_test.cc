// Something that is not ours in /etc/vdev costs a node its number, not its slices, and the DCUNode
// names it.
#include <filesystem>
#include <string>

#include "tests/integration/placement_fixture.h"

namespace vdcu::integration {
namespace {

using nlohmann::json;

class ForeignFilesTest : public PlacementTest {
 protected:
  void TearDown() override {
    if (world().small.runs()) Clean();
    PlacementTest::TearDown();
  }
  static base::Root Root() { return world().small.host().root(); }
  static void Clean() {
    for (const char* path : {"/etc/vdev/vdev0.conf", "/etc/vdev/vdev2.conf"}) {
      std::filesystem::remove_all(Root().Resolve(path));
    }
  }
  static std::string Ready() {
    const json ready = Condition(world().small.DcuNode(), "Ready");
    return ready.is_null()
               ? ""
               : ready["status"].get<std::string>() + " " + ready["reason"].get<std::string>() +
                     " " + ready["message"].get<std::string>();
  }
  static json Small(const std::string& name) {
    return Pod(name, {{"dcunum", "1"}, {"dcucores", "10"}, {"dcumem", "1000"}},
               {{"hygon.com/use-dcutype", "Z100L"}});
  }
};

TEST_F(ForeignFilesTest, OtherNumbersAreGivenAndTheNodeSaysWhy) {
  ASSERT_TRUE(Root().MakeFolder("/etc/vdev/vdev0.conf/full"));
  ASSERT_TRUE(Root().MakeFolder("/etc/vdev/vdev2.conf"));
  ASSERT_TRUE(Eventually("the DCUNode names it", [] {
    return Ready().find("True PublishedInPart") == 0 &&
           Ready().find("/etc/vdev/vdev0.conf") != std::string::npos;
  }));
  ASSERT_TRUE(Eventually("an empty folder is removed",
                         [] { return !Root().Exists("/etc/vdev/vdev2.conf"); }));
  Create(Small("first"));
  ASSERT_EQ(Bound("first"), "small");
  EXPECT_EQ(OnlyPartitionOf("first")["spec"]["assignment"]["vdev"], 1);
  // At the next start, too.
  world().small.Kill();
  world().small.Start();
  Create(Small("second"));
  ASSERT_EQ(Bound("second"), "small");
  EXPECT_EQ(OnlyPartitionOf("second")["spec"]["assignment"]["vdev"], 2);
  Clean();
  ASSERT_TRUE(
      Eventually("the DCUNode is well", [] { return Ready().find("True Published ") == 0; }));
}

TEST_F(ForeignFilesTest, ANodeThatCanKeepNothingIsNotReady) {
  world().small.Kill();
  const std::string folder = Root().Resolve("/var/lib/vdcu");
  std::filesystem::remove_all(folder);
  ASSERT_TRUE(Root().WriteAtomic("/var/lib/vdcu", ""));
  world().small.Start();
  ASSERT_TRUE(Eventually("it says so", [] {
    return Ready().find("False DiskFails") == 0 &&
           Ready().find("/var/lib/vdcu") != std::string::npos;
  }));
  Create(Small("waits"));
  EXPECT_TRUE(Waits("waits", "Unschedulable", "not ready"));
  ASSERT_TRUE(Root().RemoveFile("/var/lib/vdcu"));
  EXPECT_EQ(Bound("waits"), "small");
}

}  // namespace
}  // namespace vdcu::integration
