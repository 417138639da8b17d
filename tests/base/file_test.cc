#include "base/file.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace vdcu::base {
namespace {

using Names = std::vector<std::string>;

class FileTest : public testing::Test {
 protected:
  FileTest() : folder_(MakeTemporaryFolder()), root_(folder_) {}
  ~FileTest() override { std::filesystem::remove_all(folder_); }

  static std::string MakeTemporaryFolder() {
    std::string name = testing::TempDir() + "vdcu-file-XXXXXX";
    return mkdtemp(name.data());
  }
  mode_t ModeOf(const std::string& path) const {
    struct stat info{};
    EXPECT_EQ(stat((folder_ + path).c_str(), &info), 0) << path;
    return info.st_mode & 07777;
  }

  std::string folder_;
  Root root_;
};

// Lets files of this process grow to `bytes` only, until it goes: a disk that is full, for anyone.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : old_handler_(signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &old_);
    const rlimit small{bytes, old_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &old_);
    signal(SIGXFSZ, old_handler_);
  }

 private:
  sighandler_t old_handler_;
  rlimit old_{};
};

TEST_F(FileTest, AnAbsoluteLinkLeadsToWhatIsBelowTheRoot) {
  ASSERT_TRUE(root_.MakeFolder("/opt/dtk-24.04/lib"));
  const auto link = [this](const std::string& target, const std::string& path) {
    std::filesystem::create_symlink(target, folder_ + path);
  };
  link("/opt/dtk-24.04", "/opt/dtk");
  link("../opt/dtk/lib/", "/opt/lib");
  link("/opt/./lib", "/library");
  link("/etc", "/opt/of-this-process");
  link("/opt/circle", "/opt/circle");
  for (const char* there : {"/opt/dtk", "/opt/dtk/lib", "/opt/lib", "/library", "/", "/opt/"}) {
    EXPECT_TRUE(root_.Exists(there)) << there;
  }
  for (const char* missing :
       {"/opt/of-this-process", "/opt/circle", "/opt/dtk/none", "/library/x"}) {
    EXPECT_FALSE(root_.Exists(missing)) << missing;
  }
}

