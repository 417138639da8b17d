// Exponential backoff with jitter, pure: the caller brings the random number.
#pragma once

#include <algorithm>
#include <chrono>

#include "base/clock.h"

namespace vdcu::base {

struct Backoff {
  Duration first;
  Duration most;

  // The delay before attempt `failures` + 1 (failures >= 1), doubled each time, never above `most`,
  // then spread over [1/2, 1] of itself by `random` in [0, 1).
  Duration Delay(int failures, double random) const {
    const int doublings = std::clamp(failures - 1, 0, 20);
    const Duration full = std::min(most, Duration(first * (1LL << doublings)));
    return Duration(
        static_cast<Duration::rep>(static_cast<double>(full.count()) * (0.5 + 0.5 * random)));
  }
};

}  // namespace vdcu::base
