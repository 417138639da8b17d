// The real loop, on libuv. This and its .cc are the only files that name uv_*, beside
// kclient/curl_transport.cc's use of Poll.
//
// Ownership: what Make* and On* return is owned by the caller and must be destroyed before the
// loop, on the loop's thread. The destructor runs the pending close callbacks and aborts if a
// handle is still open.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/loop.h"
#include "base/result.h"

struct uv_async_s;
struct uv_loop_s;

namespace vdcu::base {

// Readiness of a file descriptor; the descriptor stays its owner's and must outlive the poll.
class Poll {
 public:
  enum Events { kReadable = 1, kWritable = 2 };
  virtual ~Poll() = default;
  virtual void Start(int events) = 0;
};

class UvLoop : public Loop {
 public:
  UvLoop();
  ~UvLoop() override;
  UvLoop(const UvLoop&) = delete;
  UvLoop& operator=(const UvLoop&) = delete;

  const Clock& clock() const override { return clock_; }
  TimerPtr MakeTimer(std::function<void()> callback) override;
  void Post(std::function<void()> work) override;
  // By inotify.
  Result<std::unique_ptr<Subscription>> OnChange(
      const std::string& path, std::function<void(std::string name)> callback) override;

  // `callback` gets the Poll::Events that are ready, or a negative number on an error of the
  // descriptor.
  std::unique_ptr<Poll> MakePoll(int fd, std::function<void(int events)> callback);
  std::unique_ptr<Subscription> OnSignal(int signal, std::function<void()> callback);

  // Runs callbacks until Stop() or until nothing is left that could call back.
  void Run();
  // Runs callbacks until `done`, which is asked after each turn and every few milliseconds, or
  // until `most` is over. Returns what `done` says then.
  bool RunUntil(const std::function<bool()>& done, Duration most);
  // Runs what is ready, waiting for one event at most; for tests.
  void RunOnce();
  // Threads: any.
  void Stop();

 private:
  void OnPosted();

  SystemClock clock_;
  std::unique_ptr<uv_loop_s> loop_;
  uv_async_s* async_;  // wakes the loop for posted_; freed by its close callback
  std::mutex mutex_;
  std::vector<std::function<void()>> posted_;  // guarded by mutex_
};

}  // namespace vdcu::base
