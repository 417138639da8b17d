// The process's HTTP endpoint on the loop: GET /livez, /healthz, /readyz and /metrics, nothing
// else.
//
// Promises:
// - /livez and /healthz answer 200 as long as the loop turns; /readyz 200, or 503 with one reason a
//   line; /metrics the registry and the process's own figures as Prometheus text, made at most once
//   a second. Other paths are 404, other methods 405.
// - Clients cannot hold the process: connections, their idle time, the size of a request and HTTP's
//   share of the loop's time (a fifth) are bounded.
// - They cannot hold the port either: at the bound a new connection takes the place of the oldest;
//   only those of its own address, when they are many, keep it out.
// Errors of Listen: kInvalid for an address that cannot be one, kUnavailable where it cannot be
// bound; both name it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/uv_loop.h"

namespace prometheus {
class Registry;
}

namespace vdcu::base {

class HttpServer {
 public:
  struct Sources {
    // Why the process is not ready, a sentence each; empty: it is ready.
    std::function<std::vector<std::string>()> not_ready;
    std::shared_ptr<prometheus::Registry> metrics;
    // Sets those that are not kept up to date, before they are read; may be empty.
    std::function<void()> before_metrics = nullptr;
  };

  // `address`: "ADDR:PORT", "[ADDR]:PORT" for IPv6 or ":PORT" for all of the host's addresses; ADDR
  // is numeric and PORT 0 takes a free one.
  static Result<std::unique_ptr<HttpServer>> Listen(UvLoop& loop, std::string_view address,
                                                    Sources sources);
  // Closes the socket and all connections.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  uint16_t port() const;

 private:
  class Daemon;

  explicit HttpServer(std::unique_ptr<Daemon> daemon);

  std::unique_ptr<Daemon> daemon_;
};

}  // namespace vdcu::base
