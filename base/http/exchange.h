// One request on a connection, from its headers to its answer: what is refused, and the body.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/http/route.h"

namespace vdcu::base {

class Exchange {
 public:
  // Bytes of the bodies of all requests at once.
  struct Bodies {
    const size_t most;
    size_t gathered = 0;
  };

  // `length`: of the body, where its headers tell. 404, 405 and 413 are answers from the start.
  Exchange(const std::vector<HttpRoute>& routes, HttpRequest request, uint64_t length,
           Bodies& bodies);
  ~Exchange() { DropBody(); }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  // The next part of the body. Nothing is kept where the request is refused: 413 when the body is
  // longer than its route allows, 503 when there are too many bodies at once.
  void Take(std::string_view part);
  // Gives the request to its route, once, unless it is answered.
  void Handle(HttpResponder responder);

  const std::optional<HttpAnswer>& answer() const { return answer_; }
  bool handled() const { return handled_; }
  void Answer(HttpAnswer answer);
  // Once.
  HttpAnswer TakeAnswer() { return std::move(*answer_); }

 private:
  void Refuse(HttpAnswer answer);
  void DropBody();

  HttpRequest request_;
  Bodies& bodies_;
  const HttpRoute* route_ = nullptr;  // null: refused from the start
  bool handled_ = false;
  std::optional<HttpAnswer> answer_;
};

}  // namespace vdcu::base
