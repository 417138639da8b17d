// 64 connections at once made the HTTP port deaf for ever, also after they had been closed:
// libmicrohttpd took its listening socket out of its epoll set at its limit, and nothing made it
// put it back. Right: the port answers whoever comes next, while they are there and after them.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <prometheus/registry.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/http/server.h"

namespace vdcu::base {
namespace {

using ::testing::IsEmpty;
using ::testing::StartsWith;

// A client with a blocking socket, for use outside the loop's thread.
class Client {
 public:
  Client(uint16_t port, const std::string& from) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    const timeval limit{.tv_sec = 20, .tv_usec = 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    inet_pton(AF_INET, from.c_str(), &address.sin_addr);
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    address.sin_port = htons(port);
    EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  ~Client() { close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void Send(const std::string& bytes) const {
    (void)!send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  // All that comes until the server closes; "time-out" at the end where it does not.
  std::string Read() const {
    std::string answer;
    char buffer[4096];
    for (;;) {
      const ssize_t size = recv(fd_, buffer, sizeof buffer, 0);
      if (size < 0 && errno == EAGAIN) return answer + "time-out";
      if (size <= 0) return answer;
      answer.append(buffer, static_cast<size_t>(size));
    }
  }

 private:
  const int fd_;
};

class HttpPortTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto server = HttpServer::Listen(
        loop_, "127.0.0.1:0",
        {[] { return std::vector<std::string>(); }, std::make_shared<prometheus::Registry>()});
    ASSERT_TRUE(server.has_value()) << server.error().message;
    server_ = std::move(*server);
  }
  // Runs the loop until `clients`, on a thread of their own, are done.
  void While(const std::function<void()>& clients) {
    std::thread thread([&] {
      clients();
      loop_.Stop();
    });
    loop_.Run();
    thread.join();
  }
  // From 16 addresses, so that none has too many.
  std::vector<std::unique_ptr<Client>> Connect(int count) const {
    std::vector<std::unique_ptr<Client>> clients;
    for (int i = 0; i < count; ++i) {
      clients.push_back(
          std::make_unique<Client>(server_->port(), "127.0.0." + std::to_string(10 + i % 16)));
    }
    return clients;
  }
  std::string Probe(const std::string& path = "/livez") const {
    const Client client(server_->port(), "127.0.0.2");
    client.Send("GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    return client.Read();
  }

  UvLoop loop_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpPortTest, AnswersBesideAndAfterManyConnections) {
  While([this] {
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
  While([this] {
    const auto clients = Connect(64);
    for (const auto& client : clients) EXPECT_THAT(client->Read(), IsEmpty());
    EXPECT_THAT(Probe(), StartsWith("HTTP/1.1 200"));
  });
}

// Each byte begins its idle time anew.
TEST_F(HttpPortTest, AnswersBesideClientsThatNeverEndTheirRequests) {
  While([this] {
    const auto clients = Connect(64);
    for (int i = 0; i < 10; ++i) {
      for (const auto& client : clients) client->Send("G");
      EXPECT_THAT(Probe(), StartsWith("HTTP/1.1 200"));
    }
  });
}

}  // namespace
}  // namespace vdcu::base
