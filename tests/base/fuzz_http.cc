// Any bytes on the HTTP port, with routes that take a body and that answer later: the connection
// ends, no handler gets more than its bound, and the next connection is answered.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <prometheus/registry.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/http/server.h"
#include "base/program/endpoints.h"

namespace {

namespace base = vdcu::base;

constexpr size_t kMostBody = 64;

struct World {
  World() {
    auto routes =
        base::MakeEndpoints(loop.clock(), {.not_ready = [] { return std::vector<std::string>(); },
                                           .metrics = std::make_shared<prometheus::Registry>()});
    for (const auto* method : {"GET", "POST"}) {
      routes.push_back({method, "/later",
                        [this](const base::HttpRequest& request, base::HttpResponder responder) {
                          OnLater(request, std::move(responder));
                        },
                        kMostBody});
    }
    auto listening = base::HttpServer::Listen(loop, "127.0.0.1:0", std::move(routes));
    if (!listening) std::abort();
    server = std::move(*listening);
  }

  void OnLater(const base::HttpRequest& request, base::HttpResponder responder) {
    if (request.body.size() > kMostBody) std::abort();
    loop.Post([responder = std::move(responder), body = request.body] {
      responder.Answer({.body = body});
    });
  }

  base::UvLoop loop;
  std::unique_ptr<base::HttpServer> server;
};

// A connection from an address of the loopback network that none had for long: those of one address
// are bounded.
int Connect(const World& world) {
  static uint32_t count = 0;
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + ++count % 60'000);
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) std::abort();
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(world.server->port());
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) std::abort();
  fcntl(fd, F_SETFL, O_NONBLOCK);
  return fd;
}

// What comes until the server closes, or for so long.
std::string Exchange(World& world, const void* bytes, size_t size, base::Duration most) {
  const int fd = Connect(world);
  (void)!send(fd, bytes, size, MSG_NOSIGNAL);
  shutdown(fd, SHUT_WR);
  std::string answer;
  bool late = false;
  const auto timer = world.loop.MakeTimer([&late] { late = true; });
  timer->Start(most);
  const auto readable = world.loop.MakePoll(fd, [](int /*events*/) {});
  readable->Start(base::Poll::kReadable);
  for (char chunk[4096]; !late;) {
    const ssize_t count = recv(fd, chunk, sizeof chunk, 0);
    if (count > 0) answer.append(chunk, static_cast<size_t>(count));
    if (count == 0 || (count < 0 && errno != EAGAIN)) break;
    if (count < 0) world.loop.RunOnce();
  }
  close(fd);
  return answer;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static World world;
  Exchange(world, data, size, std::chrono::milliseconds(5));
  constexpr std::string_view kRequest = "GET /livez HTTP/1.0\r\n\r\n";
  if (!Exchange(world, kRequest.data(), kRequest.size(), std::chrono::seconds(10))
           .starts_with("HTTP/1.1 200"))
    std::abort();
  return 0;
}
