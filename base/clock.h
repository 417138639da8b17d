// Time as a dependency: monotonic for deadlines, wall for what goes into objects.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"

namespace vdcu::base {

using Duration = std::chrono::milliseconds;
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Duration>;
using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;

// What a decision needs of time: `now` for deadlines, `wall` for what goes into objects (RFC 3339).
struct Instant {
  TimePoint now{};
  std::string wall = {};
};

class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint Now() const = 0;
  virtual WallTime Wall() const = 0;
};

class SystemClock : public Clock {
 public:
  TimePoint Now() const override;
  WallTime Wall() const override;
};

// RFC 3339 in UTC, whole seconds: metav1.Time ("2026-01-02T15:04:05Z").
std::string FormatTime(WallTime time);
// RFC 3339 in UTC with microseconds: metav1.MicroTime.
std::string FormatMicroTime(WallTime time);
// Reads either. Errors: kCorrupt.
Result<WallTime> ParseTime(std::string_view text);

}  // namespace vdcu::base
