#include "controller/runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/builders/builders.h"
#include "tests/fakes/fake_transport.h"
#include "tests/fakes/simulated_loop.h"

namespace vdcu::controller {
namespace {

using base::ErrorCode;
using builders::MakePod;
using testing::ElementsAre;
using testing::IsEmpty;

class RunnerTest : public testing::Test {
 protected:
  RunnerTest() { ShowCards("n", 1); }

  void ShowCards(const std::string& node, int count) {
    cluster_.shown().Set(nullptr, builders::MakeNode(node).Obj(), loop_.clock().Now());
    cluster_.shown().Set(nullptr, builders::MakeDcuNode(node).Cards(count).Obj(),
                         loop_.clock().Now());
  }

  void Show(const builders::PodPtr& pod) {
    if (namespaces_.insert(pod->meta.ns).second) {
      const auto shown = std::make_shared<kclient::Namespace>();
      shown->meta.name = pod->meta.ns;
      cluster_.shown().Set(nullptr, shown, loop_.clock().Now());
    }
    cluster_.shown().Set(nullptr, pod, loop_.clock().Now());
    runner_.OnChange();
  }
  static builders::PodPtr Waiting(const std::string& name) {
    return MakePod(name).Limits({{"hygon.com/dcunum", 1}, {"hygon.com/dcucores", 10}}).Obj();
  }
  // Of a pod that is told at once why it is never placed.
  static builders::PodPtr Wrong(const std::string& name) { return MakePod(name).Obj(); }
  // "PATCH /path" of the requests since the last call.
  std::vector<std::string> Sent() {
    std::vector<std::string> sent;
    for (; seen_ < transport_.requests().size(); ++seen_) {
      const auto& request = transport_.requests()[seen_];
      sent.push_back(request.method + " " + request.path.substr(0, request.path.find('?')));
    }
    return sent;
  }
  bool HasSent(std::string_view method) const {
    const auto& requests = transport_.requests();
    return std::any_of(requests.begin(), requests.end(),
                       [&](const auto& request) { return request.method == method; });
  }
  void RunFor(int milliseconds) { loop_.Advance(base::Duration(milliseconds)); }
  // Requests are answered a millisecond after they came, those that match with `code`, else with
  // success. Returns how many matched.
  int ServeFor(int milliseconds, const std::string& what, int code) {
    int matched = 0;
    for (int i = 0; i < milliseconds; ++i) {
      RunFor(1);
      for (; seen_ < transport_.requests().size(); ++seen_) {
        const auto& request = transport_.requests()[seen_];
        const bool matches = (request.method + " " + request.path).find(what) != std::string::npos;
        matched += matches ? 1 : 0;
        transport_.Answer(seen_, matches ? code : 200, matches ? Refusal(code) : "{}");
      }
    }
    return matched;
  }
  static std::string Refusal(int code) {
    return R"({"kind": "Status", "code": )" + std::to_string(code) + R"(, "message": "no"})";
  }

  // As somebody who asks for /metrics sees it.
  prometheus::ClientMetric Find(const std::string& name, const std::string& reason) {
    runner_.UpdateMetrics();
    for (const auto& family : metrics_.registry()->Collect()) {
      if (family.name != name) continue;
      for (const auto& metric : family.metric) {
        if (reason.empty() || metric.label.front().value == reason) return metric;
      }
    }
    ADD_FAILURE() << name << " " << reason << " is not there";
    return {};
  }
  double Metric(const std::string& name, const std::string& reason = "") {
    return Find(name, reason).gauge.value;
  }
  prometheus::ClientMetric::Histogram Histogram(const std::string& name) {
    return Find(name, "").histogram;
  }
  double SumOf(const std::string& name) { return Histogram(name).sample_sum; }

  fakes::SimulatedLoop loop_;
  fakes::FakeTransport transport_;
  kclient::Client client_{transport_};
  reconcilers::Cluster cluster_{reconcilers::Settings()};
  Metrics metrics_;
  kclient::EventRecorder events_{
      loop_, client_, {"vdcu.io/controller", "test", [] { return false; }}, [] { return 0.5; }};
  bool may_write_ = true;
  std::function<void()> on_may_write_;
  Runner runner_{{loop_, client_, cluster_, events_, metrics_,
                  [this] {
                    if (on_may_write_) on_may_write_();
                    return may_write_;
                  }},
                 [] { return 0.5; }};
  size_t seen_ = 0;
  std::set<std::string> namespaces_;  // shown

