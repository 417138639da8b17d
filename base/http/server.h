// An HTTP server on the loop: routes, and clients that cannot hold it. It knows no path.
//
// Promises:
// - A request goes to the route of its method and path. A path that no route has is 404, another
//   method 405 with Allow, a body longer than the route's bound 413.
// - Handlers may answer in a later turn (route.h); who does not within `step` has answered 503.
// - Clients cannot hold the process: connections, the length of a request and of all bodies
//   together, and the time that each step of a request takes are bounded, whatever the client sends
//   or leaves out, a TLS handshake included. HTTP has a fifth of the loop's time (loop_share.h),
//   and calls no further handler in a turn that has taken 5 ms.
// - They cannot hold the port either: at the bound a new connection takes the place of the one that
//   has waited longest for its next request; only those of its own address, when they are many,
//   keep it out.
// - With TLS: 1.2 or 1.3, and a certificate that is read again when its files change (tls.h). New
//   connections get the new one, those that are open keep theirs. Where CAs of clients are given, a
//   client without a certificate of theirs gets no connection.
// Errors of Listen: kInvalid for an address that cannot be one, kUnavailable where it cannot be
// bound, those of tls.h; all name it.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/http/route.h"
#include "base/http/tls.h"
#include "base/uv_loop.h"

namespace vdcu::base {

struct HttpOptions {
  std::shared_ptr<TlsSource> tls = nullptr;  // null: plain HTTP
  unsigned connections = 64;
  // One misbehaving client leaves room for others.
  unsigned connections_of_one_address = 16;
  size_t bodies = size_t{16} << 20;  // bytes, of all requests together
  Duration idle{10'000};             // until the headers of a request are there
  Duration step{10'000};             // until its body is; until it is answered; until that was read
};

class HttpServer {
 public:
  // `address`: "ADDR:PORT", "[ADDR]:PORT" for IPv6 or ":PORT" for all of the host's addresses; ADDR
  // is numeric and PORT 0 takes a free one.
  static Result<std::unique_ptr<HttpServer>> Listen(UvLoop& loop, std::string_view address,
                                                    std::vector<HttpRoute> routes,
                                                    HttpOptions options = {});
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
