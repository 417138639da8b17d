#include "kclient/api_error.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace vdcu::kclient {
namespace {

using base::ErrorCode;
using std::chrono::seconds;

std::string StatusJson(int code, const std::string& reason, const std::string& details = "{}") {
  return R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"why","reason":")" +
         reason + R"(","details":)" + details + R"(,"code":)" + std::to_string(code) + "}";
}

struct Case {
  const char* description;
  int status;
  std::string body;
  seconds retry_after_header;
  ErrorCode want_code;
  const char* want_message;
  seconds want_retry_after;
};

const Case kCases[] = {
    {"a create of what exists",
     409,
     StatusJson(409, "AlreadyExists"),
     {},
     ErrorCode::kAlreadyExists,
     "HTTP 409 AlreadyExists: why",
     {}},
    {"a precondition that did not hold",
     409,
     StatusJson(409, "Conflict"),
     {},
     ErrorCode::kConflict,
     "HTTP 409 Conflict: why",
     {}},
    {"a 409 without a Status", 409, "conflict", {}, ErrorCode::kConflict, "HTTP 409: conflict", {}},
    {"not found",
     404,
     StatusJson(404, "NotFound"),
     {},
     ErrorCode::kNotFound,
     "HTTP 404 NotFound: why",
     {}},
    {"a path that the server does not know",
     404,
     "404 page not found",
     {},
     ErrorCode::kNotFound,
     "HTTP 404: 404 page not found",
     {}},
    {"no valid credentials",
     401,
     StatusJson(401, "Unauthorized"),
     {},
     ErrorCode::kForbidden,
     "HTTP 401 Unauthorized: why",
     {}},
    {"no right",
     403,
     StatusJson(403, "Forbidden"),
     {},
     ErrorCode::kForbidden,
     "HTTP 403 Forbidden: why",
     {}},
    {"an object that breaks a rule",
     422,
     StatusJson(422, "Invalid"),
     {},
     ErrorCode::kInvalid,
     "HTTP 422 Invalid: why",
     {}},
    {"a patch for another UID",
     422,
     StatusJson(422, "Invalid",
                R"({"causes":[{"reason":"FieldValueInvalid","field":"metadata.uid"}]})"),
     {},
     ErrorCode::kConflict,
     "HTTP 422 Invalid: why",
     {}},
    {"a request that is wrong",
     400,
     StatusJson(400, "BadRequest"),
     {},
     ErrorCode::kInvalid,
     "HTTP 400 BadRequest: why",
     {}},
    {"a version that has expired",
     410,
     StatusJson(410, "Expired"),
     {},
     ErrorCode::kExpired,
     "HTTP 410 Expired: why",
     {}},
    {"gone", 410, StatusJson(410, "Gone"), {}, ErrorCode::kExpired, "HTTP 410 Gone: why", {}},
    {"throttled, by header", 429, "slow down", seconds(7), ErrorCode::kThrottled,
     "HTTP 429: slow down", seconds(7)},
    {"throttled, by details", 429, StatusJson(429, "TooManyRequests", R"({"retryAfterSeconds":3})"),
     seconds(1), ErrorCode::kThrottled, "HTTP 429 TooManyRequests: why", seconds(3)},
    {"a version that the server has not reached",
     504,
     StatusJson(
         504, "Timeout",
         R"({"causes":[{"reason":"ResourceVersionTooLarge","message":"Too large"}],"retryAfterSeconds":1})"),
     {},
     ErrorCode::kExpired,
     "HTTP 504 Timeout: why",
     seconds(1)},
    {"another time-out",
     504,
     StatusJson(504, "Timeout"),
     {},
     ErrorCode::kUnavailable,
     "HTTP 504 Timeout: why",
     {}},
    {"a broken server",
     500,
     StatusJson(500, "InternalError"),
     {},
     ErrorCode::kUnavailable,
     "HTTP 500 InternalError: why",
     {}},
    {"a proxy without a server",
     502,
     "<html>Bad Gateway</html>",
     {},
     ErrorCode::kUnavailable,
     "HTTP 502: <html>Bad Gateway</html>",
     {}},
    {"JSON that is no Status",
     503,
     R"({"kind":"Pod"})",
     {},
     ErrorCode::kUnavailable,
     R"(HTTP 503: {"kind":"Pod"})",
     {}},
    {"nothing", 503, "", {}, ErrorCode::kUnavailable, "HTTP 503", {}},
    {"a redirect", 302, "", {}, ErrorCode::kUnavailable, "HTTP 302", {}},
};

TEST(ErrorFromResponse, EachRefusalHasItsCode) {
  for (const Case& test : kCases) {
    SCOPED_TRACE(test.description);
    const auto error = ErrorFromResponse({test.status, test.body, test.retry_after_header});
    EXPECT_EQ(error.code, test.want_code) << ToString(error.code);
    EXPECT_EQ(error.message, test.want_message);
    EXPECT_EQ(error.retry_after, test.want_retry_after);
  }
}

TEST(ErrorFromResponse, AnErrorPageIsShortened) {
  const auto error = ErrorFromResponse({502, std::string(100'000, 'x'), {}});
  EXPECT_LT(error.message.size(), 400u);
}

TEST(ErrorFromStatus, TakesTheCodeOfTheStatus) {
  JsonParser parser;
  const std::string text = StatusJson(410, "Expired");
  const auto error = ErrorFromStatus(*parser.Parse(text));
  EXPECT_EQ(error.code, ErrorCode::kExpired);
  EXPECT_EQ(error.message, "HTTP 410 Expired: why");
}

}  // namespace
}  // namespace vdcu::kclient
