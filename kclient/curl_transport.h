// Transport over libcurl's multi interface on the loop: HTTP/2, all calls on one connection.
//
// Promises: the server is verified against the configured CA only. CA, client certificate, key and
// token are read again when their files have changed (see credentials.h): new requests use the new
// ones at once, on a new connection where they differ in more than the token; what is open may
// finish. A request that was refused for old ones (401, TLS) is sent again. A connection that is
// dead or silent is found within 30 s: when calls are open and no byte at all has come for 10 s,
// GET /version is sent on the same connection; without an answer within another 10 s all open calls
// end with kUnavailable, and the next ones use a new connection.
//
// Ownership: destroyed before the loop, after all calls, not within a callback.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/uv_loop.h"
#include "kclient/config.h"
#include "kclient/transport.h"

namespace vdcu::kclient {

class CurlTransport : public Transport {
 public:
  CurlTransport(base::UvLoop& loop, const Config& config, const std::string& user_agent);
  ~CurlTransport() override;

  [[nodiscard]] CallPtr Send(HttpRequest request, ResponseCallback on_done) override;
  [[nodiscard]] CallPtr Stream(HttpRequest request, DataCallback on_data,
                               ResponseCallback on_end) override;

  // Why nothing can be asked: our credentials are refused. Empty: they are not, as far as is known.
  std::vector<std::string> NotReady() const;

 private:
  class Session;
  std::unique_ptr<Session> session_;
};

}  // namespace vdcu::kclient
