#include "base/clock.h"

#include <cstdio>
#include <ctime>

namespace vdcu::base {

namespace {

std::string FormatSeconds(WallTime time, const char* format) {
  const std::time_t seconds =
      std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[64];
  return {text, std::strftime(text, sizeof text, format, &parts)};
}

}  // namespace

TimePoint SystemClock::Now() const {
  return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now());
}

WallTime SystemClock::Wall() const {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

std::string FormatTime(WallTime time) { return FormatSeconds(time, "%Y-%m-%dT%H:%M:%SZ"); }

std::string FormatMicroTime(WallTime time) {
  char micros[16];
  std::snprintf(micros, sizeof micros, ".%06dZ",
                static_cast<int>(time.time_since_epoch().count() % 1'000'000));
  return FormatSeconds(time, "%Y-%m-%dT%H:%M:%S") + micros;
}

Result<WallTime> ParseTime(std::string_view text) {
  const std::string copy(text);
  std::tm parts{};
  const char* rest = strptime(copy.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (rest == nullptr) return Corrupt("time \"" + copy + "\" is not RFC 3339");
  WallTime time{std::chrono::seconds(timegm(&parts))};
  if (*rest == '.') {
    std::chrono::microseconds unit(100'000);
    for (++rest; *rest >= '0' && *rest <= '9'; ++rest, unit /= 10) time += (*rest - '0') * unit;
  }
  if (std::string_view(rest) != "Z" && std::string_view(rest) != "+00:00") {
    return Corrupt("time \"" + copy + "\" is not in UTC");
  }
  return time;
}

}  // namespace vdcu::base
