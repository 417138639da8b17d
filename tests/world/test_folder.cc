#include "tests/world/test_folder.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>

#include "base/check.h"

namespace vdcu::world {

namespace {

constexpr char kMark[] = "VDCU_TEST_FOLDER";  // as the guardian looks for it
const std::string kGuardian = VDCU_SOURCE_DIR "/tests/cluster/guardian";

// The other end of the guardian's standard input stays open until this process has ended.
void StartGuardian(std::string folder) {
  std::array<int, 2> life{};
  CHECK(pipe2(life.data(), O_CLOEXEC) == 0, "pipe2");
  std::string program = "setsid", fork = "--fork", guardian = kGuardian;
  char* argv[] = {program.data(), fork.data(), guardian.data(), folder.data(), nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, life[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  unsetenv(kMark);  // it may be set where a test runs another one
  pid_t pid = 0;
  CHECK(posix_spawnp(&pid, argv[0], &actions, nullptr, argv, environ) == 0, kGuardian);
  posix_spawn_file_actions_destroy(&actions);
  int status = 0;
  CHECK(waitpid(pid, &status, 0) == pid && status == 0, kGuardian);
  close(life[0]);
  setenv(kMark, folder.c_str(), 1);
}

std::string Make() {
  std::string path = std::filesystem::temp_directory_path() / "vdcu-test-XXXXXX";
  CHECK(mkdtemp(path.data()) != nullptr, "mkdtemp " + path);
  StartGuardian(path);
  return path;
}

}  // namespace

const std::string& TestFolder() {
  static const std::string one = Make();
  return one;
}

}  // namespace vdcu::world
