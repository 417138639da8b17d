// What the HTTP server does for whom: a route is a method and a path with the handler that answers.
//
// Promises: a handler gets a request with its whole body. It may answer at once or in a later turn
// of the loop; the first answer counts. An answer to a client that has gone, or of a server that
// has, is dropped; libmicrohttpd takes a client that closes its side of the connection while an
// answer is to come later for one that has gone. Where a handler lets go of its responder without
// an answer, the client gets 500. A handler may not destroy the server.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

namespace vdcu::base {

struct HttpRequest {
  std::string method;
  std::string path;  // decoded, without the query
  std::string body;
};

struct HttpAnswer {
  int status = 200;
  std::string body = "";
  std::string content_type = "text/plain; charset=utf-8";
  std::map<std::string, std::string> headers = {};  // further ones
};

// Takes the answer to one request; copies are of the same request.
class HttpResponder {
 public:
  explicit HttpResponder(std::function<void(HttpAnswer)> deliver)
      : deliver_(std::make_shared<Delivery>(std::move(deliver))) {}

  void Answer(HttpAnswer answer) const { deliver_->Answer(std::move(answer)); }

 private:
  class Delivery {
   public:
    explicit Delivery(std::function<void(HttpAnswer)> deliver) : deliver_(std::move(deliver)) {}
    ~Delivery() { Answer({.status = 500, .body = "no answer\n"}); }
    Delivery(const Delivery&) = delete;
    Delivery& operator=(const Delivery&) = delete;

    void Answer(HttpAnswer answer) {
      if (const auto deliver = std::exchange(deliver_, nullptr)) deliver(std::move(answer));
    }

   private:
    std::function<void(HttpAnswer)> deliver_;  // null: answered
  };

  std::shared_ptr<Delivery> deliver_;
};

// The request lives until the handler returns.
using HttpHandler = std::function<void(const HttpRequest& request, HttpResponder responder)>;

struct HttpRoute {
  std::string method;
  std::string path;
  HttpHandler handler;
  size_t most_body = size_t{16} << 10;  // bytes; a longer body is refused with 413
};

}  // namespace vdcu::base
