#include "node/runner.h"

#include <gtest/gtest.h>

#include "tests/fakes/fake_transport.h"
#include "tests/fakes/simulated_loop.h"

namespace vdcu::node {
namespace {

using std::chrono::milliseconds;

class RunnerTest : public testing::Test {
 protected:
  void Turn(base::Duration by = milliseconds(0)) { loop_.Advance(by); }
  static kclient::Write WriteOf(const std::string& name) {
    return kclient::MakePatch(kclient::kPods, "t", name, "", {}, "u", "1");
  }
  static std::string Refused(int code, const std::string& reason) {
    return R"({"kind": "Status", "status": "Failure", "code": )" + std::to_string(code) +
           R"(, "reason": ")" + reason + R"(", "message": "no"})";
  }

  fakes::SimulatedLoop loop_;
  fakes::FakeTransport transport_;
  kclient::Client client_{transport_};
  kclient::EventRecorder events_{
      loop_, client_, {"vdcu.io/node", "n", [] { return false; }}, [] { return 0.5; }};
  Metrics metrics_;
  std::vector<std::string> processed_;
  std::function<Work(const std::string&)> process_ = [](const std::string&) { return Work{}; };
  Runner runner_{loop_,
                 client_,
                 events_,
                 metrics_,
                 [] { return 0.5; },
                 [this](const std::string& key) {
                   processed_.push_back(key);
                   return process_(key);
                 }};
};

TEST_F(RunnerTest, WritesInOrderAndTellsAfterTheLast) {
  int told = 0;
  process_ = [&](const std::string&) {
    return Work{.writes = {WriteOf("one"), WriteOf("two")}, .on_written = [&told] { ++told; }};
  };
  runner_.Start();
  runner_.Add("t/a");
  Turn();
  ASSERT_EQ(transport_.requests().size(), 1u);
  transport_.Answer(0, 200, "{}");
  ASSERT_EQ(transport_.requests().size(), 2u);
  EXPECT_EQ(told, 0);
  transport_.Answer(1, 200, "{}");
  EXPECT_EQ(told, 1);
  EXPECT_EQ(processed_, std::vector<std::string>{"t/a"});
  Turn(milliseconds(60'000));
  EXPECT_EQ(processed_.size(), 1u);
}

TEST_F(RunnerTest, TriesAgainWhereTheDiskFailed) {
  bool works = false;
  process_ = [&](const std::string&) {
    if (works) return Work{};
    return Work{.status = base::Error{base::ErrorCode::kUnavailable, "disk"}};
  };
  runner_.Start();
  runner_.Add("t/a");
  Turn();
  works = true;
  Turn(milliseconds(1000));
  EXPECT_EQ(processed_.size(), 2u);
  Turn(milliseconds(600'000));
  EXPECT_EQ(processed_.size(), 2u);
}

TEST_F(RunnerTest, AsksBeforeItWrites) {
  process_ = [&](const std::string&) {
    return Work{.question = Work::Question{kclient::kPods, "t", "p", [&](auto answer) {
                                             EXPECT_EQ(answer.error().code,
                                                       base::ErrorCode::kNotFound);
                                             return Work{.writes = {WriteOf("one")}};
                                           }}};
  };
  runner_.Start();
  runner_.Add("t/a");
  Turn();
  EXPECT_EQ(transport_.requests().at(0).method, "GET");
  transport_.Answer(0, 404, Refused(404, "NotFound"));
  ASSERT_EQ(transport_.requests().size(), 2u);
  EXPECT_EQ(transport_.requests()[1].method, "PATCH");
}

}  // namespace
}  // namespace vdcu::node
