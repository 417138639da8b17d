// A loop that stands still until the test moves it: Advance() moves the clock and fires the timers
// that come due, in order of time; RunPosted() runs posted work without moving the clock.
//
// Promises are base::Loop's: nothing runs inside Start() or Post(). Timers that are due at the same
// time fire in the order of their Start(). Ownership: timers must be destroyed before the loop (the
// destructor aborts otherwise, as UvLoop's does).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "base/loop.h"
#include "tests/fakes/simulated_clock.h"

namespace vdcu::fakes {

class SimulatedLoop : public base::Loop {
 public:
  SimulatedLoop() = default;
  ~SimulatedLoop() override;
  SimulatedLoop(const SimulatedLoop&) = delete;
  SimulatedLoop& operator=(const SimulatedLoop&) = delete;

  const base::Clock& clock() const override { return clock_; }
  base::TimerPtr MakeTimer(std::function<void()> callback) override;
  void Post(std::function<void()> work) override;
  // It cannot: kUnavailable.
  base::Result<std::unique_ptr<base::Subscription>> OnChange(
      const std::string& path, std::function<void(std::string name)> callback) override;

  // Runs posted work, and what that posts, until none is left. Returns how much ran.
  size_t RunPosted();
  // RunPosted(), then each timer due within `by`, with the clock at its time and posted work run
  // after it; the clock ends `by` later than it was. Advance(0) fires what is due now.
  void Advance(base::Duration by);
  // When the next armed timer fires; nothing if there is none.
  std::optional<base::TimePoint> NextTimer() const;

 private:
  class SimulatedTimer;
  // When, and which Start() it was: the order in which timers fire.
  using Slot = std::pair<base::TimePoint, uint64_t>;

  SimulatedClock clock_;
  std::map<Slot, SimulatedTimer*> armed_;
  uint64_t starts_ = 0;
  int timers_ = 0;
  std::mutex mutex_;
  std::vector<std::function<void()>> posted_;  // guarded by mutex_
};

}  // namespace vdcu::fakes
