#include "base/program_call.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>

namespace vdcu::base {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;

class ProgramCallTest : public ::testing::Test {
 protected:
  Result<std::string> Run(const ProgramCall& call) {
    std::optional<Result<std::string>> result;
    std::unique_ptr<Subscription> handle = StartProgram(loop_, call, [&](Result<std::string> text) {
      result = std::move(text);
      handle.reset();
    });
    EXPECT_FALSE(result) << "never within the call that starts it";
    EXPECT_TRUE(loop_.RunUntil([&] { return result.has_value(); }, seconds(30)));
    return result.value_or(NotFound("no result"));
  }
  static ProgramCall Shell(const std::string& script) {
    return {.file = "sh", .arguments = {"-c", script}};
  }

  UvLoop loop_;
};

TEST_F(ProgramCallTest, WhatItWritesIsGathered) {
  EXPECT_EQ(Run(Shell("echo a; sleep 0.05; echo b")).value(), "a\nb\n");
  EXPECT_EQ(Run(Shell("cat")).value(), "") << "its input is empty";
  EXPECT_EQ(Run(Shell("head -c 500000 /dev/zero")).value().size(), 500'000u);
  ProgramCall call = Shell("echo $NAME $HOME");
  call.environment = {{"NAME", "value"}, {"HOME", "here"}};
  EXPECT_EQ(Run(call).value(), "value here\n");
}

TEST_F(ProgramCallTest, HowItFailedIsSaidWithoutWhatItWrote) {
  ProgramCall slow = Shell("echo secret; sleep 60");
  slow.most = Duration(200);
  ProgramCall loud = Shell("yes secret");
  loud.most_bytes = 100'000;
  const struct {
    ProgramCall call;
    ErrorCode want_code;
    const char* want;
  } kCases[] = {
      {Shell("echo secret; exit 3"), ErrorCode::kUnavailable, "sh: ended with exit code 3"},
      {Shell("echo secret; kill -9 $$"), ErrorCode::kUnavailable, "sh: ended with signal 9"},
      {slow, ErrorCode::kUnavailable, "sh: has not ended in 200 ms"},
      {loud, ErrorCode::kUnavailable, "sh: writes more than 100000 bytes"},
      {{.file = "/does/not/exist"}, ErrorCode::kNotFound, "/does/not/exist: No such file"},
      {{.file = "/etc/passwd"}, ErrorCode::kUnavailable, "/etc/passwd: Permission denied"},
  };
  for (const auto& test : kCases) {
    const auto result = Run(test.call);
    ASSERT_FALSE(result) << test.want;
    EXPECT_EQ(result.error().code, test.want_code) << test.want;
    EXPECT_THAT(result.error().message, HasSubstr(test.want));
    EXPECT_THAT(result.error().message, ::testing::Not(HasSubstr("secret")));
  }
}

TEST_F(ProgramCallTest, WhatItLeavesBehindIsNotWaitedFor) {
  EXPECT_EQ(Run(Shell("sleep 60 & echo done")).value(), "done\n");
}

TEST_F(ProgramCallTest, OneWhoseHandleGoesIsKilledAndNeverHeardOf) {
  bool heard = false;
  auto handle = StartProgram(loop_, Shell("sleep 60"), [&](const auto&) { heard = true; });
  loop_.RunUntil([] { return false; }, Duration(20));
  handle.reset();
  EXPECT_FALSE(loop_.RunUntil([&] { return heard; }, Duration(100)));
}

}  // namespace
}  // namespace vdcu::base
