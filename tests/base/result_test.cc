#include "base/result.h"

#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace vdcu::base {
namespace {

Result<std::unique_ptr<int>> Make(bool good) {
  if (!good) return NotFound("no number");
  return std::make_unique<int>(7);
}

Result<int> Twice(bool good) {
  ASSIGN_OR_RETURN(const auto number, Make(good));
  return *number * 2;
}

Status Check(bool good) {
  RETURN_IF_ERROR(Twice(good));
  return Ok();
}

TEST(Result, MacrosPassTheValueOn) {
  EXPECT_EQ(Twice(true), 14);
  EXPECT_TRUE(Check(true));
}

TEST(Result, MacrosReturnTheErrorToTheCaller) {
  const Status status = Check(false);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(status.error().message, "no number");
}

TEST(Error, ContextGoesInFrontAndTheRestStays) {
  const Error error =
      WithContext({ErrorCode::kThrottled, "slow down", std::chrono::seconds(2)}, "bind a/p");
  EXPECT_EQ(error.code, ErrorCode::kThrottled);
  EXPECT_EQ(error.message, "bind a/p: slow down");
  EXPECT_EQ(error.retry_after, std::chrono::seconds(2));
}

}  // namespace
}  // namespace vdcu::base
