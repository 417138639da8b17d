// Calls whose answer waits for a change of the cluster.
//
// Promises: a step runs at once, and again at each Look and when its time is over, until it says
// that it has answered; then never again.
#pragma once

#include <functional>
#include <list>

#include "base/loop.h"

namespace vdcu::controller {

// How long a call waits for its pod: a scheduler may be shown one before us.
inline constexpr base::Duration kUntilShown{1'000};

class OpenCalls {
 public:
  // Returns whether it has answered; it must when it is late. It may add another.
  using Step = std::function<bool(bool late)>;

  explicit OpenCalls(base::Loop& loop) : loop_(loop), timer_(loop.MakeTimer([this] { Look(); })) {}
  OpenCalls(const OpenCalls&) = delete;
  OpenCalls& operator=(const OpenCalls&) = delete;

  void Try(base::Duration most, const Step& step);
  // What waits may be answered now.
  void Look();

 private:
  struct Call {
    base::TimePoint until;
    Step step;
  };

  void Arm();

  base::Loop& loop_;
  std::list<Call> calls_;
  const base::TimerPtr timer_;  // armed for the first of those that are late
};

}  // namespace vdcu::controller
