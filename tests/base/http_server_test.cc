#include "base/http/server.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include "tests/base/http_client.h"

namespace vdcu::base {
namespace {

using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

constexpr Duration kSoon{300};
constexpr size_t kBig = size_t{32} << 20;  // more than a connection holds

std::string Repeated(const std::string& text, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

int Count(const std::string& text, const std::string& part) {
  int count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

class HttpServerTest : public ::testing::Test {
 protected:
  void Listen(HttpOptions options = {}, const std::string& address = "127.0.0.1:0") {
    auto server = HttpServer::Listen(loop_, address, Routes(), std::move(options));
    ASSERT_TRUE(server.has_value()) << server.error().message;
    server_ = std::move(*server);
  }
  // /late is answered when a test says so, or never.
  std::vector<HttpRoute> Routes() {
    const auto hello = [](const HttpRequest&, const HttpResponder& responder) {
      responder.Answer({.body = "hello\n"});
    };
    const auto echo = [this](const HttpRequest& request, const HttpResponder& responder) {
      ++echoed_;
      responder.Answer({.body = request.method + " " + request.path + ": " + request.body});
    };
    const auto late = [this](const HttpRequest&, const HttpResponder& responder) {
      late_.push_back(responder);
    };
    const auto lost = [](const HttpRequest&, const HttpResponder&) {};
    const auto big = [](const HttpRequest&, const HttpResponder& responder) {
      responder.Answer({.body = std::string(kBig, 'x')});
    };
    const auto busy = [this](const HttpRequest&, const HttpResponder& responder) {
      const TimePoint until = loop_.clock().Now() + Duration(10);
      while (loop_.clock().Now() < until) {
      }
      ++busy_;
      responder.Answer({});
    };
    return {{"GET", "/hello", hello},       {"GET", "/echo", echo, 8},
            {"POST", "/echo", echo, 5'000}, {"POST", "/late", late, 5'000},
            {"GET", "/late", late},         {"GET", "/lost", lost},
            {"GET", "/big", big},           {"GET", "/busy", busy}};
  }
  std::string Ask(const std::string& request) {
    std::string answer;
    RunWhile(loop_, [&] { answer = HttpClient(server_->port()).Exchange(request); });
    return answer;
  }
  // On the loop's thread, from another.
  void OnLoop(std::function<void()> work) {
    std::atomic<bool> done = false;
    loop_.Post([&] {
      work();
      done = true;
      done.notify_all();
    });
    done.wait(false);
  }
  size_t Waiting() {
    size_t count = 0;
    OnLoop([&] { count = late_.size(); });
    return count;
  }
  // Until so many requests wait for their answers.
  void AwaitLate(size_t count) {
    const TimePoint end = SystemClock().Now() + seconds(20);
    while (Waiting() < count && SystemClock().Now() < end) std::this_thread::yield();
    ASSERT_EQ(Waiting(), count);
  }
  std::string Probe(const std::string& from = "127.0.0.2") {
    return HttpClient(server_->port(), from).Exchange(LastRequest("GET /hello"));
  }

  UvLoop loop_;
  std::vector<HttpResponder> late_;
  int echoed_ = 0;
  int busy_ = 0;
  std::unique_ptr<HttpServer> server_;
};

constexpr const char* kChunked = "Transfer-Encoding: chunked\r\n\r\n";

TEST_F(HttpServerTest, ARequestGoesToTheRouteOfItsMethodAndPath) {
  struct Case {
    std::string request;
    std::string want_status;
    std::string want_part;
  };
  const std::string long_body(6'000, 'x');
  const std::string huge_body(100'000, 'x');
  const std::map<std::string, Case> cases = {
      {"a GET", {LastRequest("GET /hello"), "HTTP/1.1 200", "\r\n\r\nhello\n"}},
      {"a query is not part of the path",
       {LastRequest("GET /hello?verbose=1"), "HTTP/1.1 200", "hello\n"}},
      {"another path is 404", {LastRequest("GET /"), "HTTP/1.1 404", "not found"}},
      {"a path below is 404", {LastRequest("GET /hello/x"), "HTTP/1.1 404", "not found"}},
      {"another path with a body is 404",
       {LastRequest("POST /", "Content-Length: 2\r\n\r\nhi"), "HTTP/1.1 404", "not found"}},
      {"another method is 405 and says which are right",
       {LastRequest("DELETE /echo"), "HTTP/1.1 405", "\r\nAllow: GET, POST\r\n"}},
      {"another method with a body is 405",
       {LastRequest("POST /hello", "Content-Length: 2\r\n\r\nhi"), "HTTP/1.1 405",
        "\r\nAllow: GET\r\n"}},
      {"a method that nobody knows is 405",
       {LastRequest("BREW /hello"), "HTTP/1.1 405", "Allow: GET"}},
      {"a body of a POST",
       {LastRequest("POST /echo", "Content-Length: 2\r\n\r\nhi"), "HTTP/1.1 200",
        "POST /echo: hi"}},
      {"a body of a GET",
       {LastRequest("GET /echo", "Content-Length: 2\r\n\r\nhi"), "HTTP/1.1 200", "GET /echo: hi"}},
      {"a body in chunks",
       {LastRequest("POST /echo", std::string(kChunked) + "2\r\nhi\r\n3\r\n!!!\r\n0\r\n\r\n"),
        "HTTP/1.1 200", "POST /echo: hi!!!"}},
      {"a body at the bound",
       {LastRequest("POST /echo", "Content-Length: 5000\r\n\r\n" + std::string(5'000, 'y')),
        "HTTP/1.1 200", ": yyy"}},
      {"a body over the bound is 413",
       {LastRequest("POST /echo", "Content-Length: 6000\r\n\r\n" + long_body), "HTTP/1.1 413",
        "longer than 5000 bytes"}},
      {"a long body over the bound is 413",
       {LastRequest("POST /echo", "Content-Length: 100000\r\n\r\n" + huge_body), "HTTP/1.1 413",
        "longer than 5000 bytes"}},
      {"each route has its bound",
       {LastRequest("GET /echo", "Content-Length: 9\r\n\r\n123456789"), "HTTP/1.1 413",
        "longer than 8 bytes"}},
      {"chunks over the bound are 413",
       {LastRequest("POST /echo", std::string(kChunked) + "1770\r\n" + long_body + "\r\n0\r\n\r\n"),
        "HTTP/1.1 413", "longer than 5000 bytes"}},
      {"a body that would not end is 413 at once",
       {LastRequest("POST /echo", "Content-Length: 1000000000\r\n\r\n" + std::string(9'000, 'x')),
        "HTTP/1.1 413", ""}},
      {"headers above the bound are refused",
       {LastRequest("GET /hello", "X: " + std::string(40'000, 'x') + "\r\n\r\n"), "HTTP/1.1 431",
        ""}},
      {"what is not HTTP is 400", {"\x16\x03\x01 hello\r\n\r\n", "HTTP/1.1 400", ""}},
      {"a handler that forgets to answer is 500",
       {LastRequest("GET /lost"), "HTTP/1.1 500", "no answer"}},
  };
  Listen();
  for (const auto& [name, test] : cases) {
    const std::string answer = Ask(test.request);
    EXPECT_THAT(answer, StartsWith(test.want_status)) << name;
    EXPECT_THAT(answer, HasSubstr(test.want_part)) << name;
    EXPECT_THAT(answer, Not(HasSubstr("time-out"))) << name;
  }
}

TEST_F(HttpServerTest, ABodyMayComeByteByByte) {
  Listen();
  RunWhile(loop_, [this] {
    const HttpClient client(server_->port());
    for (const char byte : LastRequest("POST /echo", "Content-Length: 5\r\n\r\nhello")) {
      client.Send(std::string(1, byte));
    }
    EXPECT_THAT(client.Read(), EndsWith("POST /echo: hello"));
  });
}

TEST_F(HttpServerTest, OneConnectionCarriesSeveralRequests) {
  Listen();
  const std::string first = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";
  const std::string refused =
      "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 6000\r\n\r\n" + std::string(6'000, 'x');
  const std::string answers = Ask(first + refused + first + LastRequest("GET /nothing"));
  EXPECT_EQ(Count(answers, "HTTP/1.1 200"), 2) << answers;
  EXPECT_EQ(Count(answers, "HTTP/1.1 413"), 1) << answers;
  EXPECT_EQ(Count(answers, "HTTP/1.1 404"), 1) << answers;
}

TEST_F(HttpServerTest, AnAnswerMayComeInALaterTurn) {
  Listen();
  RunWhile(loop_, [this] {
    const HttpClient client(server_->port());
    client.Send("POST /late HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi");
    AwaitLate(1);
    EXPECT_THAT(Probe(), StartsWith("HTTP/1.1 200")) << "others are answered meanwhile";
    OnLoop([this] {
      late_[0].Answer({.status = 201, .body = "first"});
      late_[0].Answer({.body = "second"});
    });
    EXPECT_THAT(client.Read("first"), StartsWith("HTTP/1.1 201"));
    EXPECT_THAT(client.Exchange(LastRequest("GET /hello")), StartsWith("HTTP/1.1 200"))
        << "the connection goes on";
  });
}

TEST_F(HttpServerTest, AnAnswerToAClientThatHasGoneIsDropped) {
  Listen({.idle = seconds(30), .step = seconds(2)});
  RunWhile(loop_, [this] {
    for (size_t i = 0; i < 3; ++i) {
      const HttpClient client(server_->port());
      client.Send(LastRequest("GET /late"));
      AwaitLate(i + 1);
    }
    OnLoop([this] { late_[0].Answer({.body = std::string(1 << 20, 'x')}); });
    EXPECT_THAT(Probe(), StartsWith("HTTP/1.1 200"));
    // The others' time is over by the time that one which comes later has been told so.
    EXPECT_THAT(HttpClient(server_->port()).Exchange(LastRequest("GET /late")),
                StartsWith("HTTP/1.1 503"));
    OnLoop([this] { late_[1].Answer({}); });
    EXPECT_THAT(Probe(), StartsWith("HTTP/1.1 200"));
  });
  server_.reset();
  late_[2].Answer({});
}

TEST_F(HttpServerTest, WhoIsNotAnsweredInTimeHearsSo) {
  Listen({.step = kSoon});
  EXPECT_THAT(Ask(LastRequest("GET /late")),
              AllOf(StartsWith("HTTP/1.1 503"), EndsWith("no answer in time\n")));
}

TEST_F(HttpServerTest, ClientsHaveAFifthOfTheLoopsTime) {
  Listen();
  const std::string requests = Repeated("GET /busy HTTP/1.1\r\nHost: x\r\n\r\n", 40);
  const TimePoint start = loop_.clock().Now();
  Ask(requests + LastRequest("GET /busy"));
  EXPECT_EQ(busy_, 41) << "each is answered";
  EXPECT_LE(Duration(410), (loop_.clock().Now() - start) / 4);
}

// Each of many has a request ready at the same moment.
TEST_F(HttpServerTest, ATurnOfManyClientsIsShort) {
  Listen({.connections_of_one_address = 64});
  Duration longest{0};
  TimePoint last = loop_.clock().Now();
  TimerPtr tick;
  int busy_then = 0;
  int most_at_once = 0;
  tick = loop_.MakeTimer([&] {
    longest = std::max(longest, loop_.clock().Now() - last);
    most_at_once = std::max(most_at_once, busy_ - busy_then);
    busy_then = busy_;
    last = loop_.clock().Now();
    tick->Start(Duration(1));
  });
  tick->Start(Duration(1));
  RunWhile(loop_, [this] {
    std::vector<std::unique_ptr<HttpClient>> clients;
    for (int i = 0; i < 32; ++i) clients.push_back(std::make_unique<HttpClient>(server_->port()));
    Probe();
    OnLoop([&] {
      for (const auto& client : clients) client->Send(LastRequest("GET /busy"));
    });
    for (const auto& client : clients) EXPECT_THAT(client->Read(), StartsWith("HTTP/1.1 200"));
  });
  EXPECT_EQ(busy_, 32);
  EXPECT_LE(most_at_once, 2) << "longest turn: " << longest.count() << " ms";
}

TEST_F(HttpServerTest, SilentClientsAreBoundedAndClosed) {
  Listen({.idle = seconds(2)});
  RunWhile(loop_, [this] {
    std::vector<std::unique_ptr<HttpClient>> silent;
    for (int i = 0; i < 100; ++i) silent.push_back(std::make_unique<HttpClient>(server_->port()));
    EXPECT_THAT(Probe(), StartsWith("HTTP/1.1 200"));
    for (const auto& connection : silent) EXPECT_EQ(connection->Read(), "");
    // A client hears of the close before the server has counted it.
    std::string answer;
    for (const auto end = SystemClock().Now() + seconds(10);
         answer.empty() && SystemClock().Now() < end;) {
      answer = Probe("127.0.0.1");
    }
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
  });
}

// A byte does not begin the time anew.
TEST_F(HttpServerTest, SlowClientsAreClosedAtEachStep) {
  const struct {
    const char* description;
    std::string beginning;
    std::string bit;
  } kCases[] = {
      {"headers", "GET /hello HTTP/1.1\r\n", "X: y\r\n"},
      {"a request line", "GET /", "x"},
      {"a body", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4000\r\n\r\n", "x"},
      {"a body that is refused", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 6000\r\n\r\n",
       "x"},
      {"chunks", "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
       "1\r\nx\r\n"},
      {"the next request", "GET /hello HTTP/1.1\r\nHost: x\r\n\r\nGET /hello", "x"},
  };
  Listen({.idle = kSoon, .step = kSoon});
  for (const auto& test : kCases) {
    SCOPED_TRACE(test.description);
    RunWhile(loop_, [&] {
      const HttpClient client(server_->port());
      const timeval often{.tv_sec = 0, .tv_usec = 20'000};
      setsockopt(client.fd(), SOL_SOCKET, SO_RCVTIMEO, &often, sizeof often);
      client.Send(test.beginning);
      const TimePoint end = SystemClock().Now() + seconds(20);
      std::string got;
      do {
        client.Send(test.bit);
        got = client.Read();
      } while (got.ends_with("time-out") && SystemClock().Now() < end);
      EXPECT_THAT(got, Not(HasSubstr("time-out")));
    });
  }
  EXPECT_EQ(echoed_, 0);
}

TEST_F(HttpServerTest, AClientThatDoesNotReadIsClosed) {
  Listen({.step = seconds(2)});  // more than the answers to others take on a busy machine
  RunWhile(loop_, [this] {
    std::vector<std::unique_ptr<HttpClient>> clients;
    for (int i = 0; i < 2; ++i) {
      clients.push_back(std::make_unique<HttpClient>(server_->port()));
      clients.back()->Send(LastRequest("GET /big"));
    }
    const TimePoint end = SystemClock().Now() + seconds(1);
    while (SystemClock().Now() < end) EXPECT_THAT(Probe(), StartsWith("HTTP/1.1 200"));
    for (const auto& client : clients) {
      // Before it reads: what it takes until the connection is gone is its own. Both directions end
      // at once only where the server's kernel drops what it keeps for the client; what is shut by
      // the server alone does not wake this, nor is the error of a reset told after such an end.
      pollfd reset{.fd = client->fd(), .events = 0, .revents = 0};
      ASSERT_EQ(poll(&reset, 1, 20'000), 1) << "it is not closed";
      EXPECT_TRUE((reset.revents & POLLHUP) != 0);
      EXPECT_LT(client->Read().size(), kBig);
    }
  });
}

TEST_F(HttpServerTest, BodiesTogetherAreBounded) {
  Listen({.bodies = 12'000});
  RunWhile(loop_, [this] {
    const std::string request =
        "POST /late HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n" + std::string(5'000, 'x');
    std::vector<std::unique_ptr<HttpClient>> clients;
    for (size_t i = 0; i < 3; ++i) {
      clients.push_back(std::make_unique<HttpClient>(server_->port()));
      clients.back()->Send(request);
      if (i < 2) AwaitLate(i + 1);
    }
    EXPECT_THAT(clients[2]->Read("at once\n"),
                AllOf(StartsWith("HTTP/1.1 503"), HasSubstr("Retry-After: 1")));
    OnLoop([this] { late_[0].Answer({.body = "done\n"}); });
    EXPECT_THAT(clients[0]->Read("done\n"), StartsWith("HTTP/1.1 200"));
    clients[2]->Send(request);
    AwaitLate(3);
  });
}

// Who waits for an answer keeps its place; who is silent makes way.
TEST_F(HttpServerTest, ANewConnectionTakesThePlaceOfOneThatIsIdle) {
  Listen({.connections = 4});
  RunWhile(loop_, [this] {
    const HttpClient asks(server_->port());
    asks.Send(LastRequest("GET /late"));
    AwaitLate(1);
    std::vector<std::unique_ptr<HttpClient>> silent;
    for (int i = 0; i < 10; ++i) silent.push_back(std::make_unique<HttpClient>(server_->port()));
    EXPECT_THAT(Probe(), StartsWith("HTTP/1.1 200"));
    OnLoop([this] { late_[0].Answer({.body = "late"}); });
    EXPECT_THAT(asks.Read(), EndsWith("late"));
  });
}

TEST_F(HttpServerTest, WhereAllWaitForAnswersTheOldestMakesWay) {
  Listen({.connections = 4});
  RunWhile(loop_, [this] {
    std::vector<std::unique_ptr<HttpClient>> clients;
    for (size_t i = 0; i < 4; ++i) {
      clients.push_back(std::make_unique<HttpClient>(server_->port()));
      clients.back()->Send(LastRequest("GET /late"));
      AwaitLate(i + 1);
    }
    EXPECT_THAT(Probe(), StartsWith("HTTP/1.1 200"));
    EXPECT_THAT(clients[0]->Read(), IsEmpty());
    OnLoop([this] { late_[0].Answer({}); });
    OnLoop([this] { late_[3].Answer({.body = "late"}); });
    EXPECT_THAT(clients[3]->Read(), EndsWith("late"));
  });
}

TEST_F(HttpServerTest, EndsWithConnectionsOpen) {
  Listen();
  HttpClient open(server_->port());
  HttpClient asks(server_->port());
  RunWhile(loop_, [&] {
    asks.Send(LastRequest("GET /late"));
    AwaitLate(1);
  });
  server_.reset();
  EXPECT_EQ(open.Read(), "");
  EXPECT_EQ(asks.Read(), "");
}

TEST_F(HttpServerTest, ListensWhereItIsTold) {
  for (const std::string address : {"127.0.0.1:0", "[::1]:0", ":0", "0.0.0.0:0"}) {
    Listen({}, address);
    EXPECT_GT(server_->port(), 0) << address;
  }
  Listen({}, ":0");
  EXPECT_THAT(Ask(LastRequest("GET /hello")), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServerTest, AWrongAddressIsInvalidAndNamed) {
  for (const std::string address :
       {"", "8080", "localhost:8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:99999", "::1:80",
        "[::1]", "[]:80", "127.0.0.1:http", "127.0.0.1:-1"}) {
    const auto server = HttpServer::Listen(loop_, address, Routes());
    ASSERT_FALSE(server.has_value()) << address;
    EXPECT_EQ(server.error().code, ErrorCode::kInvalid) << address;
    EXPECT_THAT(server.error().message, HasSubstr("\"" + address + "\""));
  }
}

TEST_F(HttpServerTest, AnAddressInUseIsNamed) {
  Listen();
  const std::string address = "127.0.0.1:" + std::to_string(server_->port());
  const auto second = HttpServer::Listen(loop_, address, Routes());
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(second.error().message, HasSubstr(address));
  EXPECT_THAT(second.error().message, HasSubstr("Address already in use"));
}

}  // namespace
}  // namespace vdcu::base
