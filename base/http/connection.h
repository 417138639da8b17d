// The connections of an HTTP server, each with the step of its request and when that must be over.
#pragma once

#include <microhttpd.h>

#include <cstdint>
#include <list>
#include <memory>

#include "base/http/exchange.h"
#include "base/http/tls.h"

namespace vdcu::base {

struct Connection {
  MHD_Connection* handle;
  MHD_socket fd;
  TimePoint deadline;                            // of the step that it is in
  std::shared_ptr<const TlsPair> tls = nullptr;  // null: plain HTTP
  std::shared_ptr<Exchange> exchange = nullptr;  // null between requests
  bool suspended = false;                        // libmicrohttpd waits for the answer
  bool shut = false;                             // ended by us; libmicrohttpd is still to notice
};

// The longest without the headers of a request first.
using Connections = std::list<Connection>;

inline Connection& ConnectionOf(MHD_Connection* handle) {
  return *static_cast<Connection*>(
      MHD_get_connection_info(handle, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context);
}

// Of the request's body; 0 where its headers do not say.
uint64_t ContentLength(MHD_Connection* handle);

// The body is not copied: it is libmicrohttpd's for as long as it needs it. Null: no memory.
MHD_Response* MakeResponse(HttpAnswer answer);

}  // namespace vdcu::base
