#include "base/http/exchange.h"

#include <string>
#include <utility>

namespace vdcu::base {

namespace {

HttpAnswer TooLong(const HttpRoute& route) {
  return {.status = 413,
          .body = "the body is longer than " + std::to_string(route.most_body) + " bytes\n"};
}

}  // namespace

Exchange::Exchange(const std::vector<HttpRoute>& routes, HttpRequest request, uint64_t length,
                   Bodies& bodies)
    : request_(std::move(request)), bodies_(bodies) {
  std::string allowed;
  for (const HttpRoute& route : routes) {
    if (route.path != request_.path) continue;
    if (route.method == request_.method) route_ = &route;
    (allowed += allowed.empty() ? "" : ", ") += route.method;
  }
  if (allowed.empty()) {
    answer_ = {.status = 404, .body = "not found\n"};
  } else if (route_ == nullptr) {
    answer_ = {.status = 405, .body = "only " + allowed + "\n", .headers = {{"Allow", allowed}}};
  } else if (length > route_->most_body) {
    answer_ = TooLong(*route_);
  }
}

void Exchange::Take(std::string_view part) {
  if (answer_) return;
  if (request_.body.size() + part.size() > route_->most_body) return Refuse(TooLong(*route_));
  if (bodies_.gathered + part.size() > bodies_.most) {
    return Refuse(
        {.status = 503, .body = "too many bodies at once\n", .headers = {{"Retry-After", "1"}}});
  }
  request_.body += part;
  bodies_.gathered += part.size();
}

void Exchange::Handle(HttpResponder responder) {
  if (answer_ || std::exchange(handled_, true)) return;
  route_->handler(request_, std::move(responder));
}

void Exchange::Answer(HttpAnswer answer) {
  if (!answer_) answer_ = std::move(answer);
}

void Exchange::Refuse(HttpAnswer answer) {
  DropBody();
  Answer(std::move(answer));
}

void Exchange::DropBody() { bodies_.gathered -= std::exchange(request_.body, {}).size(); }

}  // namespace vdcu::base
