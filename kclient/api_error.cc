#include "kclient/api_error.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/text.h"

namespace vdcu::kclient {

namespace {

using base::Error;
using base::ErrorCode;

template <class Matches>
bool AnyCause(JsonView status, Matches matches) {
  bool found = false;
  if (const auto details = Get(status, "details")) {
    ForEach(*details, "causes", [&](JsonView cause) { found = found || matches(cause); });
  }
  return found;
}

// Kubernetes' staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/types.go, CauseTypeResourceVersion-
// TooLarge: the server's cache is behind the version asked for, for good after a restore of etcd.
bool IsTooLargeResourceVersion(JsonView status) {
  return AnyCause(status, [](JsonView cause) {
    return GetString(cause, "reason") == "ResourceVersionTooLarge";
  });
}

// A patch that names another UID than the object's: a precondition to us, to the server an attempt
// to change what is immutable.
bool IsAboutUid(JsonView status) {
  return AnyCause(status,
                  [](JsonView cause) { return GetString(cause, "field") == "metadata.uid"; });
}

ErrorCode CodeOf(int http, std::string_view reason) {
  switch (http) {
    case 401:
    case 403:
      return ErrorCode::kForbidden;
    case 404:
      return ErrorCode::kNotFound;
    case 409:
      return reason == "AlreadyExists" ? ErrorCode::kAlreadyExists : ErrorCode::kConflict;
    case 410:
      return ErrorCode::kExpired;
    case 429:
      return ErrorCode::kThrottled;
    case 408:
      return ErrorCode::kUnavailable;
    default:
      return http >= 400 && http < 500 ? ErrorCode::kInvalid : ErrorCode::kUnavailable;
  }
}

std::string MessageOf(int http, std::string_view reason, std::string_view message) {
  std::string text = "HTTP " + std::to_string(http);
  if (!reason.empty()) (text += ' ') += reason;
  if (!message.empty()) (text += ": ") += message;
  return base::Cut(std::move(text));
}

Error FromStatus(int http, JsonView status) {
  const std::string reason = GetStringOr(status, "reason");
  Error error{CodeOf(http, reason), MessageOf(http, reason, GetStringOr(status, "message")), {}};
  if (reason == "Expired" || IsTooLargeResourceVersion(status)) error.code = ErrorCode::kExpired;
  if (error.code == ErrorCode::kInvalid && IsAboutUid(status)) error.code = ErrorCode::kConflict;
  if (const auto details = Get(status, "details")) {
    const int64_t seconds = GetInt(*details, "retryAfterSeconds").value_or(0);
    error.retry_after = std::chrono::seconds(std::clamp<int64_t>(seconds, 0, 3600));
  }
  return error;
}

// Of a body that is no Status: proxies and load balancers answer in text or HTML.
Error FromText(const HttpResponse& response) {
  constexpr size_t kMost = 300;
  return {CodeOf(response.status, ""),
          MessageOf(response.status, "", std::string_view(response.body).substr(0, kMost)),
          {}};
}

}  // namespace

Error ErrorFromResponse(const HttpResponse& response) {
  JsonParser parser;
  const auto status = parser.Parse(response.body);
  const bool is_status = status && GetString(*status, "kind") == "Status";
  Error error = is_status ? FromStatus(response.status, *status) : FromText(response);
  error.retry_after = std::max(error.retry_after, response.retry_after);
  return error;
}

Error ErrorFromStatus(JsonView status) {
  return FromStatus(static_cast<int>(GetInt(status, "code").value_or(500)), status);
}

}  // namespace vdcu::kclient
