#include "tests/fakes/fake_transport.h"

#include <utility>

#include "base/check.h"

namespace vdcu::fakes {

using kclient::CallPtr;
using kclient::DataCallback;
using kclient::HttpRequest;
using kclient::HttpResponse;
using kclient::ResponseCallback;

class FakeTransport::FakeCall : public kclient::Call {
 public:
  FakeCall(FakeTransport& transport, size_t number) : transport_(transport), number_(number) {}
  ~FakeCall() override { transport_.open_.erase(number_); }
  FakeCall(const FakeCall&) = delete;
  FakeCall& operator=(const FakeCall&) = delete;

 private:
  FakeTransport& transport_;
  const size_t number_;
};

CallPtr FakeTransport::Send(HttpRequest request, ResponseCallback on_done) {
  return Start(std::move(request), {nullptr, std::move(on_done)});
}

CallPtr FakeTransport::Stream(HttpRequest request, DataCallback on_data, ResponseCallback on_end) {
  return Start(std::move(request), {std::move(on_data), std::move(on_end)});
}

CallPtr FakeTransport::Start(HttpRequest request, Callbacks callbacks) {
  const size_t number = requests_.size();
  requests_.push_back(std::move(request));
  open_.emplace(number, std::move(callbacks));
  return std::make_unique<FakeCall>(*this, number);
}

FakeTransport::Callbacks FakeTransport::Close(size_t call) {
  const auto found = open_.find(call);
  CHECK(found != open_.end(), "call " + std::to_string(call) + " is not open");
  Callbacks callbacks = std::move(found->second);
  open_.erase(found);
  return callbacks;
}

void FakeTransport::Answer(size_t call, int status, std::string body, base::Duration retry_after) {
  HttpResponse response;
  response.status = status;
  response.body = std::move(body);
  response.retry_after = retry_after;
  Close(call).on_end(std::move(response));
}

void FakeTransport::Fail(size_t call, base::Error error) { Close(call).on_end(std::move(error)); }

void FakeTransport::Data(size_t call, std::string_view bytes) {
  const auto found = open_.find(call);
  CHECK(found != open_.end() && found->second.on_data, "no open stream has this number");
  const DataCallback on_data = found->second.on_data;  // it may cancel the call
  on_data(bytes);
}

}  // namespace vdcu::fakes
