#include "kclient/counted_transport.h"

#include <algorithm>
#include <cctype>
#include <utility>

namespace vdcu::kclient {

namespace {

std::string VerbOf(std::string method) {
  std::transform(method.begin(), method.end(), method.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return method;
}

}  // namespace

// Counted before `on_done`, which may look.
ResponseCallback CountedTransport::Counted(std::string verb, ResponseCallback on_done) const {
  return [this, verb = std::move(verb),
          done = std::move(on_done)](base::Result<HttpResponse> response) {
    on_end_(verb, response ? response->status : 0);
    done(std::move(response));
  };
}

CallPtr CountedTransport::Send(HttpRequest request, ResponseCallback on_done) {
  auto counted = Counted(VerbOf(request.method), std::move(on_done));
  return transport_.Send(std::move(request), std::move(counted));
}

CallPtr CountedTransport::Stream(HttpRequest request, DataCallback on_data,
                                 ResponseCallback on_end) {
  return transport_.Stream(std::move(request), std::move(on_data),
                           Counted("watch", std::move(on_end)));
}

}  // namespace vdcu::kclient
