// FakeTransport as a conversation: the test looks at the oldest request that is open and says what
// comes back.
#pragma once

#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "tests/fakes/fake_transport.h"

namespace vdcu::kclient {

class OldestCall {
 public:
  explicit OldestCall(fakes::FakeTransport& transport) : transport_(transport) {}

  // Requests so far, and those that are neither answered nor cancelled.
  size_t sent() const { return transport_.requests().size(); }
  size_t open() const {
    size_t count = 0;
    for (size_t call = 0; call < sent(); ++call) count += transport_.open(call) ? 1 : 0;
    return count;
  }

  // "PATCH /path", without the query; empty: none is open.
  std::string Line() const {
    if (open() == 0) return "";
    const HttpRequest& request = transport_.requests()[Oldest()];
    return request.method + " " + request.path.substr(0, request.path.find('?'));
  }
  nlohmann::json Body() const {
    return nlohmann::json::parse(transport_.requests().at(Oldest()).body, nullptr, false);
  }

  void Answer(int status, const nlohmann::json& body) {
    transport_.Answer(Oldest(), status, body.dump());
  }
  // With a metav1.Status of this reason.
  void Refuse(int status, const std::string& reason) {
    Answer(status, {{"kind", "Status"}, {"reason", reason}, {"message", "scripted " + reason}});
  }
  void Break() { transport_.Fail(Oldest(), {base::ErrorCode::kUnavailable, "connection lost"}); }

 private:
  // The number past the last where none is open, which FakeTransport refuses.
  size_t Oldest() const {
    size_t call = 0;
    while (call < sent() && !transport_.open(call)) ++call;
    return call;
  }

  fakes::FakeTransport& transport_;
};

}  // namespace vdcu::kclient
