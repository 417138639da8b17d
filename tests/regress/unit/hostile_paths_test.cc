// Names from outside became paths as they came, and files were opened by their whole path: a name
// with "..", or a link in the place of a folder, led out of the daemon's folders. No name and no
// link does: whatever is written or removed is reached by its folder's descriptor.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "node/slice_files.h"
#include "tests/node/builders.h"
#include "tests/node/temp_folder.h"

namespace vdcu::node {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;
using testing::HasSubstr;
using testing::SizeIs;

class HostilePathsTest : public testing::Test {
 protected:
  HostilePathsTest() {
    EXPECT_TRUE(root_.MakeFolder("/precious"));
    EXPECT_TRUE(root_.WriteAtomic("/precious/file", "untouched"));
    EXPECT_TRUE(root_.MakeFolder("/etc/vdev/slices"));
    EXPECT_TRUE(root_.MakeFolder("/var/lib/vdcu/slices"));
  }
  ~HostilePathsTest() override {
    EXPECT_EQ(root_.Read("/precious/file").value_or("lost"), "untouched");
    EXPECT_THAT(root_.List("/precious").value(), SizeIs(1)) << "something was put there";
  }
  void Link(const std::string& path) {
    fs::create_directory_symlink(root_.Resolve("/precious"), root_.Resolve(path));
  }

  TempFolder folder_;
  base::Root root_{folder_.path()};
  RootFileOps ops_{root_};
  SliceFiles files_{ops_};
};

TEST_F(HostilePathsTest, NoNameLeadsOut) {
  const std::string nul("/etc/vdev/a\0b", 13);
  for (const std::string& path :
       {std::string("/etc/vdev/../../precious/file"), std::string("/etc/vdev/.."),
        std::string("/etc/vdev/."), std::string("/etc/vdev/"), std::string("/etc/../precious/x"),
        std::string("/etc/vdev/../../precious"), nul, nul + "/file"}) {
    SCOPED_TRACE(testing::PrintToString(path));
    EXPECT_EQ(ops_.Read(path).error().code, ErrorCode::kCorrupt);
    for (const base::Status& status : {root_.WriteAtomic(path, "x"), root_.RemoveFile(path),
                                       root_.MakeFolder(path), root_.MakeWay(path)}) {
      ASSERT_FALSE(status);
    }
  }
  EXPECT_FALSE(root_.RemoveFolder("/etc/vdev/../../precious"));
  EXPECT_FALSE(ops_.List("/etc/vdev/../../precious"));
}

TEST_F(HostilePathsTest, NoLinkInThePlaceOfAFolderIsFollowed) {
  Link("/etc/vdev/slices/link");
  const std::string file = "/etc/vdev/slices/link/file";
  for (const base::Status& status :
       {root_.WriteAtomic(file, "x"), root_.RemoveFile(file),
        root_.RemoveFolder("/etc/vdev/slices/link"), root_.MakeFolder(file + "2")}) {
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::kAlreadyExists);
    EXPECT_THAT(status.error().message, HasSubstr("/etc/vdev/slices/link is no folder"));
  }
  EXPECT_FALSE(ops_.List("/etc/vdev/slices/link"));
  EXPECT_FALSE(ops_.Read(file));
}

TEST_F(HostilePathsTest, NoLinkInThePlaceOfAFileIsRead) {
  fs::create_symlink(root_.Resolve("/precious/file"), root_.Resolve("/etc/vdev/vdev4.conf"));
  EXPECT_EQ(ops_.Read("/etc/vdev/vdev4.conf").error().code, ErrorCode::kCorrupt);
  EXPECT_TRUE(root_.RemoveFile("/etc/vdev/vdev4.conf")) << "the link itself goes";
}

// The folder of a partition that is gone would be emptied.
TEST_F(HostilePathsTest, ALinkAmongTheSlicesIsNamedAndNotEmptied) {
  Link("/etc/vdev/slices/uid-gone");
  const DiskState disk = files_.Repair({}, {});
  ASSERT_THAT(disk.problems, SizeIs(1));
  EXPECT_THAT(disk.problems[0], HasSubstr("/etc/vdev/slices/uid-gone is no folder"));
  EXPECT_EQ(disk.failure, "") << "other slices can be kept";
}

TEST_F(HostilePathsTest, NorWhereASliceShallBe) {
  const Slice slice{.uid = "uid-p",
                    .ns = "ns",
                    .name = "p",
                    .assignment = MakeAssignment(0),
                    .pod = {},
                    .lost_since = ""};
  Link("/etc/vdev/slices/uid-p");
  EXPECT_FALSE(files_.Prepare(slice, "content"));
  EXPECT_FALSE(root_.Exists("/precious/vdev0.conf"));
  EXPECT_TRUE(files_.Remove(slice)) << "what is not ours stays, and is no error";
  EXPECT_TRUE(fs::is_symlink(root_.Resolve("/etc/vdev/slices/uid-p")));
}

TEST_F(HostilePathsTest, NorInThePlaceOfTheFoldersThemselves) {
  for (const std::string folder : {"/etc/vdev/slices", "/var/lib/vdcu/slices"}) {
    SCOPED_TRACE(folder);
    ASSERT_TRUE(root_.RemoveFolder(folder));
    Link(folder);
    EXPECT_FALSE(files_.Repair({}, {}).problems.empty());
    ASSERT_TRUE(root_.RemoveFile(folder));
    ASSERT_TRUE(root_.MakeFolder(folder));
  }
}

TEST_F(HostilePathsTest, TheRootsOwnFoldersMayBeLinks) {
  ASSERT_TRUE(root_.MakeFolder("/data/lib"));
  fs::create_directory_symlink("data", root_.Resolve("/srv"));
  EXPECT_TRUE(root_.MakeFolder("/srv/lib/vdcu"));
  EXPECT_TRUE(root_.WriteAtomic("/srv/lib/vdcu/f", "x"));
  EXPECT_EQ(root_.Read("/data/lib/vdcu/f").value(), "x");
}

TEST_F(HostilePathsTest, ACheckpointWithAPathForAUidIsCorrupt) {
  const Slice slice{.uid = "uid-p",
                    .ns = "ns",
                    .name = "p",
                    .assignment = MakeAssignment(0),
                    .pod = crds::PodRef{"pod", "../../../precious", "main"},
                    .lost_since = ""};
  ASSERT_TRUE(files_.Record(slice));
  const auto found = files_.Load();
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->slices.empty());
  EXPECT_THAT(found->corrupt.at("uid-p"), HasSubstr("pod.uid"));
}

}  // namespace
}  // namespace vdcu::node
