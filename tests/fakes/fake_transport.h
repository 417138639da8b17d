// A transport without semantics: it keeps what is sent, and answers what the test says, when the
// test says it, cut where the test cuts it.
//
// Calls are named by their number, in the order in which they were started, from 0. Answering a
// call that is not open (answered, or cancelled) aborts the test.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "kclient/transport.h"

namespace vdcu::fakes {

class FakeTransport : public kclient::Transport {
 public:
  [[nodiscard]] kclient::CallPtr Send(kclient::HttpRequest request,
                                      kclient::ResponseCallback on_done) override;
  [[nodiscard]] kclient::CallPtr Stream(kclient::HttpRequest request, kclient::DataCallback on_data,
                                        kclient::ResponseCallback on_end) override;

  const std::vector<kclient::HttpRequest>& requests() const { return requests_; }
  // The number of the newest call.
  size_t last() const { return requests_.size() - 1; }
  bool open(size_t call) const { return open_.contains(call); }

  void Answer(size_t call, int status, std::string body = "", base::Duration retry_after = {});
  void Fail(size_t call, base::Error error);
  // Bytes of a stream that was answered with 200; Answer(call, 200) ends it.
  void Data(size_t call, std::string_view bytes);

 private:
  struct Callbacks {
    kclient::DataCallback on_data;
    kclient::ResponseCallback on_end;
  };
  class FakeCall;

  kclient::CallPtr Start(kclient::HttpRequest request, Callbacks callbacks);
  Callbacks Close(size_t call);

  std::vector<kclient::HttpRequest> requests_;
  std::map<size_t, Callbacks> open_;
};

}  // namespace vdcu::fakes
