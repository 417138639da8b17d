// Where inotify was exhausted the message was that of a full disk, or of too many open files.
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "base/uv_loop.h"

namespace vdcu::base {
namespace {

constexpr int kNotAllowed = 77;

// In a child, for its user namespace alone. The exit code tells.
int WatchWithNone(const std::string& limit, const std::string& want) {
  if (unshare(CLONE_NEWUSER) != 0) return kNotAllowed;
  std::ofstream file("/proc/sys/user/" + limit);
  if (!(file << 0 << std::flush)) return kNotAllowed;
  UvLoop loop;
  const auto watch = loop.OnChange("/tmp", [](const std::string&) {});
  if (watch) return 1;
  const std::string& message = watch.error().message;
  std::string number;
  std::ifstream("/proc/sys/fs/inotify/" + want) >> number;
  const bool told = message.find("fs.inotify." + want + " is " + number + ":") != std::string::npos;
  if (!told) fprintf(stderr, "%s\n", message.c_str());
  return told ? 0 : 2;
}

void Expect(const std::string& limit, const std::string& want) {
  const pid_t child = fork();
  if (child == 0) _exit(WatchWithNone(limit, want));
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == kNotAllowed) GTEST_SKIP() << "no user namespace may be made here";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(Inotify, NoInstanceIsLeft) { Expect("max_inotify_instances", "max_user_instances"); }
TEST(Inotify, NoWatchIsLeft) { Expect("max_inotify_watches", "max_user_watches"); }

}  // namespace
}  // namespace vdcu::base
