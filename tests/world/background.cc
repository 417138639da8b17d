#include "tests/world/background.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <cstring>
#include <thread>

#include "base/check.h"

extern char** environ;

namespace vdcu::world {

Background::Background(const std::vector<std::string>& arguments, const std::string& log) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  const int failed = posix_spawnp(&pid_, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  CHECK(failed == 0, arguments[0] + ": " + std::strerror(failed));
}

Background::~Background() {
  if (pid_ < 0) return;
  Signal(SIGKILL);
  waitpid(pid_, nullptr, 0);
}

void Background::Signal(int signal) const {
  if (pid_ > 0) kill(pid_, signal);
}

int Background::Wait(base::Duration most) {
  const base::SystemClock clock;
  const base::TimePoint deadline = clock.Now() + most;
  while (pid_ > 0) {
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) == pid_) {
      exit_code_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
      pid_ = -1;
    } else if (clock.Now() >= deadline) {
      return -1;
    } else {
      std::this_thread::sleep_for(base::Duration(10));
    }
  }
  return exit_code_;
}

}  // namespace vdcu::world
