// One request to a gRPC server, its answer given to a callback on the loop.
//
// Promises: `done` runs once, in a later turn of the loop, unless the call is destroyed before;
// destroying it cancels the request and waits until gRPC has let go of it, which takes no network.
#pragma once

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <utility>

#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include "base/clock.h"
#include "base/loop.h"

namespace vdcu::kubelet {

template <class Response>
class UnaryCall {
 public:
  using Done = std::function<void(const grpc::Status& status, const Response& response)>;

  // `start` begins the call: it gets the context, where to put the response, and what gRPC is to
  // call in the end.
  template <class Start>
  UnaryCall(base::Loop& loop, base::Duration timeout, const Start& start, Done done)
      : done_(std::make_shared<Done>(std::move(done))), body_(std::make_shared<Body>()) {
    body_->context.set_deadline(std::chrono::system_clock::time_point(
        std::chrono::duration_cast<std::chrono::system_clock::duration>(
            (loop.clock().Wall() + timeout).time_since_epoch())));
    ended_ = body_->ended.get_future();
    start(body_->context, body_->response,
          [&loop, body = body_, done = std::weak_ptr<Done>(done_)](grpc::Status status) {
            loop.Post([body, done, status = std::move(status)] {
              if (const auto callback = done.lock()) (*callback)(status, body->response);
            });
            body->ended.set_value();
          });
  }
  ~UnaryCall() {
    done_.reset();
    body_->context.TryCancel();
    ended_.wait();
  }
  UnaryCall(const UnaryCall&) = delete;
  UnaryCall& operator=(const UnaryCall&) = delete;

 private:
  struct Body {
    grpc::ClientContext context;
    Response response;
    std::promise<void> ended;
  };

  std::shared_ptr<Done> done_;  // gone: nobody wants the answer any more
  std::shared_ptr<Body> body_;
  std::future<void> ended_;
};

}  // namespace vdcu::kubelet
