// Whoever closed the sending side of the connection behind a request (`nc -N`, a shell's pipe) got
// no answer when the turn of the loop had been long already: the request was put off by a suspended
// connection, and libmicrohttpd reads from one that goes on before it asks for the answer; it took
// the end of what is sent for the end of the client. Right: put off, and answered.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <memory>
#include <vector>

#include "base/http/server.h"
#include "tests/base/http_client.h"

namespace vdcu::base {
namespace {

using ::testing::StartsWith;

TEST(HalfClosedClientTest, IsAnsweredAlsoInALaterTurn) {
  UvLoop loop;
  const auto busy = [&loop](const HttpRequest&, const HttpResponder& responder) {
    const TimePoint until = loop.clock().Now() + Duration(10);
    while (loop.clock().Now() < until) {
    }
    responder.Answer({});
  };
  auto server = HttpServer::Listen(loop, "127.0.0.1:0", {{"GET", "/busy", busy}});
  ASSERT_TRUE(server.has_value()) << server.error().message;
  // libmicrohttpd looks once more at the one that was silent the longest before it reads; that one
  // is answered in any case.
  const HttpClient silent((*server)->port());
  // All are there before the first turn.
  std::vector<std::unique_ptr<HttpClient>> clients;
  for (int i = 0; i < 8; ++i) {
    clients.push_back(std::make_unique<HttpClient>((*server)->port()));
    clients.back()->Send("GET /busy HTTP/1.0\r\n\r\n");
    shutdown(clients.back()->fd(), SHUT_WR);
  }
  RunWhile(loop, [&clients] {
    for (const auto& client : clients) EXPECT_THAT(client->Read(), StartsWith("HTTP/1.1 200"));
  });
}

}  // namespace
}  // namespace vdcu::base
