#include "base/program/endpoints.h"

#include <prometheus/counter.h>
#include <prometheus/registry.h>

#include <chrono>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/http/server.h"
#include "tests/base/http_client.h"
#include "tests/fakes/simulated_clock.h"

namespace vdcu::base {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class EndpointsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto server =
        HttpServer::Listen(loop_, "127.0.0.1:0",
                           MakeEndpoints(clock_, {.not_ready = [this] { return reasons_; },
                                                  .metrics = metrics_,
                                                  .before_metrics = [this] { ++made_; }}));
    ASSERT_TRUE(server.has_value()) << server.error().message;
    server_ = std::move(*server);
  }
  std::string Ask(const std::string& line, const std::string& rest = "\r\n") {
    std::string answer;
    RunWhile(loop_,
             [&] { answer = HttpClient(server_->port()).Exchange(LastRequest(line, rest)); });
    return answer;
  }

  UvLoop loop_;
  fakes::SimulatedClock clock_;
  std::vector<std::string> reasons_;
  int made_ = 0;
  std::shared_ptr<prometheus::Registry> metrics_ = std::make_shared<prometheus::Registry>();
  std::unique_ptr<HttpServer> server_;
};

TEST_F(EndpointsTest, AnswersWhatItServesAndNothingElse) {
  struct Case {
    std::string line;
    std::string want_status;
    std::string want_part;
  };
  const std::map<std::string, Case> cases = {
      {"healthz answers 200", {"GET /healthz", "HTTP/1.1 200", "\r\n\r\nok\n"}},
      {"livez answers 200", {"GET /livez", "HTTP/1.1 200", "\r\n\r\nok\n"}},
      {"readyz answers 200 without a reason not to",
       {"GET /readyz", "HTTP/1.1 200", "\r\n\r\nok\n"}},
      {"metrics answers Prometheus text", {"GET /metrics", "HTTP/1.1 200", "version=0.0.4"}},
      {"a query is not part of the path", {"GET /healthz?verbose=1", "HTTP/1.1 200", "ok\n"}},
      {"another path is 404", {"GET /", "HTTP/1.1 404", "not found"}},
      {"a path below is 404", {"GET /healthz/x", "HTTP/1.1 404", "not found"}},
      {"a HEAD is 405", {"HEAD /healthz", "HTTP/1.1 405", "Allow: GET"}},
      {"a DELETE is 405", {"DELETE /metrics", "HTTP/1.1 405", "Allow: GET"}},
  };
  for (const auto& [name, test] : cases) {
    const std::string answer = Ask(test.line);
    EXPECT_THAT(answer, StartsWith(test.want_status)) << name;
    EXPECT_THAT(answer, HasSubstr(test.want_part)) << name;
  }
  EXPECT_THAT(Ask("POST /healthz", "Content-Length: 2\r\n\r\nhi"), StartsWith("HTTP/1.1 405"));
}

TEST_F(EndpointsTest, ReadyzNamesEachReasonOnALine) {
  reasons_ = {"pods are not listed yet", "nodes are not listed yet"};
  const std::string answer = Ask("GET /readyz");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(answer, HasSubstr("\r\n\r\npods are not listed yet\nnodes are not listed yet\n"));
  EXPECT_THAT(Ask("GET /healthz"), StartsWith("HTTP/1.1 200"));
}

TEST_F(EndpointsTest, MetricsAreTheRegistrysAndTheProcesssMadeAtMostOnceASecond) {
  auto& counter =
      prometheus::BuildCounter().Name("vdcu_test_total").Register(*metrics_).Add({{"kind", "a"}});
  counter.Increment();
  EXPECT_THAT(Ask("GET /metrics"), HasSubstr("vdcu_test_total{kind=\"a\"} 1"));
  counter.Increment();
  clock_.Advance(Duration(999));
  EXPECT_THAT(Ask("GET /metrics"), HasSubstr("vdcu_test_total{kind=\"a\"} 1"));
  EXPECT_EQ(made_, 1);
  clock_.Advance(Duration(1));
  const std::string answer = Ask("GET /metrics");
  EXPECT_THAT(answer, HasSubstr("vdcu_test_total{kind=\"a\"} 2"));
  EXPECT_EQ(made_, 2);
  for (const std::string name :
       {"process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds",
        "process_virtual_memory_bytes", "process_max_fds", "process_start_time_seconds"}) {
    const size_t at = answer.find("\n" + name + " ");
    ASSERT_NE(at, std::string::npos) << name << " is not in " << answer;
    EXPECT_GT(std::strtod(answer.c_str() + at + name.size() + 2, nullptr), 0) << name;
  }
}

}  // namespace
}  // namespace vdcu::base
