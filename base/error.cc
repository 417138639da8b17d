#include "base/error.h"

namespace vdcu::base {

std::string_view ToString(ErrorCode code) {
  switch (code) {
    case ErrorCode::kNotFound:
      return "NotFound";
    case ErrorCode::kAlreadyExists:
      return "AlreadyExists";
    case ErrorCode::kConflict:
      return "Conflict";
    case ErrorCode::kInvalid:
      return "Invalid";
    case ErrorCode::kForbidden:
      return "Forbidden";
    case ErrorCode::kExpired:
      return "Expired";
    case ErrorCode::kThrottled:
      return "Throttled";
    case ErrorCode::kUnavailable:
      return "Unavailable";
    case ErrorCode::kCancelled:
      return "Cancelled";
    case ErrorCode::kCorrupt:
      return "Corrupt";
    case ErrorCode::kNoCapacity:
      return "NoCapacity";
  }
  return "Unknown";
}

}  // namespace vdcu::base
