// What went wrong, as a value: a code that callers branch on and a message that people read.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

namespace vdcu::base {

enum class ErrorCode {
  kNotFound,
  kAlreadyExists,
  kConflict,     // a precondition (resourceVersion, UID) did not hold
  kInvalid,      // the request or the input is wrong; the same again fails again
  kForbidden,    // authentication or authorization
  kExpired,      // HTTP 410: the resourceVersion is too old, list again
  kThrottled,    // HTTP 429
  kUnavailable,  // network, time-out, HTTP 5xx: may work later; a write may have been committed
  kCancelled,
  kCorrupt,  // bytes that do not parse
  kNoCapacity,
};

std::string_view ToString(ErrorCode code);

struct Error {
  ErrorCode code;
  std::string message;
  std::chrono::milliseconds retry_after{0};  // what the server asked for; 0 = nothing
};

// The same error, its message prefixed with what was being done: "bind team-a/p1: ...".
inline Error WithContext(Error error, std::string_view context) {
  error.message = std::string(context) + ": " + error.message;
  return error;
}

inline Error Invalid(std::string message) { return {ErrorCode::kInvalid, std::move(message)}; }
inline Error Corrupt(std::string message) { return {ErrorCode::kCorrupt, std::move(message)}; }
inline Error NotFound(std::string message) { return {ErrorCode::kNotFound, std::move(message)}; }

}  // namespace vdcu::base
