// 64 connections at once made the HTTP port deaf for ever, also after they had been closed:
// libmicrohttpd took its listening socket out of its epoll set at its limit, and nothing made it
// put it back. Right: the port answers whoever comes next, while they are there and after them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/registry.h>

#include <memory>
#include <string>
#include <vector>

#include "base/http/server.h"
#include "base/program/endpoints.h"
#include "tests/base/http_client.h"

namespace vdcu::base {
namespace {

using ::testing::IsEmpty;
using ::testing::StartsWith;

class HttpPortTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto server = HttpServer::Listen(
        loop_, "127.0.0.1:0",
        MakeEndpoints(loop_.clock(), {.not_ready = [] { return std::vector<std::string>(); },
                                      .metrics = std::make_shared<prometheus::Registry>()}));
    ASSERT_TRUE(server.has_value()) << server.error().message;
    server_ = std::move(*server);
  }
  // From 16 addresses, so that none has too many.
  std::vector<std::unique_ptr<HttpClient>> Connect(int count) const {
    std::vector<std::unique_ptr<HttpClient>> clients;
    for (int i = 0; i < count; ++i) {
      clients.push_back(
          std::make_unique<HttpClient>(server_->port(), "127.0.0." + std::to_string(10 + i % 16)));
    }
    return clients;
  }
  std::string Probe(const std::string& path = "/livez") const {
    return HttpClient(server_->port(), "127.0.0.2").Exchange(LastRequest("GET " + path));
  }

  UvLoop loop_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpPortTest, AnswersBesideAndAfterManyConnections) {
  RunWhile(loop_, [this] {
    for (const int count : {64, 65, 200}) {
      SCOPED_TRACE(count);
      auto clients = Connect(count);
      EXPECT_THAT(Probe(), StartsWith("HTTP/1.1 200")) << "beside them";
      clients.clear();
      EXPECT_THAT(Probe(), StartsWith("HTTP/1.1 200")) << "after them";
      EXPECT_THAT(Probe("/readyz"), StartsWith("HTTP/1.1 200"));
    }
  });
}

TEST_F(HttpPortTest, AnswersAfterManyConnectionsHaveTimedOut) {
  RunWhile(loop_, [this] {
    const auto clients = Connect(64);
    for (const auto& client : clients) EXPECT_THAT(client->Read(), IsEmpty());
    EXPECT_THAT(Probe(), StartsWith("HTTP/1.1 200"));
  });
}

// Each byte begins its idle time anew.
TEST_F(HttpPortTest, AnswersBesideClientsThatNeverEndTheirRequests) {
  RunWhile(loop_, [this] {
    const auto clients = Connect(64);
    for (int i = 0; i < 10; ++i) {
      for (const auto& client : clients) client->Send("G");
      EXPECT_THAT(Probe(), StartsWith("HTTP/1.1 200"));
    }
  });
}

}  // namespace
}  // namespace vdcu::base
