// A transport that tells how each call of another has ended, for metrics. A call that is cancelled
// has not.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "kclient/transport.h"

namespace vdcu::kclient {

class CountedTransport : public Transport {
 public:
  // verb: "get" (lists, too), "watch", "post", "put", "patch" or "delete"; status 0: no answer
  // came.
  using OnEnd = std::function<void(std::string_view verb, int status)>;

  CountedTransport(Transport& transport, OnEnd on_end)
      : transport_(transport), on_end_(std::move(on_end)) {}

  [[nodiscard]] CallPtr Send(HttpRequest request, ResponseCallback on_done) override;
  [[nodiscard]] CallPtr Stream(HttpRequest request, DataCallback on_data,
                               ResponseCallback on_end) override;

 private:
  ResponseCallback Counted(std::string verb, ResponseCallback on_done) const;

  Transport& transport_;
  const OnEnd on_end_;
};

}  // namespace vdcu::kclient
