#include "base/program_call.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>
#include <utility>

namespace vdcu::base {

namespace {

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> MakeEnvironment(const std::map<std::string, std::string>& ours) {
  std::vector<std::string> lines;
  for (const auto& [name, value] : ours) lines.push_back(name + "=" + value);
  for (char** line = environ; *line != nullptr; ++line) {
    const std::string text(*line);
    if (!ours.contains(text.substr(0, text.find('=')))) lines.push_back(text);
  }
  return lines;
}

// In a process group of its own, with `output` for its standard output. Returns an errno.
int Spawn(const ProgramCall& call, int output, pid_t& pid) {
  std::vector<std::string> arguments{call.file};
  arguments.insert(arguments.end(), call.arguments.begin(), call.arguments.end());
  std::vector<std::string> environment = MakeEnvironment(call.environment);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t defaults;
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);  // libcurl's users ignore it
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
  const int code = posix_spawnp(&pid, call.file.c_str(), &actions, &attributes,
                                Pointers(arguments).data(), Pointers(environment).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return code;
}

class Running : public Subscription {
 public:
  Running(UvLoop& loop, const ProgramCall& call, std::function<void(Result<std::string>)> on_done)
      : call_(call), on_done_(std::move(on_done)), timer_(loop.MakeTimer([this] { OnTimer(); })) {
    Start(loop);
  }
  ~Running() override { End(); }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

 private:
  void Start(UvLoop& loop) {
    std::array<int, 2> ends{-1, -1};
    if (pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return FailSoon(errno);
    output_ = ends[0];
    fcntl(ends[1], F_SETFL, 0);  // the program's end blocks, as programs expect it
    const int code = Spawn(call_, ends[1], pid_);
    close(ends[1]);
    if (code != 0) {
      pid_ = 0;
      return FailSoon(code);
    }
    ended_ = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
    if (ended_ < 0) return FailSoon(errno);
    readable_ = loop.MakePoll(output_, [this](int /*events*/) { Read(); });
    exited_ = loop.MakePoll(ended_, [this](int /*events*/) { OnExit(); });
    readable_->Start(Poll::kReadable);
    exited_->Start(Poll::kReadable);
    timer_->Start(call_.most);
  }
  // Never within the call that started it.
  void FailSoon(int code) {
    problem_ = Error{code == ENOENT ? ErrorCode::kNotFound : ErrorCode::kUnavailable,
                     call_.file + ": " + std::strerror(code)};
    timer_->Start(Duration(0));
  }
  void OnTimer() {
    if (!problem_) {
      const auto most = std::to_string(call_.most.count());
      problem_ = Error{ErrorCode::kUnavailable, call_.file + ": has not ended in " + most + " ms"};
    }
    Finish(std::move(*problem_));
  }
  void Read() {
    std::array<char, 4096> bytes{};
    for (;;) {
      const ssize_t size = read(output_, bytes.data(), bytes.size());
      if (size < 0 && errno == EAGAIN) return;
      if (size <= 0) return readable_->Start(0);
      text_.append(bytes.data(), static_cast<size_t>(size));
      if (text_.size() > call_.most_bytes) {
        return Finish(Error{
            ErrorCode::kUnavailable,
            call_.file + ": writes more than " + std::to_string(call_.most_bytes) + " bytes"});
      }
    }
  }
  // What it started may hold its output open; that is not waited for.
  void OnExit() {
    const auto problem = std::weak_ptr<int>(alive_);
    Read();
    if (problem.expired()) return;
    int status = 0;
    waitpid(pid_, &status, 0);
    const pid_t group = std::exchange(pid_, 0);
    kill(-group, SIGKILL);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return Finish(std::move(text_));
    const std::string how = WIFEXITED(status) ? "exit code " + std::to_string(WEXITSTATUS(status))
                                              : "signal " + std::to_string(WTERMSIG(status));
    Finish(Error{ErrorCode::kUnavailable, call_.file + ": ended with " + how});
  }
  // The callback may destroy this.
  void Finish(Result<std::string> result) {
    End();
    alive_.reset();
    const auto on_done = std::move(on_done_);
    on_done(std::move(result));
  }
  void End() {
    timer_->Stop();
    readable_.reset();
    exited_.reset();
    if (pid_ > 0) {
      kill(-pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    pid_ = 0;
    for (int* fd : {&output_, &ended_}) {
      if (*fd >= 0) close(*fd);
      *fd = -1;
    }
  }

  const ProgramCall call_;
  std::function<void(Result<std::string>)> on_done_;
  const TimerPtr timer_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);  // until it has finished
  std::optional<Error> problem_;                           // it was not started; to be told
  std::string text_;
  pid_t pid_ = 0;  // 0: it has ended
  int output_ = -1;
  int ended_ = -1;  // readable once it has
  std::unique_ptr<Poll> readable_;
  std::unique_ptr<Poll> exited_;
};

}  // namespace

std::unique_ptr<Subscription> StartProgram(UvLoop& loop, const ProgramCall& call,
                                           std::function<void(Result<std::string>)> on_done) {
  return std::make_unique<Running>(loop, call, std::move(on_done));
}

}  // namespace vdcu::base