  const std::string pods_ = "/api/v1/namespaces/team-a/pods/";
  const std::string partitions_ = "/apis/vdcu.io/v1alpha1/namespaces/team-a/vdcupartitions";
};

TEST_F(RunnerTest, DecidesNothingBeforeItsStart) {
  Show(Wrong("p"));
  RunFor(1'000);
  EXPECT_THAT(Sent(), IsEmpty());
  runner_.Start();
  RunFor(0);
  EXPECT_THAT(Sent(), ElementsAre("PATCH " + pods_ + "p/status"));
}

TEST_F(RunnerTest, WhatIsRefusedIsTriedAgainLaterNotAtOnce) {
  runner_.Start();
  Show(Waiting("p"));
  RunFor(0);
  const std::string create = "POST " + partitions_;
  EXPECT_THAT(Sent(), ElementsAre(create));
  transport_.Answer(0, 403, "{}");
  RunFor(0);
  EXPECT_THAT(Sent(), ElementsAre("PATCH " + pods_ + "p/status"));
  transport_.Answer(1, 200, "{}");
  RunFor(100);
  EXPECT_THAT(Sent(), IsEmpty());
  RunFor(100);
  EXPECT_THAT(Sent(), ElementsAre(create));
  transport_.Answer(2, 429, "{}", base::Duration(3'000));
  RunFor(2'999);
  EXPECT_THAT(Sent(), IsEmpty()) << "the server said when";
  RunFor(1);
  EXPECT_THAT(Sent(), ElementsAre(create));
}

TEST_F(RunnerTest, ARefusedCreateBacksOffWhateverElseIsReconciled) {
  runner_.Start();
  Show(Waiting("p"));
  int creates = 0;
  for (int second = 0; second < 60; ++second) {
    creates += ServeFor(1'000, "POST /apis/vdcu.io", 403);
    Show(Waiting("p"));
  }
  EXPECT_GE(creates, 7);
  EXPECT_LE(creates, 9) << "at 0, 0.2, 0.6, 1.3, 2.8, 5.8, 12, 24 and 48 s";
}

TEST_F(RunnerTest, ManyThatAreRefusedDoNotKeepOthersFromWhatIsFree) {
  runner_.Start();
  for (int i = 0; i < 31; ++i) Show(Waiting("p" + std::to_string(i)));
  ServeFor(1'000, "POST /apis/vdcu.io", 403);
  const auto other =
      MakePod("other").Ns("team-b").Limits({{"hygon.com/dcunum", 1}, {"hygon.com/dcucores", 10}});
  Show(builders::PodBuilder(other).Obj());
  EXPECT_EQ(ServeFor(100, "POST /apis/vdcu.io/v1alpha1/namespaces/team-b", 201), 1);
  EXPECT_LE(ServeFor(60'000, "POST /apis/vdcu.io", 403), 31 * 7);
}

TEST_F(RunnerTest, WhyAPodWaitsIsSaidAgainWhereItCouldNotBeSaid) {
  runner_.Start();
  cluster_.Take(reconcilers::NodeSilent{"n"}, loop_.clock().Now() + std::chrono::hours(1));
  Show(Waiting("p"));
  const std::string status = "PATCH " + pods_ + "p/status";
  EXPECT_GE(ServeFor(60'000, status, 403), 7);
  EXPECT_LE(ServeFor(60'000, status, 403), 2) << "a minute apart";
  EXPECT_EQ(ServeFor(60'000, status, 200), 1);
  EXPECT_EQ(ServeFor(600'000, status, 200), 0);
}

// Neither has a resourceVersion: sent together, the older could be the one that stays.
TEST_F(RunnerTest, AReportWaitsForTheEndOfTheOneBefore) {
  runner_.Start();
  const auto before = Wrong("p");
  Show(before);
  RunFor(0);
  const std::string report = "PATCH " + pods_ + "p/status";
  EXPECT_THAT(Sent(), ElementsAre(report));
  cluster_.shown().Set(before, MakePod("p").Limits({{"hygon.com/dcunum", 100}}).Obj(),
                       loop_.clock().Now());
  runner_.OnChange();
  RunFor(1'000);
  EXPECT_THAT(Sent(), IsEmpty());
  transport_.Answer(0, 200, "{}");
  RunFor(3'999);
  EXPECT_THAT(Sent(), IsEmpty()) << "what is told changes after a while";
  RunFor(1);
  EXPECT_THAT(Sent(), ElementsAre(report));
  EXPECT_NE(transport_.requests()[1].body.find("at most 64"), std::string::npos);
}

TEST_F(RunnerTest, AnyOtherWriteThatIsRefusedBacksOffAndIsToldOnce) {
  const auto pod = Waiting("p");
  const auto partition = builders::MakePartition("")
                             .For(pod)
                             .Assigned(builders::MakeSlice("n", 0, 0, 6, 1000, 0, 0))
                             .Obj();
  cluster_.shown().Set(nullptr, partition, loop_.clock().Now());
  runner_.Start();
  int deletes = 0;
  for (int second = 0; second < 60; ++second) {
    deletes += ServeFor(1'000, "DELETE ", 403);
    cluster_.shown().Set(partition, partition, loop_.clock().Now());
    runner_.OnChange();
  }
  EXPECT_GE(deletes, 7);
  EXPECT_LE(deletes, 9);
  EXPECT_EQ(events_.pending(), 1u);
}

// Its slice goes back in the same plan, and the daemon has changed that just now.
TEST_F(RunnerTest, WhyAPodWaitsIsAnEventAlsoWhereAnotherWriteOfThePlanFails) {
  const auto pod = Waiting("p");
  const auto partition = builders::MakePartition("")
                             .For(pod)
                             .Assigned(builders::MakeSlice("n", 0, 0, 6, 1000, 0, 0))
                             .Obj();
  cluster_.shown().Set(nullptr, partition, loop_.clock().Now());
  Show(pod);
  kclient::Setback setback;
  setback.until = setback.bind_at = loop_.clock().Now() + std::chrono::minutes(1);
  setback.reason = "BindRefused";
  setback.message = "a rule refuses it";
  cluster_.SetBack(reconcilers::PodKey("team-a/p"), setback, loop_.clock().Now());
  runner_.Start();
  EXPECT_GE(ServeFor(100, "DELETE ", 409), 1);
  EXPECT_EQ(events_.pending(), 1u);
}

TEST_F(RunnerTest, ALostAnswerOfAPodThatIsGoneIsFoundOut) {
  runner_.Start();
  Show(Waiting("p"));
  RunFor(0);
  EXPECT_EQ(Sent().size(), 1u);
  cluster_.shown().Set(Waiting("p"), nullptr, loop_.clock().Now());
  runner_.OnChange();
  transport_.Fail(0, {ErrorCode::kUnavailable, "connection lost", {}});
  RunFor(1'000);
  EXPECT_EQ(Sent().size(), 1u) << "else its cards would be taken for good";
}

TEST_F(RunnerTest, ASilentNodeDoesNotHoldUpTheRest) {
  runner_.Start();
  cluster_.Take(reconcilers::NodeSilent{"n"}, loop_.clock().Now());
  Show(Waiting("p"));
  RunFor(0);
  EXPECT_THAT(Sent(), ElementsAre("PATCH " + pods_ + "p/status"));
  transport_.Answer(0, 200, "{}");
  Show(Wrong("q"));
  RunFor(0);
  EXPECT_THAT(Sent(), ElementsAre("PATCH " + pods_ + "q/status"));
  transport_.Answer(1, 200, "{}");
  RunFor(10'000);
  EXPECT_EQ(Sent().size(), 1u) << "the node is tried again";
}

TEST_F(RunnerTest, WritesOnlyWhileItMay) {
  runner_.Start();
  may_write_ = false;
  Show(Wrong("p"));
  RunFor(1'000);
  EXPECT_THAT(Sent(), IsEmpty());
  may_write_ = true;
  RunFor(60'000);
  EXPECT_EQ(Sent().size(), 1u);
}

TEST_F(RunnerTest, NoMoreThanSoManyWritesAreUnderWay) {
  ShowCards("big", 64);
  runner_.Start();
  for (int i = 0; i < 100; ++i) Show(Waiting("p" + std::to_string(i)));
  RunFor(0);
  EXPECT_EQ(Sent().size(), Runner::kMostInFlight);
  for (size_t i = 0; i < 10; ++i) transport_.Answer(i, 200, "{}");
  RunFor(0);
  EXPECT_EQ(Sent().size(), 10u);
}

TEST_F(RunnerTest, ReportsLeaveRoomForWhoCanBePlaced) {
  runner_.Start();
  for (int i = 0; i < 100; ++i) Show(Wrong("p" + std::to_string(i)));
  RunFor(0);
  EXPECT_EQ(Sent().size(), kclient::Reports::kMost);
  Show(Waiting("q"));
  RunFor(0);
  EXPECT_THAT(Sent(), ElementsAre("POST " + partitions_));
  for (size_t answered = 0; answered < transport_.requests().size(); ++answered) {
    transport_.Answer(answered, answered == kclient::Reports::kMost ? 201 : 200, "{}");
    RunFor(0);
  }
  EXPECT_EQ(transport_.requests().size(), 101u) << "all are told";
}

// There is always one more key to reconcile.
TEST_F(RunnerTest, PlacesAlthoughKeysWait) {
  runner_.Start();
  Show(Wrong("w"));
  RunFor(0);
  transport_.Answer(0, 403, "{}");
  RunFor(0);
  int left = 3'000;
  on_may_write_ = [&] {
    if (HasSent("POST") || left == 0) return;
    --left;
    cluster_.Take(reconcilers::LineSeen{"team-a/r", "", {"team-a/w"}}, loop_.clock().Now());
  };
  cluster_.Take(reconcilers::LineSeen{"team-a/r", "", {"team-a/w"}}, loop_.clock().Now());
  Show(Waiting("q"));
  RunFor(0);
  EXPECT_GT(left, 2'900);
}

TEST_F(RunnerTest, CountsWhoWaitsAndForHowLong) {
  runner_.Start();
  Show(Wrong("p"));
  Show(MakePod("q").Created("2023-11-14T22:13:00Z").Limits({{"hygon.com/dcunum", 2}}).Obj());
  RunFor(0);
  EXPECT_EQ(Metric("vdcu_requests_waiting", "invalid"), 1);
  EXPECT_EQ(Metric("vdcu_requests_waiting", "cards"), 1);
  EXPECT_EQ(Metric("vdcu_requests_waiting", "quota"), 0);
  EXPECT_EQ(Metric("vdcu_requests_waiting_oldest_seconds", "cards"), 20) << "since it was created";
  RunFor(7'000);
  EXPECT_EQ(Metric("vdcu_requests_waiting_oldest_seconds", "cards"), 27);
  EXPECT_EQ(Metric("vdcu_requests_waiting_oldest_seconds", "quota"), 0);
  for (const size_t report : {0, 1}) transport_.Answer(report, 200, "{}");
  cluster_.shown().Set(Wrong("p"), nullptr, loop_.clock().Now());
  runner_.OnChange();
  RunFor(0);
  EXPECT_EQ(Metric("vdcu_requests_waiting", "invalid"), 0);
}

TEST_F(RunnerTest, MeasuresAPodsWayFromItsSliceToItsBinding) {
  runner_.Start();
  const auto pod = Waiting("p");
  Show(pod);
  RunFor(0);
  transport_.Answer(0, 201, "{}");
  RunFor(40);
  const auto made = builders::MakePartition("")
                        .For(pod)
                        .Assigned(builders::MakeSlice("n", 0, 0, 6, 32768, 0, 0))
                        .Ready()
                        .Obj();
  cluster_.shown().Set(nullptr, made, loop_.clock().Now());
  runner_.OnChange();
  RunFor(0);
  ASSERT_EQ(transport_.requests().back().path.find(pods_ + "p/binding"), 0u);
  RunFor(8);
  transport_.Answer(transport_.last(), 201, "{}");
  EXPECT_DOUBLE_EQ(SumOf("vdcu_created_to_prepared_seconds"), 0.04);
  EXPECT_DOUBLE_EQ(SumOf("vdcu_prepared_to_bound_seconds"), 0.008);
  EXPECT_EQ(Histogram("vdcu_decision_seconds").sample_count, 1u);
}

TEST_F(RunnerTest, TellsHowMuchIsToBeLookedAt) {
  Show(Wrong("p"));
  Show(Wrong("q"));
  EXPECT_EQ(Metric("vdcu_queue_keys"), 0) << "all is to be looked at: not noted one by one";
  runner_.Start();
  RunFor(0);
  Show(Wrong("r"));
  EXPECT_EQ(Metric("vdcu_queue_keys"), 1);
  EXPECT_EQ(Metric("vdcu_api_writes_in_flight"), 2);
}

TEST_F(RunnerTest, DrainingAwaitsWhatIsUnderWay) {
  runner_.Start();
  Show(Wrong("p"));
  RunFor(0);
  bool drained = false;
  runner_.Drain([&] { drained = true; });
  Show(Wrong("q"));
  RunFor(60'000);
  EXPECT_EQ(Sent().size(), 1u);
  EXPECT_FALSE(drained);
  transport_.Answer(0, 200, "{}");
  EXPECT_TRUE(drained);
}

}  // namespace
}  // namespace vdcu::controller
