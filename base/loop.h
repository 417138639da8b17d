// The event loop as its users see it: time, timers and posted work. UvLoop (uv_loop.h) is the real
// one, SimulatedLoop (tests/fakes) the one that tests step by hand.
//
// Promises: callbacks run one at a time, on the loop's thread, never inside the call that set them
// up. A timer that is destroyed or stopped does not fire any more. Posted work runs in the order of
// posting.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace vdcu::base {

class Timer {
 public:
  virtual ~Timer() = default;
  // Fires once, `delay` from now; a start replaces an earlier one.
  virtual void Start(Duration delay) = 0;
  virtual void Stop() = 0;
  virtual bool armed() const = 0;
};
using TimerPtr = std::unique_ptr<Timer>;

// Ends what it stands for, a watch of a folder or of a signal, when destroyed.
class Subscription {
 public:
  virtual ~Subscription() = default;
};

class Loop {
 public:
  virtual ~Loop() = default;
  virtual const Clock& clock() const = 0;
  // `callback` may destroy the timer.
  virtual TimerPtr MakeTimer(std::function<void()> callback) = 0;
  // Runs `work` in a later turn of the loop. Threads: any.
  virtual void Post(std::function<void()> work) = 0;
  // Calls back when something in the folder (or the file) at `path` changes. Errors: kNotFound;
  // kUnavailable, where this loop or this machine cannot tell.
  virtual Result<std::unique_ptr<Subscription>> OnChange(
      const std::string& path, std::function<void(std::string name)> callback) = 0;
};

}  // namespace vdcu::base
