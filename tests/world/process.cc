#include "tests/world/process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/check.h"

namespace vdcu::world {

namespace {

int InputFile(std::string_view input) {
  const int fd = memfd_create("input", MFD_CLOEXEC);
  CHECK(fd >= 0, "memfd_create");
  CHECK(write(fd, input.data(), input.size()) == static_cast<ssize_t>(input.size()), "write");
  CHECK(lseek(fd, 0, SEEK_SET) == 0, "lseek");
  return fd;
}

std::string ReadAll(int fd) {
  std::string text;
  std::array<char, 4096> part{};
  for (;;) {
    const ssize_t size = read(fd, part.data(), part.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return text;
    text.append(part.data(), static_cast<size_t>(size));
  }
}

int WaitFor(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0) CHECK(errno == EINTR, "waitpid");
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

Output RunProgram(const std::vector<std::string>& arguments, std::string_view input) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  std::array<int, 2> out{};
  CHECK(pipe2(out.data(), O_CLOEXEC) == 0, "pipe2");
  const int in = InputFile(input);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDERR_FILENO);
  pid_t pid = 0;
  const int code = posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(in);
  close(out[1]);
  Output output;
  if (code == 0) {
    output.text = ReadAll(out[0]);
    output.exit_code = WaitFor(pid);
  }
  close(out[0]);
  return output;
}

}  // namespace vdcu::world
