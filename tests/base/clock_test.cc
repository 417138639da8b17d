#include "base/clock.h"

#include <string>

#include <gtest/gtest.h>

namespace vdcu::base {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

WallTime At(int64_t whole_seconds, int64_t micros = 0) {
  return WallTime(seconds(whole_seconds) + microseconds(micros));
}

TEST(FormatTime, IsRfc3339InUtc) {
  EXPECT_EQ(FormatTime(At(0)), "1970-01-01T00:00:00Z");
  EXPECT_EQ(FormatTime(At(1'767'366'245)), "2026-01-02T15:04:05Z");
  EXPECT_EQ(FormatTime(At(1'767'366'245, 999'999)), "2026-01-02T15:04:05Z") << "cut, not rounded";
  EXPECT_EQ(FormatTime(At(1'709'164'800)), "2024-02-29T00:00:00Z");
}

TEST(FormatMicroTime, HasSixDigitsAlways) {
  EXPECT_EQ(FormatMicroTime(At(1'767'366'245)), "2026-01-02T15:04:05.000000Z");
  EXPECT_EQ(FormatMicroTime(At(1'767'366'245, 42)), "2026-01-02T15:04:05.000042Z");
}

TEST(ParseTime, ReadsBothForms) {
  const std::pair<std::string, WallTime> cases[] = {
      {"1970-01-01T00:00:00Z", At(0)},
      {"2026-01-02T15:04:05Z", At(1'767'366'245)},
      {"2026-01-02T15:04:05+00:00", At(1'767'366'245)},
      {"2026-01-02T15:04:05.000042Z", At(1'767'366'245, 42)},
      {"2026-01-02T15:04:05.5Z", At(1'767'366'245, 500'000)},
      {"2026-01-02T15:04:05.123456789Z", At(1'767'366'245, 123'456)},
      {"2024-02-29T00:00:00Z", At(1'709'164'800)},
  };
  for (const auto& [text, want] : cases) {
    const auto time = ParseTime(text);
    ASSERT_TRUE(time) << text << ": " << time.error().message;
    EXPECT_EQ(*time, want) << text;
  }
}

TEST(ParseTime, WhatIsWrittenReadsBackTheSame) {
  const WallTime time = At(1'767'366'245, 123'456);
  EXPECT_EQ(ParseTime(FormatMicroTime(time)).value(), time);
  EXPECT_EQ(ParseTime(FormatTime(time)).value(), At(1'767'366'245));
}

TEST(ParseTime, OtherTextsAreCorrupt) {
  for (const std::string text :
       {"", "now", "2026-01-02", "2026-01-02T15:04:05", "2026-13-02T15:04:05Z",
        "2026-01-02T25:04:05Z", "2026-01-02T15:04:05+08:00", "2026-01-02T15:04:05Zx",
        "2026-01-02 15:04:05Z"}) {
    const auto time = ParseTime(text);
    ASSERT_FALSE(time) << text;
    EXPECT_EQ(time.error().code, ErrorCode::kCorrupt) << text;
    EXPECT_NE(time.error().message.find(text), std::string::npos);
  }
}

TEST(SystemClock, TicksForward) {
  const SystemClock clock;
  const TimePoint before = clock.Now();
  EXPECT_GE(clock.Now(), before);
  EXPECT_GT(clock.Wall(), At(1'700'000'000));
}

}  // namespace
}  // namespace vdcu::base
