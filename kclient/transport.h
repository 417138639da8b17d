// HTTP to one API server, as its users see it. CurlTransport (curl_transport.h) is the real one,
// FakeTransport (tests/fakes) answers what a test scripts.
//
// Promises: destroying a CallPtr cancels the call, and then no callback of it runs any more.
// Otherwise the last callback (on_done, on_end) runs exactly once, never inside the starting call.
// A callback may destroy its own CallPtr and start other calls; it may not destroy the transport.
//
// Ownership: calls must be destroyed before the transport.
// Errors: kUnavailable where no answer came (network, TLS, time-out): a write may have been carried
// out. kNoCapacity where the answer is longer than allowed. Every HTTP status is an answer.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace vdcu::kclient {

struct HttpRequest {
  std::string method = "GET";
  std::string path;  // with the query, encoded
  std::string body;
  std::string content_type;              // of the body; empty: no body
  base::Duration timeout{10'000};        // from the start to the last byte
  size_t most_bytes = size_t{16} << 20;  // of an answer's body; a stream has no bound
};

struct HttpResponse {
  int status = 0;
  std::string body;
  base::Duration retry_after{0};  // of the header; 0: none
};

// A call under way. Destroying it cancels.
class Call {
 public:
  virtual ~Call() = default;
};
using CallPtr = std::unique_ptr<Call>;

using ResponseCallback = std::function<void(base::Result<HttpResponse>)>;
using DataCallback = std::function<void(std::string_view)>;

class Transport {
 public:
  virtual ~Transport() = default;
  [[nodiscard]] virtual CallPtr Send(HttpRequest request, ResponseCallback on_done) = 0;
  // The body of a 2xx answer goes to on_data as it comes, cut anywhere; the response that on_end
  // gets has none. The first part tells that the answer has begun, and may be empty. Other answers
  // are gathered and given to on_end.
  [[nodiscard]] virtual CallPtr Stream(HttpRequest request, DataCallback on_data,
                                       ResponseCallback on_end) = 0;
};

}  // namespace vdcu::kclient
