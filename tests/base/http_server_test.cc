#include "base/http/server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <prometheus/counter.h>
#include <prometheus/registry.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vdcu::base {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// A blocking client on 127.0.0.1, for use outside the loop's thread.
class Connection {
 public:
  explicit Connection(uint16_t port, const char* from = "127.0.0.1") {
    fd_ = socket(AF_INET, SOCK_STREAM, 0);
    const timeval limit{.tv_sec = 20, .tv_usec = 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    inet_pton(AF_INET, from, &address.sin_addr);
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    address.sin_port = htons(port);
    EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  ~Connection() { close(fd_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // All that comes until the server closes; "time-out" at the end where it does not.
  std::string Exchange(const std::string& request) {
    // A server that refuses a request may close before it has read it.
    (void)!send(fd_, request.data(), request.size(), MSG_NOSIGNAL);
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
  int fd_;
};

class HttpServerTest : public ::testing::Test {
 protected:
  void Listen(const std::string& address = "127.0.0.1:0") {
    auto server = HttpServer::Listen(loop_, address, {[this] { return reasons_; }, metrics_});
    ASSERT_TRUE(server.has_value()) << server.error().message;
    server_ = std::move(*server);
  }
  // Runs the loop until `client`, on a thread of its own, has returned.
  void While(const std::function<void()>& client) {
    std::thread thread([&] {
      client();
      loop_.Stop();
    });
    loop_.Run();
    thread.join();
  }
  std::string Ask(const std::string& request) {
    std::string answer;
    While([&] { answer = Connection(server_->port()).Exchange(request); });
    return answer;
  }

  UvLoop loop_;
  std::vector<std::string> reasons_;
  std::shared_ptr<prometheus::Registry> metrics_ = std::make_shared<prometheus::Registry>();
  std::unique_ptr<HttpServer> server_;
};

std::string Request(const std::string& line, const std::string& rest = "\r\n") {
  return line + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + rest;
}

TEST_F(HttpServerTest, AnswersWhatItServesAndNothingElse) {
  struct Case {
    std::string request;
    std::string want_status;
    std::string want_part;
  };
  const std::map<std::string, Case> cases = {
      {"healthz answers 200", {Request("GET /healthz"), "HTTP/1.1 200", "\r\n\r\nok\n"}},
      {"livez answers 200", {Request("GET /livez"), "HTTP/1.1 200", "\r\n\r\nok\n"}},
      {"readyz answers 200 without a reason not to",
       {Request("GET /readyz"), "HTTP/1.1 200", "\r\n\r\nok\n"}},
      {"metrics answers Prometheus text",
       {Request("GET /metrics"), "HTTP/1.1 200", "version=0.0.4"}},
      {"a query is not part of the path",
       {Request("GET /healthz?verbose=1"), "HTTP/1.1 200", "ok\n"}},
      {"another path is 404", {Request("GET /"), "HTTP/1.1 404", "not found"}},
      {"a path below is 404", {Request("GET /healthz/x"), "HTTP/1.1 404", "not found"}},
      {"a POST is 405",
       {Request("POST /healthz", "Content-Length: 2\r\n\r\nhi"), "HTTP/1.1 405", "Allow: GET"}},
      {"a DELETE is 405", {Request("DELETE /metrics"), "HTTP/1.1 405", "Allow: GET"}},
      {"headers above the bound are refused",
       {Request("GET /healthz", "X: " + std::string(40'000, 'x') + "\r\n\r\n"), "HTTP/1.1 431",
        ""}},
      {"what is not HTTP is 400", {"\x16\x03\x01 hello\r\n\r\n", "HTTP/1.1 400", ""}},
  };
  Listen();
  for (const auto& [name, test] : cases) {
    const std::string answer = Ask(test.request);
    EXPECT_THAT(answer, StartsWith(test.want_status)) << name;
    EXPECT_THAT(answer, HasSubstr(test.want_part)) << name;
  }
}

TEST_F(HttpServerTest, ReadyzNamesEachReasonOnALine) {
  Listen();
  reasons_ = {"pods are not listed yet", "nodes are not listed yet"};
  const std::string answer = Ask(Request("GET /readyz"));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(answer, HasSubstr("\r\n\r\npods are not listed yet\nnodes are not listed yet\n"));
  EXPECT_THAT(Ask(Request("GET /healthz")), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServerTest, MetricsAreTheRegistrysAndTheProcesssMadeAtMostOnceASecond) {
  int made = 0;
  auto server = HttpServer::Listen(loop_, "127.0.0.1:0",
                                   {[this] { return reasons_; }, metrics_, [&made] { ++made; }});
  ASSERT_TRUE(server.has_value()) << server.error().message;
  server_ = std::move(*server);
  auto& counter =
      prometheus::BuildCounter().Name("vdcu_test_total").Register(*metrics_).Add({{"kind", "a"}});
  counter.Increment();
  EXPECT_THAT(Ask(Request("GET /metrics")), HasSubstr("vdcu_test_total{kind=\"a\"} 1"));
  counter.Increment();
  const SystemClock clock;
  const TimePoint start = clock.Now();
  const std::string want = "vdcu_test_total{kind=\"a\"} 2";
  while (clock.Now() < start + std::chrono::seconds(10) &&
         Ask(Request("GET /metrics")).find(want) == std::string::npos) {
  }
  const std::string answer = Ask(Request("GET /metrics"));
  EXPECT_THAT(answer, HasSubstr(want));
  EXPECT_LE(made, (clock.Now() - start) / std::chrono::seconds(1) + 2);
  for (const std::string name :
       {"process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds",
        "process_virtual_memory_bytes", "process_max_fds", "process_start_time_seconds"}) {
    const size_t at = answer.find("\n" + name + " ");
    ASSERT_NE(at, std::string::npos) << name << " is not in " << answer;
    EXPECT_GT(std::strtod(answer.c_str() + at + name.size() + 2, nullptr), 0) << name;
  }
}

TEST_F(HttpServerTest, OneConnectionCarriesSeveralRequests) {
  Listen();
  const std::string first = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
  const std::string answers = Ask(first + Request("GET /nothing"));
  EXPECT_THAT(answers, HasSubstr("HTTP/1.1 200"));
  EXPECT_THAT(answers, HasSubstr("HTTP/1.1 404"));
}

TEST_F(HttpServerTest, ClientsHaveAFifthOfTheLoopsTime) {
  const SystemClock clock;
  Duration spent{0};
  auto server = HttpServer::Listen(loop_, "127.0.0.1:0",
                                   {[&] {
                                      const TimePoint until = clock.Now() + Duration(10);
                                      while (clock.Now() < until) {
                                      }
                                      spent += Duration(10);
                                      return reasons_;
                                    },
                                    metrics_});
  ASSERT_TRUE(server.has_value()) << server.error().message;
  server_ = std::move(*server);
  std::string requests;
  for (int i = 0; i < 40; ++i) requests += "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n";
  const TimePoint start = clock.Now();
  While([&] { Connection(server_->port()).Exchange(requests + Request("GET /readyz")); });
  EXPECT_EQ(spent, Duration(410)) << "each is answered";
  EXPECT_LE(spent, (clock.Now() - start) / 4);
}

TEST_F(HttpServerTest, AnEndlessBodyIsNotRead) {
  Listen();
  const std::string answer =
      Ask(Request("GET /healthz", "Content-Length: 1000000000\r\n\r\n" + std::string(9'000, 'x')));
  EXPECT_THAT(answer, ::testing::Not(HasSubstr("time-out")));
}

TEST_F(HttpServerTest, SilentClientsAreBoundedAndClosed) {
  Listen();
  While([this] {
    std::vector<std::unique_ptr<Connection>> silent;
    for (int i = 0; i < 100; ++i) silent.push_back(std::make_unique<Connection>(server_->port()));
    Connection other(server_->port(), "127.0.0.2");
    EXPECT_THAT(other.Exchange(Request("GET /healthz")), StartsWith("HTTP/1.1 200"));
    for (const auto& connection : silent) EXPECT_EQ(connection->Exchange(""), "");
    // A client hears of the close before the server has counted it.
    std::string answer;
    for (const auto end = SystemClock().Now() + Duration(10'000);
         answer.empty() && SystemClock().Now() < end;) {
      answer = Connection(server_->port()).Exchange(Request("GET /healthz"));
    }
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
  });
}

TEST_F(HttpServerTest, EndsWithConnectionsOpen) {
  Listen();
  While([this] { Connection(server_->port()).Exchange(Request("GET /healthz")); });
  Connection open(server_->port());
  for (int i = 0; i < 2; ++i) loop_.RunOnce();
  server_.reset();
  EXPECT_EQ(open.Exchange(""), "");
}

TEST_F(HttpServerTest, ListensWhereItIsTold) {
  for (const std::string address : {"127.0.0.1:0", "[::1]:0", ":0", "0.0.0.0:0"}) {
    Listen(address);
    EXPECT_GT(server_->port(), 0) << address;
  }
  Listen(":0");
  EXPECT_THAT(Ask(Request("GET /healthz")), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServerTest, AWrongAddressIsInvalidAndNamed) {
  for (const std::string address :
       {"", "8080", "localhost:8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:99999", "::1:80",
        "[::1]", "[]:80", "127.0.0.1:http", "127.0.0.1:-1"}) {
    const auto server = HttpServer::Listen(loop_, address, {[this] { return reasons_; }, metrics_});
    ASSERT_FALSE(server.has_value()) << address;
    EXPECT_EQ(server.error().code, ErrorCode::kInvalid) << address;
    EXPECT_THAT(server.error().message, HasSubstr("\"" + address + "\""));
  }
}

TEST_F(HttpServerTest, AnAddressInUseIsNamed) {
  Listen();
  const std::string address = "127.0.0.1:" + std::to_string(server_->port());
  const auto second = HttpServer::Listen(loop_, address, {[this] { return reasons_; }, metrics_});
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(second.error().message, HasSubstr(address));
  EXPECT_THAT(second.error().message, HasSubstr("Address already in use"));
}

}  // namespace
}  // namespace vdcu::base
