// A clock that moves only when told.
#pragma once

#include "base/clock.h"

namespace vdcu::fakes {

class SimulatedClock : public base::Clock {
 public:
  base::TimePoint Now() const override { return now_; }
  base::WallTime Wall() const override { return wall_; }
  void Advance(base::Duration by) {
    now_ += by;
    wall_ += by;
  }

 private:
  base::TimePoint now_{std::chrono::seconds(1000)};
  base::WallTime wall_{std::chrono::seconds(1'700'000'000)};
};

}  // namespace vdcu::fakes
