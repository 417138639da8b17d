#include "kclient/engine/executor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "tests/fakes/fake_transport.h"
#include "tests/fakes/simulated_loop.h"

namespace vdcu::kclient {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr size_t kMostInFlight = 8;

Write PatchOf(const std::string& name) { return MakePatch(kPods, "t", name, "", {}, "u", "1"); }
PlannedTask TaskOf(const std::string& name) { return {.write = PatchOf(name)}; }
Key K(const std::string& name) { return {"pod", "t", name}; }

// Writes what the test says, and notes what it is told.
class Scripted : public Decider {
 public:
  WorkPlan Reconcile(const Key& key) override {
    reconciled.push_back(key.name);
    return plan_of(key);
  }
  bool MayWrite() const override { return may_write; }
  void OnRefused(const PlannedTask& task, const Setback& setback) override {
    refused.push_back(task.write.name + ": " + setback.reason);
  }
  void OnFailed(const Key& key, const base::Error& error) override {
    failed.push_back(key.name + ": " + error.message);
  }

  std::function<WorkPlan(const Key&)> plan_of = [](const Key&) { return WorkPlan{}; };
  bool may_write = true;
  std::vector<std::string> reconciled;
  std::vector<std::string> refused;
  std::vector<std::string> failed;
};

class ExecutorTest : public testing::Test {
 protected:
  // Each time its key comes, all of them together.
  void Writes(const std::vector<std::string>& names) {
    decider_.plan_of = [names](const Key&) {
      WorkPlan plan;
      for (const std::string& name : names) plan.writes.push_back(TaskOf(name));
      return plan;
    };
  }
  void Begin() {
    executor_.Start();
    executor_.Add(K("a"));
    Turn();
  }
  void Turn(base::Duration by = milliseconds(0)) { loop_.Advance(by); }
  void Refuse(size_t request, int code, const std::string& reason, int retry_seconds = 0) {
    transport_.Answer(request, code,
                      R"({"kind": "Status", "status": "Failure", "code": )" + std::to_string(code) +
                          R"(, "reason": ")" + reason +
                          R"(", "message": "no", "details": {"retryAfterSeconds": )" +
                          std::to_string(retry_seconds) + "}}");
  }
  size_t Sent() const { return transport_.requests().size(); }
  size_t Reconciled() const { return decider_.reconciled.size(); }

  fakes::SimulatedLoop loop_;
  fakes::FakeTransport transport_;
  Client client_{transport_};
  EventRecorder events_{
      loop_, client_, {"vdcu.io/test", "test", [] { return false; }}, [] { return 0.5; }};
  Scripted decider_;
  Executor executor_{{loop_, client_, events_, decider_}, kMostInFlight, [] { return 0.5; }};
};

TEST_F(ExecutorTest, GathersKeysUntilItStarts) {
  executor_.Add(K("a"));
  executor_.Add(K("a"));
  Turn();
  EXPECT_THAT(decider_.reconciled, IsEmpty());
  executor_.Start();
  Turn();
  EXPECT_THAT(decider_.reconciled, ElementsAre("a"));
}

