#include "base/uv_loop.h"

#include <unistd.h>
#include <uv.h>

#include <utility>

#include "base/check.h"
#include "base/file.h"
#include "base/uv_handle.h"

namespace vdcu::base {

namespace {

Error UvError(int code, const std::string& what) {
  return {code == UV_ENOENT ? ErrorCode::kNotFound : ErrorCode::kUnavailable,
          what + ": " + uv_strerror(code)};
}

std::string LimitText(const std::string& name) {
  auto value = Root("/").Read("/proc/sys/fs/inotify/" + name);
  if (!value) return "fs.inotify." + name;
  while (!value->empty() && value->back() == '\n') value->pop_back();
  return "fs.inotify." + name + " is " + *value;
}

// The kernel's words for a limit of inotify are those for files and disks.
Error WatchError(int code, const std::string& path) {
  Error error = UvError(code, "watch " + path);
  // Where another descriptor is to be had, it is not this process that has too many.
  const int spare = code == UV_EMFILE ? dup(STDERR_FILENO) : -1;
  if (spare >= 0) close(spare);
  if (code == UV_ENOSPC) {
    return WithContext({error.code, "this user has no watch left: " +
                                        LimitText("max_user_watches") + ": want more (sysctl)"},
                       "watch " + path);
  }
  if (spare < 0) return error;
  return WithContext({error.code, "this user has no inotify instance left: " +
                                      LimitText("max_user_instances") + ": want more (sysctl)"},
                     "watch " + path);
}

// In each class below the callback is copied to the stack before it is called, so that it may
// destroy its owner.
class UvTimer : public Timer {
 public:
  UvTimer(uv_loop_t* loop, std::function<void()> callback)
      : handle_(this), callback_(std::move(callback)) {
    uv_timer_init(loop, handle_.get());
  }
  void Start(Duration delay) override {
    // libuv's time stands still within a turn; a long callback must not shorten the delay.
    uv_update_time(handle_.get()->loop);
    uv_timer_start(handle_.get(), &UvTimer::Trampoline,
                   static_cast<uint64_t>(std::max<Duration::rep>(0, delay.count())), 0);
  }
  void Stop() override { uv_timer_stop(handle_.get()); }
  bool armed() const override {
    return uv_is_active(reinterpret_cast<const uv_handle_t*>(handle_.get())) != 0;
  }

 private:
  static void Trampoline(uv_timer_t* handle) noexcept {
    if (auto* self = static_cast<UvTimer*>(handle->data); self != nullptr) {
      const auto callback = self->callback_;
      callback();
    }
  }

  UvHandle<uv_timer_t> handle_;
  std::function<void()> callback_;
};

class UvPoll : public Poll {
 public:
  UvPoll(uv_loop_t* loop, int fd, std::function<void(int)> callback)
      : handle_(this), callback_(std::move(callback)) {
    const int code = uv_poll_init(loop, handle_.get(), fd);
    CHECK(code == 0, uv_strerror(code));
  }
  void Start(int events) override { uv_poll_start(handle_.get(), events, &UvPoll::Trampoline); }

 private:
  static void Trampoline(uv_poll_t* handle, int status, int events) noexcept {
    if (auto* self = static_cast<UvPoll*>(handle->data); self != nullptr) {
      const auto callback = self->callback_;
      callback(status < 0 ? status : events);
    }
  }

  UvHandle<uv_poll_t> handle_;
  std::function<void(int)> callback_;
};

class UvSignal : public Subscription {
 public:
  UvSignal(uv_loop_t* loop, int signal, std::function<void()> callback)
      : handle_(this), callback_(std::move(callback)) {
    uv_signal_init(loop, handle_.get());
    const int code = uv_signal_start(handle_.get(), &UvSignal::Trampoline, signal);
    CHECK(code == 0, uv_strerror(code));
  }

 private:
  static void Trampoline(uv_signal_t* handle, int /*signal*/) noexcept {
    if (auto* self = static_cast<UvSignal*>(handle->data); self != nullptr) {
      const auto callback = self->callback_;
      callback();
    }
  }

