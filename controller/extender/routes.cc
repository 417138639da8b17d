#include "controller/extender/routes.h"

#include <utility>

namespace vdcu::controller {

namespace {

// A pod of 1.5 MiB, which an API server takes, and the names of 5,000 nodes.
constexpr size_t kMostBody = size_t{4} << 20;
// A node with all its pods, each whole: 4 KiB for a small one, and 100 to 250 of them.
constexpr size_t kMostNode = size_t{16} << 20;

using Serve = void (Extender::*)(const std::string& body, const base::HttpResponder& responder);

base::HttpRoute Route(const char* path, std::function<Extender*()> leading, Serve serve,
                      size_t most_body = kMostBody) {
  return {"POST", path,
          [leading = std::move(leading), serve](const base::HttpRequest& request,
                                                const base::HttpResponder& responder) {
            if (Extender* extender = leading()) return (extender->*serve)(request.body, responder);
            responder.Answer({.status = 503, .body = "another vdcu-controller leads\n"});
          },
          most_body};
}

base::HttpRoute RefusedRoute(const char* path) {
  return {"POST", path,
          [](const base::HttpRequest& /*request*/, const base::HttpResponder& responder) {
            responder.Answer(
                {.status = 403,
                 .body = "bind is served on this host's loopback, or with --extender-client-ca\n"});
          },
          kMostBody};
}

}  // namespace

bool MayBind(std::string_view listen, bool asks_clients) {
  return asks_clients || listen.starts_with("127.") || listen.starts_with("[::1]:");
}

std::vector<base::HttpRoute> ExtenderRoutes(std::function<Extender*()> leading, bool may_bind) {
  return {Route("/kube/filter", leading, &Extender::Filter),
          Route("/kube/preempt", leading, &Extender::Preempt),
          may_bind ? Route("/kube/bind", leading, &Extender::Bind) : RefusedRoute("/kube/bind")};
}

std::vector<base::HttpRoute> VolcanoRoutes(const std::function<Extender*()>& leading) {
  return {Route("/volcano/predicate", leading, &Extender::Predicate, kMostNode),
          Route("/volcano/allocate", leading, &Extender::Allocate),
          Route("/volcano/deallocate", leading, &Extender::Deallocate)};
}

}  // namespace vdcu::controller
