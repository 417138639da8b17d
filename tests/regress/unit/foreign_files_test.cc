// An empty folder /etc/vdev/vdev0.conf, as dockerd makes one where it is to mount a file that is
// not there, cost a node its slices. What is not ours costs what needs its place, and nothing else.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "node/holdings.h"
#include "tests/node/builders.h"
#include "tests/node/temp_folder.h"

namespace vdcu::node {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Key;

class ForeignFilesTest : public testing::Test {
 protected:
  ForeignFilesTest() { Start(holdings_); }

  void Start(Holdings& holdings) {
    ASSERT_TRUE(holdings.Load());
    holdings.SetDevices({MakeDevice("DCU-0")}, {}, base::SystemClock().Wall());
    holdings.Repair();
  }
  // "" or the refusal's reason; slot n has vdev number 4 + n.
  static std::string Hold(Holdings& holdings, const std::string& name, int slot) {
    const auto refusal =
        holdings.Hold({"uid-" + name, "team", name, MakeAssignment(slot), RefOf(MakePod("a")), ""});
    return refusal ? refusal->reason : "";
  }
  void MakeFolder(const std::string& path) { ASSERT_TRUE(root_.MakeFolder(path)); }
  void MakeFile(const std::string& path, const std::string& content) {
    ASSERT_TRUE(root_.WriteAtomic(path, content));
  }

