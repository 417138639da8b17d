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
  Metrics metrics_;
  std::vector<std::string> processed_;
  std::function<Work(const std::string&)> process_ = [](const std::string&) { return Work{}; };
  Runner runner_{loop_, client_, metrics_, [] { return 0.5; },
                 [this](const std::string& key) {
                   processed_.push_back(key);
                   return process_(key);
                 }};
};

TEST_F(RunnerTest, GathersKeysUntilItStarts) {
  runner_.Add("a");
  runner_.Add("a");
  Turn();
  EXPECT_TRUE(processed_.empty());
  runner_.Start();
  Turn();
  EXPECT_EQ(processed_, std::vector<std::string>{"a"});
}

TEST_F(RunnerTest, WritesInOrderAndTellsAfterTheLast) {
  int told = 0;
  process_ = [&](const std::string&) {
    return Work{.writes = {WriteOf("one"), WriteOf("two")}, .on_written = [&told] { ++told; }};
  };
  runner_.Start();
  runner_.Add("a");
  Turn();
  ASSERT_EQ(transport_.requests().size(), 1u);
  transport_.Answer(0, 200, "{}");
  ASSERT_EQ(transport_.requests().size(), 2u);
  EXPECT_EQ(told, 0);
  transport_.Answer(1, 200, "{}");
  EXPECT_EQ(told, 1);
  Turn(milliseconds(60'000));
  EXPECT_EQ(processed_.size(), 1u);
}

TEST_F(RunnerTest, AfterAConflictGivesTheWatchASecond) {
  process_ = [&](const std::string&) { return Work{.writes = {WriteOf("one"), WriteOf("two")}}; };
  runner_.Start();
  runner_.Add("a");
  Turn();
  transport_.Answer(0, 409, Refused(409, "Conflict"));
  Turn(milliseconds(900));
  EXPECT_EQ(transport_.requests().size(), 1u) << "the second write was not sent";
  EXPECT_EQ(processed_.size(), 1u);
  EXPECT_EQ(runner_.in_flight(), 0u);
  Turn(milliseconds(200));
  EXPECT_EQ(processed_.size(), 2u) << "the watch may have nothing to show";
}

TEST_F(RunnerTest, TriesAgainWhenTheServerSays) {
  process_ = [&](const std::string&) { return Work{.writes = {WriteOf("one")}}; };
  runner_.Start();
  runner_.Add("a");
  Turn();
  transport_.Answer(0, 429,
                    R"({"kind": "Status", "status": "Failure", "code": 429,
                        "reason": "TooManyRequests", "details": {"retryAfterSeconds": 7}})");
  Turn(milliseconds(6'900));
  EXPECT_EQ(processed_.size(), 1u);
  Turn(milliseconds(200));
  EXPECT_EQ(processed_.size(), 2u);
}

TEST_F(RunnerTest, TriesAgainAfterAFailureWithGrowingDelay) {
  process_ = [&](const std::string&) { return Work{.writes = {WriteOf("one")}}; };
  runner_.Start();
  runner_.Add("a");
  Turn();
  for (size_t i = 0; i < 4; ++i) {
    transport_.Answer(i, 503, Refused(503, "ServiceUnavailable"));
    Turn(milliseconds(500));
    ASSERT_EQ(transport_.requests().size(), i + 2);
  }
  transport_.Answer(4, 200, "{}");
  Turn(milliseconds(600'000));
  EXPECT_EQ(processed_.size(), 5u);
}

TEST_F(RunnerTest, AWriteThatIsRefusedIsNotSentBeforeItsTimeHoweverOftenItsKeyComes) {
  process_ = [&](const std::string&) { return Work{.writes = {WriteOf("one")}}; };
  runner_.Start();
  size_t answered = 0;
  for (int i = 0; i < 600; ++i) {
    runner_.Add("a");
    Turn(milliseconds(100));
    for (; answered < transport_.requests().size(); ++answered) {
      transport_.Answer(answered, 403, Refused(403, "Forbidden"));
    }
  }
  EXPECT_GE(answered, 8u);
  EXPECT_LE(answered, 15u) << "5 ms, doubled to a minute, in a minute";
}

TEST_F(RunnerTest, AnotherWriteOfTheKeyIsNotHeldBack) {
  std::string name = "one";
  process_ = [&](const std::string&) { return Work{.writes = {WriteOf(name)}}; };
  runner_.Start();
  runner_.Add("a");
  Turn();
  transport_.Answer(0, 429,
                    R"({"kind": "Status", "status": "Failure", "code": 429,
                        "reason": "TooManyRequests", "details": {"retryAfterSeconds": 60}})");
  name = "two";
  runner_.Add("a");
  Turn();
  ASSERT_EQ(transport_.requests().size(), 2u);
  transport_.Answer(1, 200, "{}");
}

TEST_F(RunnerTest, TriesAgainWhereTheDiskFailed) {
  bool works = false;
  process_ = [&](const std::string&) {
    if (works) return Work{};
    return Work{.status = base::Error{base::ErrorCode::kUnavailable, "disk"}};
  };
  runner_.Start();
  runner_.Add("a");
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
  runner_.Add("a");
  Turn();
  EXPECT_EQ(transport_.requests().at(0).method, "GET");
  transport_.Answer(0, 404, Refused(404, "NotFound"));
  ASSERT_EQ(transport_.requests().size(), 2u);
  EXPECT_EQ(transport_.requests()[1].method, "PATCH");
}

TEST_F(RunnerTest, KeepsEightKeysInFlightAtMostAndNoneTwice) {
  process_ = [&](const std::string& key) { return Work{.writes = {WriteOf(key)}}; };
  runner_.Start();
  for (int i = 0; i < 20; ++i) runner_.Add("k" + std::to_string(i));
  Turn();
  EXPECT_EQ(transport_.requests().size(), 8u);
  runner_.Add("k0");
  Turn();
  EXPECT_EQ(transport_.requests().size(), 8u);
  for (size_t i = 0; i < 21; ++i) {
    transport_.Answer(i, 200, "{}");
    Turn();
  }
  EXPECT_EQ(processed_.size(), 21u);
  EXPECT_EQ(processed_.back(), "k0");
}

TEST_F(RunnerTest, StopDropsWhatIsInFlight) {
  process_ = [&](const std::string&) { return Work{.writes = {WriteOf("one")}}; };
  runner_.Start();
  runner_.Add("a");
  Turn();
  runner_.Stop();
  EXPECT_FALSE(transport_.open(0));
  runner_.Add("b");
  Turn();
  EXPECT_EQ(processed_.size(), 1u);
}

}  // namespace
}  // namespace vdcu::node