  UvHandle<uv_signal_t> handle_;
  std::function<void()> callback_;
};

class UvFolderWatch : public Subscription {
 public:
  UvFolderWatch(uv_loop_t* loop, std::function<void(std::string)> callback)
      : handle_(this), callback_(std::move(callback)) {
    uv_fs_event_init(loop, handle_.get());
  }
  int Start(const std::string& path) {
    return uv_fs_event_start(handle_.get(), &UvFolderWatch::Trampoline, path.c_str(), 0);
  }

 private:
  static void Trampoline(uv_fs_event_t* handle, const char* name, int /*events*/,
                         int /*status*/) noexcept {
    if (auto* self = static_cast<UvFolderWatch*>(handle->data); self != nullptr) {
      const auto callback = self->callback_;
      callback(name == nullptr ? std::string() : std::string(name));
    }
  }

  UvHandle<uv_fs_event_t> handle_;
  std::function<void(std::string)> callback_;
};

}  // namespace

UvLoop::UvLoop() : loop_(std::make_unique<uv_loop_t>()), async_(new uv_async_t) {
  CHECK(uv_loop_init(loop_.get()) == 0, "uv_loop_init");
  const int code = uv_async_init(loop_.get(), async_, [](uv_async_t* handle) {
    static_cast<UvLoop*>(handle->data)->OnPosted();
  });
  CHECK(code == 0, "uv_async_init");
  async_->data = this;
  // Posted work alone does not keep Run() going.
  uv_unref(reinterpret_cast<uv_handle_t*>(async_));
}

UvLoop::~UvLoop() {
  uv_close(reinterpret_cast<uv_handle_t*>(async_),
           [](uv_handle_t* closed) { delete reinterpret_cast<uv_async_t*>(closed); });
  posted_.clear();
  uv_run(loop_.get(), UV_RUN_NOWAIT);
  uv_run(loop_.get(), UV_RUN_NOWAIT);
  CHECK(uv_loop_close(loop_.get()) == 0, "a handle outlives its loop");
}

TimerPtr UvLoop::MakeTimer(std::function<void()> callback) {
  return std::make_unique<UvTimer>(loop_.get(), std::move(callback));
}

std::unique_ptr<Poll> UvLoop::MakePoll(int fd, std::function<void(int)> callback) {
  return std::make_unique<UvPoll>(loop_.get(), fd, std::move(callback));
}

std::unique_ptr<Subscription> UvLoop::OnSignal(int signal, std::function<void()> callback) {
  return std::make_unique<UvSignal>(loop_.get(), signal, std::move(callback));
}

Result<std::unique_ptr<Subscription>> UvLoop::OnChange(const std::string& path,
                                                       std::function<void(std::string)> callback) {
  auto watch = std::make_unique<UvFolderWatch>(loop_.get(), std::move(callback));
  if (const int code = watch->Start(path); code != 0) return WatchError(code, path);
  return std::unique_ptr<Subscription>(std::move(watch));
}

void UvLoop::Post(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    posted_.push_back(std::move(work));
  }
  uv_async_send(async_);
}

void UvLoop::OnPosted() {
  std::vector<std::function<void()>> work;
  {
    const std::lock_guard lock(mutex_);
    work.swap(posted_);
  }
  for (const auto& item : work) item();
}

void UvLoop::Run() { uv_run(loop_.get(), UV_RUN_DEFAULT); }

bool UvLoop::RunUntil(const std::function<bool()>& done, Duration most) {
  constexpr Duration kAskEvery{2};
  const TimePoint deadline = clock_.Now() + most;
  const TimerPtr wake = MakeTimer([] {});
  while (!done()) {
    if (clock_.Now() >= deadline) return false;
    wake->Start(kAskEvery);
    RunOnce();
  }
  return true;
}

void UvLoop::RunOnce() { uv_run(loop_.get(), UV_RUN_ONCE); }

void UvLoop::Stop() {
  Post([this] { uv_stop(loop_.get()); });
}

}  // namespace vdcu::base