TEST_F(FileTest, WhatIsWrittenReadsBack) {
  for (const std::string& content :
       {std::string(), std::string("a\0b\n", 4), std::string(20'000, 'x')}) {
    ASSERT_TRUE(root_.WriteAtomic("/f", content));
    EXPECT_EQ(root_.Read("/f").value(), content);
  }
  EXPECT_EQ(root_.List("/").value(), Names{"f"}) << "no temporary file is left";
}

TEST_F(FileTest, PathsAreBelowTheRoot) {
  EXPECT_EQ(Root("/").Resolve("/etc/vdev"), "/etc/vdev");
  EXPECT_EQ(Root("").Resolve("/etc/vdev"), "/etc/vdev");
  EXPECT_EQ(Root("/tmp/host//").Resolve("/etc/vdev"), "/tmp/host/etc/vdev");
}

TEST_F(FileTest, ALongerFileThanTheLimitIsCorrupt) {
  ASSERT_TRUE(root_.WriteAtomic("/f", "12345"));
  EXPECT_EQ(root_.Read("/f", 5).value(), "12345");
  EXPECT_EQ(root_.Read("/f", 4).error().code, ErrorCode::kCorrupt);
}

TEST_F(FileTest, WhatIsNotThereIsNotFound) {
  EXPECT_EQ(root_.Read("/none").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(root_.List("/none").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(root_.WriteAtomic("/none/f", "x").error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(root_.Exists("/none"));
  EXPECT_EQ(root_.Read("/none").error().message, "open /none: No such file or directory")
      << "a message shows the host's own path";
}

TEST_F(FileTest, WhatIsNoFileIsNotReadAndNotWaitedFor) {
  ASSERT_EQ(mkfifo((folder_ + "/pipe").c_str(), 0644), 0);
  ASSERT_TRUE(root_.MakeFolder("/folder"));
  for (const char* path : {"/pipe", "/folder"}) {
    EXPECT_EQ(root_.Read(path).error().code, ErrorCode::kCorrupt) << path;
    EXPECT_FALSE(root_.IsFile(path)) << path;
  }
}

TEST_F(FileTest, MakesWayWhereNothingAFileOrAnEmptyFolderIs) {
  ASSERT_TRUE(root_.WriteAtomic("/file", "kept"));
  ASSERT_TRUE(root_.MakeFolder("/empty"));
  for (const char* path : {"/none", "/none/none", "/file", "/empty"}) {
    EXPECT_TRUE(root_.MakeWay(path)) << path;
  }
  EXPECT_EQ(root_.List("/").value(), Names{"file"});
  EXPECT_EQ(root_.Read("/file").value(), "kept");
}

TEST_F(FileTest, WhatIsSomebodysStays) {
  ASSERT_TRUE(root_.MakeFolder("/full/folder"));
  ASSERT_EQ(symlink("/none", (folder_ + "/link").c_str()), 0);
  ASSERT_EQ(mkfifo((folder_ + "/pipe").c_str(), 0644), 0);
  for (const char* path : {"/full", "/link", "/pipe"}) {
    const Status way = root_.MakeWay(path);
    ASSERT_FALSE(way) << path;
    EXPECT_EQ(way.error().code, ErrorCode::kAlreadyExists);
    EXPECT_NE(way.error().message.find(path), std::string::npos);
  }
  EXPECT_EQ(root_.List("/").value(), (Names{"full", "link", "pipe"}));
  EXPECT_EQ(root_.MakeFolder("/pipe").error().code, ErrorCode::kAlreadyExists);
}

TEST_F(FileTest, ListIsSorted) {
  for (const char* name : {"/b", "/c", "/a", "/.hidden"}) ASSERT_TRUE(root_.WriteAtomic(name, ""));
  EXPECT_EQ(root_.List("/").value(), (Names{".hidden", "a", "b", "c"}));
}

TEST_F(FileTest, ModesDoNotDependOnTheUmask) {
  const mode_t old = umask(0077);
  const Status made = root_.MakeFolder("/x/y");
  const Status written = root_.WriteAtomic("/x/y/f", "1");
  umask(old);
  ASSERT_TRUE(made);
  ASSERT_TRUE(written);
  EXPECT_EQ(ModeOf("/x"), 0755U);
  EXPECT_EQ(ModeOf("/x/y"), 0755U);
  EXPECT_EQ(ModeOf("/x/y/f"), 0644U);
}

TEST_F(FileTest, MakingAndRemovingTwiceIsNoError) {
  ASSERT_TRUE(root_.MakeFolder("/a/b/c"));
  ASSERT_TRUE(root_.MakeFolder("/a/b/c"));
  ASSERT_TRUE(root_.WriteAtomic("/a/b/c/f", "1"));
  ASSERT_TRUE(root_.WriteAtomic("/a/b/c/g", "1"));
  EXPECT_TRUE(root_.RemoveFile("/a/b/c/f"));
  EXPECT_TRUE(root_.RemoveFile("/a/b/c/f"));
  EXPECT_TRUE(root_.RemoveFolder("/a/b/c"));
  EXPECT_FALSE(root_.Exists("/a/b/c"));
  EXPECT_TRUE(root_.RemoveFolder("/a/b/c"));
  EXPECT_TRUE(root_.Exists("/a/b"));
}

TEST_F(FileTest, AReaderKeepsTheOldBytes) {
  ASSERT_TRUE(root_.WriteAtomic("/f", "old"));
  const int reader = open((folder_ + "/f").c_str(), O_RDONLY);
  ASSERT_TRUE(root_.WriteAtomic("/f", "new"));
  char bytes[8] = {};
  EXPECT_EQ(read(reader, bytes, sizeof bytes), 3);
  close(reader);
  EXPECT_STREQ(bytes, "old");
  EXPECT_EQ(root_.Read("/f").value(), "new");
}

TEST_F(FileTest, AWriteThatFailsHalfwayLeavesTheOldBytesAndNoTemporaryFile) {
  ASSERT_TRUE(root_.WriteAtomic("/f", "old"));
  {
    const FileSizeLimit limit(1000);
    const Status written = root_.WriteAtomic("/f", std::string(5000, 'n'));
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code, ErrorCode::kUnavailable);
  }
  EXPECT_EQ(root_.Read("/f").value(), "old");
  EXPECT_EQ(root_.List("/").value(), Names{"f"});
}

TEST_F(FileTest, ATargetThatCannotBeReplacedLeavesNoTemporaryFile) {
  ASSERT_TRUE(root_.MakeFolder("/f"));
  ASSERT_FALSE(root_.WriteAtomic("/f", "x"));
  EXPECT_EQ(root_.List("/").value(), Names{"f"});
}

TEST_F(FileTest, ALinkInPlaceOfTheTemporaryFileIsNotFollowed) {
  ASSERT_TRUE(root_.WriteAtomic("/other", "untouched"));
  ASSERT_EQ(symlink((folder_ + "/other").c_str(), (folder_ + "/.f.tmp").c_str()), 0);
  EXPECT_FALSE(root_.WriteAtomic("/f", "x"));
  EXPECT_EQ(root_.Read("/other").value(), "untouched");
  EXPECT_TRUE(root_.WriteAtomic("/f", "x")) << "the link is out of the way";
}

// A small file system of its own, where mounting is allowed.
class TmpfsTest : public FileTest {
 protected:
  void SetUp() override {
    mounted_ = mount("tmpfs", folder_.c_str(), "tmpfs", 0, "size=64k") == 0;
    if (!mounted_) GTEST_SKIP() << "mounting needs root";
  }
  void TearDown() override {
    if (mounted_) umount2(folder_.c_str(), MNT_DETACH);
  }

 private:
  bool mounted_ = false;
};

TEST_F(TmpfsTest, AFullDiskLeavesTheOldBytesAndNoTemporaryFile) {
  ASSERT_TRUE(root_.WriteAtomic("/f", "old"));
  const Status written = root_.WriteAtomic("/f", std::string(200'000, 'n'));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(written.error().message.find("No space left"), std::string::npos);
  EXPECT_EQ(root_.Read("/f").value(), "old");
  EXPECT_EQ(root_.List("/").value(), Names{"f"});
  EXPECT_TRUE(root_.WriteAtomic("/f", "new"));
}

TEST_F(TmpfsTest, AReadOnlyDiskLeavesTheOldBytes) {
  ASSERT_TRUE(root_.WriteAtomic("/f", "old"));
  ASSERT_EQ(mount("tmpfs", folder_.c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, "size=64k"), 0);
  const Status written = root_.WriteAtomic("/f", "new");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(root_.Read("/f").value(), "old");
}

TEST_F(FileTest, AWriterKilledAtAnyPointLeavesTheOldBytesOrTheNew) {
  const std::string first(30'000, 'a');
  const std::string second(20'000, 'b');
  ASSERT_TRUE(root_.WriteAtomic("/f", first));
  for (int round = 0; round < 20; ++round) {
    const pid_t writer = fork();
    if (writer == 0) {
      for (;;) {
        if (!root_.WriteAtomic("/f", second) || !root_.WriteAtomic("/f", first)) _exit(1);
      }
    }
    for (int reads = 0; reads < 50 + round; ++reads) {
      const auto seen = root_.Read("/f");
      ASSERT_TRUE(seen) << seen.error().message;
      ASSERT_TRUE(*seen == first || *seen == second) << "round " << round;
    }
    kill(writer, SIGKILL);
    int status = 0;
    waitpid(writer, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the writer met an error";
    const std::string left = root_.Read("/f").value();
    ASSERT_TRUE(left == first || left == second) << "round " << round;
  }
  ASSERT_TRUE(root_.WriteAtomic("/f", "after")) << "a left temporary file is no hindrance";
  EXPECT_EQ(root_.List("/").value(), Names{"f"});
}

TEST_F(FileTest, ALockIsHeldByOneUntilItGoes) {
  const auto wait = Duration(50);
  auto first = std::make_unique<Result<FolderLock>>(root_.Lock("/new/folder", wait));
  ASSERT_TRUE(*first) << first->error().message;
  EXPECT_EQ(root_.List("/new/folder").value(), Names{}) << "it leaves nothing";
  const auto second = root_.Lock("/new/folder", wait);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kAlreadyExists);
  first.reset();
  EXPECT_TRUE(root_.Lock("/new/folder", wait));
}

TEST_F(FileTest, WhatIsNoFolderIsNotTakenForLocked) {
  ASSERT_TRUE(root_.WriteAtomic("/f", ""));
  const auto lock = root_.Lock("/f", Duration(0));
  ASSERT_FALSE(lock);
  EXPECT_EQ(lock.error().code, ErrorCode::kUnavailable);
}

TEST_F(FileTest, ALockEndsWithTheProcessThatHasIt) {
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t holder = fork();
  if (holder == 0) {
    const auto lock = root_.Lock("/folder", Duration(0));
    if (!lock || write(ready[1], "x", 1) != 1) _exit(1);
    for (;;) pause();
  }
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  EXPECT_FALSE(root_.Lock("/folder", Duration(0)));
  kill(holder, SIGKILL);
  EXPECT_TRUE(root_.Lock("/folder", Duration(10'000))) << "it waits for the end of the other";
  waitpid(holder, nullptr, 0);
  close(ready[0]);
  close(ready[1]);
}

}  // namespace
}  // namespace vdcu::base