TEST_F(ExecutorTest, WritesTogetherAndSaysWhatBecomesOfEach) {
  std::vector<std::string> told;
  decider_.plan_of = [&told](const Key&) {
    WorkPlan plan;
    for (const char* name : {"one", "two"}) {
      PlannedTask task = TaskOf(name);
      task.on_sent = [&told, name] { told.push_back(name + std::string(" sent")); };
      task.on_answer = [&told, name](const Answer&, Outcome outcome) {
        told.push_back(name + std::string(outcome == Outcome::kCommitted ? " stored" : " not"));
      };
      plan.writes.push_back(std::move(task));
    }
    plan.events.push_back({.regarding = {}, .reason = "Done", .action = "Doing", .note = "done"});
    return plan;
  };
  Begin();
  EXPECT_THAT(told, ElementsAre("one sent", "two sent"));
  ASSERT_EQ(Sent(), 2u);
  transport_.Answer(1, 200, "{}");
  EXPECT_EQ(events_.pending(), 0u) << "not all are stored";
  transport_.Answer(0, 200, "{}");
  EXPECT_THAT(told, ElementsAre("one sent", "two sent", "two stored", "one stored"));
  EXPECT_EQ(events_.pending(), 1u);
  Turn(milliseconds(60'000));
  EXPECT_EQ(Reconciled(), 1u);
}

TEST_F(ExecutorTest, AnEventOfOneWriteDoesNotWaitForTheOthers) {
  decider_.plan_of = [](const Key&) {
    WorkPlan plan;
    for (const char* name : {"one", "two"}) plan.writes.push_back(TaskOf(name));
    plan.writes[0].events.push_back(
        {.regarding = {}, .reason = "Done", .action = "Doing", .note = "done"});
    return plan;
  };
  Begin();
  Refuse(1, 409, "Conflict");
  EXPECT_EQ(events_.pending(), 0u) << "it is not stored yet";
  transport_.Answer(0, 200, "{}");
  EXPECT_EQ(events_.pending(), 1u);
}

TEST_F(ExecutorTest, OneThatFailsHoldsUpNoOther) {
  Writes({"one", "two", "three"});
  Begin();
  ASSERT_EQ(Sent(), 3u);
  Refuse(1, 403, "Forbidden");
  transport_.Answer(0, 200, "{}");
  transport_.Answer(2, 200, "{}");
  Turn();
  EXPECT_EQ(executor_.in_flight(), 0u);
  EXPECT_THAT(decider_.refused, ElementsAre("two: WriteRefused"));
  Turn(milliseconds(250));
  EXPECT_EQ(Sent(), 6u) << "all again: the decider sees no difference";
}

TEST_F(ExecutorTest, TellsWhenTheWriteIsStored) {
  int told = 0;
  decider_.plan_of = [&told](const Key&) { return PlanOf(PatchOf("one"), [&told] { ++told; }); };
  Begin();
  ASSERT_EQ(Sent(), 1u);
  Refuse(0, 503, "ServiceUnavailable");
  EXPECT_EQ(told, 0) << "it is not stored";
  Turn(milliseconds(5));
  transport_.Answer(1, 200, "{}");
  EXPECT_EQ(told, 1);
  Turn(milliseconds(60'000));
  EXPECT_EQ(Reconciled(), 2u);
  EXPECT_EQ(Sent(), 2u);
}

TEST_F(ExecutorTest, TellsNothingWhereThereIsNothingToWrite) {
  decider_.plan_of = [](const Key&) { return PlanOf({}, [] { FAIL(); }); };
  Begin();
  EXPECT_EQ(Reconciled(), 1u);
  EXPECT_EQ(executor_.in_flight(), 0u);
}

TEST_F(ExecutorTest, AfterAConflictTheKeyComesBackThoughTheWatchHasNothingToShow) {
  Writes({"one"});
  Begin();
  for (size_t i = 0; i < 20; ++i) {
    Refuse(i, 409, "Conflict");
    Turn(milliseconds(1'000));
    ASSERT_EQ(Sent(), i + 2);
  }
  EXPECT_THAT(decider_.refused, ElementsAre("one: WriteRefused")) << "it lasts";
}

TEST_F(ExecutorTest, TriesAgainWhenTheServerSays) {
  Writes({"one"});
  Begin();
  Refuse(0, 429, "TooManyRequests", 7);
  Turn(milliseconds(6'900));
  EXPECT_EQ(Reconciled(), 1u);
  Turn(milliseconds(200));
  EXPECT_EQ(Reconciled(), 2u);
}

TEST_F(ExecutorTest, BackoffGrowsAndEndsWithSuccess) {
  Writes({"one"});
  Begin();
  for (size_t i = 0; i < 4; ++i) {
    Refuse(i, 503, "ServiceUnavailable");
    Turn(milliseconds(500));
    ASSERT_EQ(Sent(), i + 2);
  }
  transport_.Answer(4, 200, "{}");
  Turn(milliseconds(600'000));
  EXPECT_EQ(Reconciled(), 5u);
  executor_.Add(K("a"));
  Turn();
  Refuse(5, 503, "ServiceUnavailable");
  Turn(milliseconds(5));
  EXPECT_EQ(Sent(), 7u) << "5 ms, as if it were the first";
}

TEST_F(ExecutorTest, WhatIsRefusedIsNotSentBeforeItsTimeHoweverOftenItsKeyComes) {
  Writes({"one"});
  executor_.Start();
  size_t answered = 0;
  for (int i = 0; i < 600; ++i) {
    executor_.Add(K("a"));
    Turn(milliseconds(100));
    for (; answered < Sent(); ++answered) Refuse(answered, 503, "ServiceUnavailable");
  }
  EXPECT_GE(answered, 8u);
  EXPECT_LE(answered, 15u) << "5 ms, doubled to a minute, in a minute";
}

// The pod that planned the write of its partition is gone when the answer comes.
TEST_F(ExecutorTest, WhatIsRefusedIsSentAgainByItsObjectWhereWhoPlannedItIsGone) {
  bool gone = false;
  decider_.plan_of = [&gone](const Key& key) {
    WorkPlan plan;
    if (key == K("partition") || !gone) plan.writes.push_back(TaskOf("partition"));
    if (!plan.writes.empty()) plan.writes[0].asks = K("partition");
    return plan;
  };
  Begin();
  gone = true;
  Refuse(0, 403, "Forbidden");
  Turn(milliseconds(250));
  ASSERT_EQ(Sent(), 2u);
  transport_.Answer(1, 200, "{}");
}

TEST_F(ExecutorTest, AnotherWriteOfTheKeyIsNotHeldBack) {
  Writes({"one"});
  Begin();
  Refuse(0, 429, "TooManyRequests", 60);
  Writes({"two"});
  executor_.Add(K("a"));
  Turn();
  ASSERT_EQ(Sent(), 2u);
  transport_.Answer(1, 200, "{}");
}

TEST_F(ExecutorTest, APlanThatFailedComesBackWithGrowingDelay) {
  bool works = false;
  decider_.plan_of = [&](const Key&) {
    if (works) return WorkPlan{};
    return WorkPlan{.status = base::Error{base::ErrorCode::kUnavailable, "disk"}};
  };
  Begin();
  Turn(milliseconds(60'000));
  EXPECT_GE(Reconciled(), 10u);
  EXPECT_LE(Reconciled(), 20u);
  EXPECT_EQ(decider_.failed.size(), Reconciled());
  works = true;
  Turn(milliseconds(60'000));
  const size_t after = Reconciled();
  Turn(milliseconds(600'000));
  EXPECT_EQ(Reconciled(), after);
}

TEST_F(ExecutorTest, ReadsBeforeItWrites) {
  decider_.plan_of = [&](const Key&) {
    WorkPlan plan;
    plan.read = PlannedRead{kPods, "t", "p", [](const Answer& answer) {
                              EXPECT_EQ(answer.error().code, base::ErrorCode::kNotFound);
                              WorkPlan then;
                              then.writes.push_back(TaskOf("one"));
                              return then;
                            }};
    return plan;
  };
  Begin();
  EXPECT_EQ(transport_.requests().at(0).method, "GET");
  Refuse(0, 404, "NotFound");
  ASSERT_EQ(Sent(), 2u);
  EXPECT_EQ(transport_.requests()[1].method, "PATCH");
  transport_.Answer(1, 200, "{}");
  EXPECT_EQ(executor_.in_flight(), 0u);
}

TEST_F(ExecutorTest, AReadThatFailsIsTriedAgain) {
  decider_.plan_of = [&](const Key&) {
    WorkPlan plan;
    plan.read = PlannedRead{kPods, "t", "p", [](const Answer&) { return WorkPlan{}; }};
    return plan;
  };
  Begin();
  Refuse(0, 503, "ServiceUnavailable");
  EXPECT_EQ(Reconciled(), 1u);
  Turn(milliseconds(5));
  EXPECT_EQ(Reconciled(), 2u);
  EXPECT_EQ(decider_.failed.size(), 1u);
}

TEST_F(ExecutorTest, KeepsABoundedNumberInFlightAndNoKeyTwice) {
  decider_.plan_of = [](const Key& key) {
    WorkPlan plan;
    plan.writes.push_back(TaskOf(key.name));
    return plan;
  };
  executor_.Start();
  for (int i = 0; i < 20; ++i) executor_.Add(K("k" + std::to_string(i)));
  Turn();
  EXPECT_EQ(Sent(), kMostInFlight);
  executor_.Add(K("k0"));
  Turn();
  EXPECT_EQ(Sent(), kMostInFlight);
  for (size_t i = 0; i < 21; ++i) {
    transport_.Answer(i, 200, "{}");
    Turn();
  }
  EXPECT_EQ(Reconciled(), 21u);
  EXPECT_EQ(decider_.reconciled.back(), "k0");
}

TEST_F(ExecutorTest, WritesOnlyWhileItMay) {
  Writes({"one"});
  decider_.may_write = false;
  Begin();
  EXPECT_EQ(Sent(), 0u);
  decider_.may_write = true;
  Turn(milliseconds(1'000));
  EXPECT_EQ(Sent(), 1u);
}

TEST_F(ExecutorTest, StopDropsWhatIsInFlight) {
  Writes({"one"});
  Begin();
  executor_.Stop();
  EXPECT_FALSE(transport_.open(0));
  executor_.Add(K("b"));
  Turn();
  EXPECT_EQ(Reconciled(), 1u);
}

TEST_F(ExecutorTest, DrainAwaitsWhatIsInFlight) {
  Writes({"one"});
  Begin();
  bool drained = false;
  executor_.Drain([&] { drained = true; });
  executor_.Add(K("b"));
  Turn(milliseconds(60'000));
  EXPECT_FALSE(drained);
  transport_.Answer(0, 200, "{}");
  EXPECT_TRUE(drained);
  EXPECT_EQ(Reconciled(), 1u);
}

}  // namespace
}  // namespace vdcu::kclient