  TempFolder folder_;
  base::Root root_{folder_.path()};
  RootFileOps files_{root_};
  Changes changes_;
  Holdings holdings_{SliceFiles(files_), changes_};
};

TEST_F(ForeignFilesTest, AnEmptyFolderIsRemovedWhereverAFileOfOursIsToBe) {
  for (const char* path :
       {"/etc/vdev/vdev4.conf", "/etc/vdev/.vdev4.conf.tmp", "/etc/vdev/slices/uid-p/vdev0.conf",
        "/etc/vdev/slices/uid-p/more", "/var/lib/vdcu/slices/uid-p.json"}) {
    SCOPED_TRACE(path);
    MakeFolder(path);
    EXPECT_EQ(Hold(holdings_, "p", 0), "");
    holdings_.Repair();
    EXPECT_EQ(holdings_.disk(), DiskState());
    EXPECT_TRUE(root_.IsFile("/etc/vdev/vdev4.conf"));
    EXPECT_TRUE(holdings_.Release("uid-p"));
    EXPECT_FALSE(root_.Exists("/etc/vdev/slices/uid-p"));
  }
}

TEST_F(ForeignFilesTest, OnlyTheNumberOfWhatIsSomebodysIsPassedOver) {
  const std::vector<std::function<void()>> kinds{
      [this] { MakeFolder("/etc/vdev/vdev4.conf/full"); },
      [this] { MakeFolder("/etc/vdev/.vdev4.conf.tmp/full"); },
      [this] { std::filesystem::create_symlink("/x", root_.Resolve("/etc/vdev/vdev4.conf")); }};
  for (const auto& make : kinds) {
    make();
    EXPECT_EQ(Hold(holdings_, "p", 0), "VdevOccupied");
    EXPECT_EQ(holdings_.Find("uid-p"), nullptr) << "its units are free";
    EXPECT_THAT(holdings_.disk().occupied_vdevs, ElementsAre(Key(4)));
    EXPECT_EQ(Hold(holdings_, "q", 1), "");
    Holdings again{SliceFiles(files_), changes_};
    Start(again);
    EXPECT_THAT(again.disk().occupied_vdevs, ElementsAre(Key(4))) << "after a restart, too";
    EXPECT_THAT(again.disk().problems, IsEmpty());
    EXPECT_EQ(again.disk().failure, "");
    EXPECT_EQ(Hold(again, "r", 2), "");
    ASSERT_TRUE(again.Release("uid-r"));
    for (const char* name : {"vdev4.conf", ".vdev4.conf.tmp"}) {
      std::filesystem::remove_all(root_.Resolve("/etc/vdev/") + name);
    }
    holdings_.CheckDisk();
    EXPECT_EQ(holdings_.disk(), DiskState());
    EXPECT_EQ(Hold(holdings_, "p", 0), "");
    for (const char* uid : {"uid-p", "uid-q"}) ASSERT_TRUE(holdings_.Release(uid));
  }
}

// Its units stayed held: nothing could be let go.
TEST_F(ForeignFilesTest, ASliceIsLetGoThoughSomethingStandsInItsPlaces) {
  ASSERT_EQ(Hold(holdings_, "p", 0), "");
  ASSERT_TRUE(root_.RemoveFile("/etc/vdev/vdev4.conf"));
  MakeFolder("/etc/vdev/vdev4.conf/full");
  MakeFolder("/etc/vdev/slices/uid-p/foreign/full");
  EXPECT_TRUE(holdings_.Release("uid-p"));
  EXPECT_EQ(holdings_.Find("uid-p"), nullptr);
  EXPECT_FALSE(root_.Exists("/etc/vdev/slices/uid-p/vdev0.conf"));
  EXPECT_FALSE(root_.Exists("/var/lib/vdcu/slices/uid-p.json"));
  EXPECT_TRUE(root_.Exists("/etc/vdev/vdev4.conf/full")) << "it is somebody's";
}

TEST_F(ForeignFilesTest, AFolderInASlicesFolderIsNamedAndEverythingElseMended) {
  ASSERT_EQ(Hold(holdings_, "p", 0), "");
  ASSERT_EQ(Hold(holdings_, "q", 1), "");
  MakeFolder("/etc/vdev/slices/uid-p/foreign/full");
  MakeFolder("/var/lib/vdcu/slices/foreign/full");
  MakeFile("/etc/vdev/slices/uid-q/vdev0.conf", "wrong");
  Holdings again{SliceFiles(files_), changes_};
  Start(again);
  EXPECT_THAT(again.disk().problems,
              testing::UnorderedElementsAre(HasSubstr("/etc/vdev/slices/uid-p/foreign is a folder"),
                                            HasSubstr("/var/lib/vdcu/slices/foreign is a folder")));
  EXPECT_EQ(again.disk().failure, "");
  EXPECT_THAT(root_.Read("/etc/vdev/slices/uid-q/vdev0.conf").value(), HasSubstr("cu_count: 9\n"));
  EXPECT_EQ(Hold(again, "r", 2), "");
}

TEST_F(ForeignFilesTest, AFileInPlaceOfTheDaemonsFolderFailsTheDiskUntilItGoes) {
  for (const char* path : {"/var/lib/vdcu", "/etc/vdev/slices"}) {
    SCOPED_TRACE(path);
    std::filesystem::remove_all(root_.Resolve(path));
    MakeFile(path, "");
    Holdings again{SliceFiles(files_), changes_};
    Start(again);
    EXPECT_THAT(again.disk().failure, HasSubstr(path));
    EXPECT_NE(Hold(again, "p", 0), "");
    again.CheckDisk();
    EXPECT_NE(again.disk().failure, "");
    ASSERT_TRUE(root_.RemoveFile(path));
    again.CheckDisk();
    EXPECT_EQ(again.disk(), DiskState());
    EXPECT_EQ(Hold(again, "p", 0), "");
    ASSERT_TRUE(again.Release("uid-p"));
  }
}

TEST_F(ForeignFilesTest, OtherBytesInACheckpointCostThatSliceOnly) {
  ASSERT_EQ(Hold(holdings_, "p", 0), "");
  ASSERT_EQ(Hold(holdings_, "q", 1), "");
  const std::string path = "/var/lib/vdcu/slices/uid-p.json";
  for (const std::string& bytes : {std::string("\x7f"
                                               "ELF"),
                                   std::string(), std::string("[]"), std::string(100'000, 'x'),
                                   std::string(R"({"version":1})")}) {
    MakeFile(path, bytes);
    Holdings again{SliceFiles(files_), changes_};
    Start(again);
    EXPECT_EQ(again.Find("uid-p"), nullptr);
    EXPECT_NE(again.Find("uid-q"), nullptr);
    EXPECT_THAT(again.Orphans().value(), testing::Contains("uid-p"));
    // Its container may run: what it has stays, and who looks is told.
    EXPECT_TRUE(root_.Exists("/etc/vdev/slices/uid-p/vdev0.conf"));
    EXPECT_THAT(again.disk().problems, ElementsAre(HasSubstr(path)));
    EXPECT_EQ(Hold(again, "p", 0), "") << "its object says what it holds";
    again.CheckDisk();
    EXPECT_EQ(again.disk(), DiskState());
  }
}

TEST_F(ForeignFilesTest, AFolderInPlaceOfACheckpointCostsThatSliceOnly) {
  ASSERT_EQ(Hold(holdings_, "q", 1), "");
  MakeFolder("/var/lib/vdcu/slices/uid-p.json/full");
  Holdings again{SliceFiles(files_), changes_};
  Start(again);
  EXPECT_NE(again.Find("uid-q"), nullptr);
  EXPECT_EQ(Hold(again, "p", 0), "WriteFailed");
  EXPECT_EQ(again.disk().failure, "");
  EXPECT_TRUE(again.Release("uid-p"));
}

}  // namespace
}  // namespace vdcu::node
