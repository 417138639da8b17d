// A value from outside could send a terminal that shows our log escape sequences: a UID or an API
// server's message with ESC, DEL or C1 control characters in it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/log.h"

namespace vdcu::base {
namespace {

using testing::HasSubstr;

std::string Logged(const std::string& value, LogFormat format) {
  testing::internal::CaptureStderr();
  SetUpLogging(Level::kInfo, format);
  Log(Level::kInfo, "seen", {{"value", value}});
  SetUpLogging(Level::kInfo, LogFormat::kText);
  return testing::internal::GetCapturedStderr();
}

TEST(LogControlCharacters, AreEscapedInBothFormats) {
  struct Row {
    const char* sentence;
    std::string value;
    const char* want;
  };
  const Row rows[] = {
      {"ESC without a space", "\x1b[31mred", R"("\u001b[31mred")"},
      {"DEL", "a\x7f", R"("a\u007f")"},
      {"C1, CSI",
       "a\xc2\x9b"
       "31m",
       R"("a\u009b31m")"},
      {"a line's end", "a\nlevel=info", R"("a\u000alevel=info")"},
      {"a backslash", R"(a\b)", R"("a\\b")"},
  };
  for (const Row& row : rows) {
    for (const LogFormat format : {LogFormat::kText, LogFormat::kJson}) {
      EXPECT_THAT(Logged(row.value, format), HasSubstr(row.want)) << row.sentence;
    }
  }
}

TEST(LogControlCharacters, OtherTextStaysAsItIs) {
  EXPECT_THAT(Logged("Größe-€-"
                     "\xc2\xa0"
                     "x",
                     LogFormat::kText),
              HasSubstr("value=Größe-€-"));
  EXPECT_THAT(Logged("a=b", LogFormat::kText), HasSubstr(R"(value="a=b")"));
  EXPECT_THAT(Logged("\xc2", LogFormat::kText), HasSubstr("value=\xc2"));
}

}  // namespace
}  // namespace vdcu::base
