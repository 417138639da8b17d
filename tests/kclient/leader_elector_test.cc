#include "kclient/leader_elector.h"

#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/simulated_loop.h"
#include "tests/kclient/oldest_call.h"

namespace vdcu::kclient {
namespace {

using base::Duration;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kGet = "GET /apis/coordination.k8s.io/v1/namespaces/vdcu/leases/controller";
constexpr const char* kPatch =
    "PATCH /apis/coordination.k8s.io/v1/namespaces/vdcu/leases/controller";
constexpr const char* kPost = "POST /apis/coordination.k8s.io/v1/namespaces/vdcu/leases";

// What happened at one elector.
struct Seen {
  int started = 0;
  std::vector<std::string> stopped;
  std::vector<std::string> leaders;
  std::vector<std::string> troubles;

  LeaderElector::Callbacks Callbacks() {
    return {[this] { ++started; }, [this](const std::string& reason) { stopped.push_back(reason); },
            [this](const std::string& identity) { leaders.push_back(identity); },
            [this](const std::string& error) { troubles.push_back(error); }};
  }
};

class LeaderElectorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto elector = LeaderElector::Create(loop_, client_, {"vdcu", "controller", "us"},
                                         seen_.Callbacks(), [] { return 0.5; });
    ASSERT_TRUE(elector.has_value()) << elector.error().message;
    elector_ = std::move(*elector);
  }

  // A Lease as the API would answer it, with a resourceVersion of its own.
  nlohmann::json StoredLease(const std::string& holder, const std::string& renew_time = "r1",
                             int64_t duration = 15) {
    return {{"metadata",
             {{"name", "controller"},
              {"namespace", "vdcu"},
              {"uid", "lease-uid"},
              {"resourceVersion", std::to_string(++version_)}}},
            {"spec",
             {{"holderIdentity", holder},
              {"leaseDurationSeconds", duration},
              {"acquireTime", "2020-01-01T00:00:00.000000Z"},
              {"renewTime", renew_time},
              {"leaseTransitions", 3}}}};
  }
  // Answers the write in flight with what it asked for.
  void Accept() {
    nlohmann::json stored = StoredLease("");
    stored["spec"].merge_patch(transport_.Body()["spec"]);
    transport_.Answer(200, stored);
  }
  void Lead() {
    elector_->Start();
    transport_.Answer(200, StoredLease(""));
    Accept();
    ASSERT_TRUE(elector_->leading());
  }
  // Time passes and the process does not run.
  void Freeze(Duration by) {
    const auto& clock = static_cast<const fakes::SimulatedClock&>(loop_.clock());
    const_cast<fakes::SimulatedClock&>(clock).Advance(by);
  }
  bool MayWrite(Duration timeout) { return elector_->MayWrite(loop_.clock().Now(), timeout); }

  fakes::SimulatedLoop loop_;
  fakes::FakeTransport fake_;
  OldestCall transport_{fake_};
  Client client_{fake_};
  Seen seen_;
  int version_ = 100;
  std::unique_ptr<LeaderElector> elector_;
};

TEST_F(LeaderElectorTest, WithoutALeaseOneIsCreated) {
  elector_->Start();
  ASSERT_EQ(transport_.Line(), kGet);
  transport_.Refuse(404, "NotFound");
  ASSERT_EQ(transport_.Line(), kPost);
  const nlohmann::json body = transport_.Body();
  EXPECT_EQ(body["metadata"]["name"], "controller");
  EXPECT_EQ(body["spec"]["holderIdentity"], "us");
  EXPECT_EQ(body["spec"]["leaseDurationSeconds"], 15);
  EXPECT_EQ(body["spec"]["leaseTransitions"], 0);
  EXPECT_EQ(body["spec"]["acquireTime"], body["spec"]["renewTime"]);
  EXPECT_EQ(seen_.started, 0);
  Accept();
  EXPECT_EQ(seen_.started, 1);
  EXPECT_THAT(seen_.leaders, ElementsAre("us"));
}

TEST_F(LeaderElectorTest, TroubleIsToldAtOnceAndAtEachChange) {
  elector_->Start();
  const base::TimePoint start = loop_.clock().Now();
  for (int i = 0; i < 3; ++i) {
    transport_.Refuse(403, "Forbidden");
    loop_.Advance(seconds(2));
  }
  EXPECT_THAT(seen_.troubles, ElementsAre(HasSubstr("403")));
  ASSERT_TRUE(elector_->trouble());
  EXPECT_EQ(elector_->trouble()->since, start);
  transport_.Refuse(500, "InternalError");
  loop_.Advance(seconds(2));
  EXPECT_THAT(seen_.troubles, ElementsAre(HasSubstr("403"), HasSubstr("500")));
  EXPECT_EQ(elector_->trouble()->since, start);
  transport_.Answer(200, StoredLease("them"));
  EXPECT_FALSE(elector_->trouble()) << "that another leads is none";
  EXPECT_THAT(seen_.troubles, ElementsAre(HasSubstr("403"), HasSubstr("500"), ""));
}

TEST_F(LeaderElectorTest, ARenewalIsOneRequestEachRetryPeriodWithTheObservedResourceVersion) {
  Lead();
  const size_t before = transport_.sent();
  for (int i = 0; i < 20; ++i) {
    loop_.Advance(Duration(1'999));
    EXPECT_EQ(transport_.open(), 0U);
    loop_.Advance(Duration(1));
    ASSERT_EQ(transport_.Line(), kPatch);
    const nlohmann::json body = transport_.Body();
    EXPECT_EQ(body["metadata"]["resourceVersion"], std::to_string(version_));
    EXPECT_EQ(body["metadata"]["uid"], "lease-uid");
    EXPECT_EQ(body["spec"]["leaseTransitions"], 4);
    EXPECT_EQ(body["spec"]["renewTime"], base::FormatMicroTime(loop_.clock().Wall()));
    EXPECT_NE(body["spec"]["acquireTime"], body["spec"]["renewTime"]);
    Accept();
  }
  EXPECT_EQ(transport_.sent(), before + 20);
  EXPECT_EQ(seen_.started, 1);
  EXPECT_THAT(seen_.stopped, IsEmpty());
  EXPECT_THAT(seen_.leaders, ElementsAre("us"));
}

TEST_F(LeaderElectorTest, AnothersLeaseIsTakenWhenItsRecordHasNotChangedForTheDurationInIt) {
  elector_->Start();
  const base::TimePoint start = loop_.clock().Now();
  // Its times are decades old: another's clock means nothing.
  transport_.Answer(200, StoredLease("them", "1990-01-01T00:00:00.000000Z", 20));
  loop_.Advance(seconds(8));
  transport_.Answer(200, StoredLease("them", "1990-01-01T00:00:08.000000Z", 20));
  const base::TimePoint changed = loop_.clock().Now();
  while (transport_.Line() != kPatch) {
    if (transport_.Line() == kGet) {
      transport_.Answer(200, StoredLease("them", "1990-01-01T00:00:08.000000Z", 20));
      continue;
    }
    ASSERT_LT(loop_.clock().Now(), start + seconds(60));
    loop_.Advance(*loop_.NextTimer() - loop_.clock().Now());
  }
  EXPECT_EQ(loop_.clock().Now(), changed + seconds(20));
  EXPECT_EQ(transport_.Body()["spec"]["leaseTransitions"], 4);
  Accept();
  EXPECT_TRUE(elector_->leading());
  EXPECT_THAT(seen_.leaders, ElementsAre("them", "us"));
}

TEST_F(LeaderElectorTest, OfTwoThatTryOneLeads) {
  elector_->Start();
  transport_.Answer(200, StoredLease(""));
  ASSERT_EQ(transport_.Line(), kPatch);
  EXPECT_EQ(transport_.Body()["metadata"]["resourceVersion"], std::to_string(version_));
  transport_.Refuse(409, "Conflict");
  EXPECT_EQ(transport_.open(), 0U);
  loop_.Advance(Duration(1'499));  // 2 s less half of what may be saved
  EXPECT_EQ(transport_.open(), 0U);
  loop_.Advance(Duration(1));
  ASSERT_EQ(transport_.Line(), kGet);
  transport_.Answer(200, StoredLease("them"));
  EXPECT_EQ(transport_.open(), 0U);
  EXPECT_EQ(seen_.started, 0);
  EXPECT_THAT(seen_.leaders, ElementsAre("them"));
}

TEST_F(LeaderElectorTest, OfTwoThatCreateOneLeads) {
  elector_->Start();
  transport_.Refuse(404, "NotFound");
  transport_.Refuse(409, "AlreadyExists");
  EXPECT_EQ(transport_.open(), 0U);
  EXPECT_EQ(seen_.started, 0);
}

TEST_F(LeaderElectorTest, NoWriteStartsLaterThanTheDeadlineLessItsTimeoutAfterTheRenewalsStart) {
  EXPECT_FALSE(MayWrite(seconds(0)));
  elector_->Start();
  transport_.Answer(200, StoredLease(""));
  EXPECT_FALSE(MayWrite(seconds(0)));
  loop_.Advance(seconds(3));  // the answer takes its time
  Accept();
  struct Case {
    Duration since_start;
    Duration timeout;
    bool want;
  };
  const base::TimePoint start = loop_.clock().Now() - seconds(3);
  const std::map<std::string, Case> cases = {
      {"at once", {seconds(3), seconds(5), true}},
      {"just in time", {seconds(5), seconds(5), true}},
      {"a millisecond late", {seconds(5) + Duration(1), seconds(5), false}},
      {"a short one may start later", {seconds(9), seconds(1), true}},
      {"at the deadline", {seconds(10), Duration(1), false}},
      {"frozen for an hour", {std::chrono::hours(1), seconds(0), false}},
  };
  for (const auto& [name, test] : cases) {
    EXPECT_EQ(elector_->MayWrite(start + test.since_start, test.timeout), test.want) << name;
  }
}

TEST_F(LeaderElectorTest, ALeaderThatFrozeAndThawsWritesNothing) {
  Lead();
  loop_.Advance(seconds(2));
  ASSERT_EQ(transport_.Line(), kPatch);
  Freeze(seconds(60));
  EXPECT_FALSE(MayWrite(seconds(0)));
  Accept();  // its old renewal was carried out, and the answer is read first
  EXPECT_FALSE(elector_->leading());
  EXPECT_FALSE(MayWrite(seconds(0)));
  loop_.Advance(seconds(60));
  EXPECT_EQ(transport_.open(), 0U);
  EXPECT_EQ(seen_.stopped.size(), 1U);
}

TEST_F(LeaderElectorTest, AnAcquisitionWhoseAnswerIsTooLateDoesNotLead) {
  elector_->Start();
  transport_.Answer(200, StoredLease(""));
  Freeze(seconds(11));
  Accept();
  EXPECT_FALSE(elector_->leading());
  loop_.Advance(Duration(4'400));
  transport_.Answer(200, StoredLease("us"));
  Accept();
  EXPECT_TRUE(elector_->leading());
}

TEST_F(LeaderElectorTest, ALeaderThatCouldNotRenewWithinTheDeadlineStopsLeadingForGood) {
  Lead();
  loop_.Advance(seconds(2));
  transport_.Break();
  loop_.Advance(seconds(2));
  transport_.Break();
  EXPECT_TRUE(elector_->leading());
  loop_.Advance(Duration(5'999));
  EXPECT_TRUE(elector_->leading());
  loop_.Advance(Duration(1));
  EXPECT_FALSE(elector_->leading());
  ASSERT_EQ(seen_.stopped.size(), 1U);
  EXPECT_THAT(seen_.stopped[0], HasSubstr("vdcu/controller"));
  const size_t sent = transport_.sent();
  EXPECT_EQ(transport_.open(), 0U);
  loop_.Advance(seconds(100));
  EXPECT_EQ(transport_.sent(), sent);
  EXPECT_EQ(seen_.stopped.size(), 1U);
}

TEST_F(LeaderElectorTest, ARequestWithoutAnAnswerIsTriedAgainWithinTheDeadline) {
  Lead();
  loop_.Advance(seconds(2));
  ASSERT_EQ(transport_.Line(), kPatch);
  loop_.Advance(seconds(5));
  EXPECT_EQ(transport_.open(), 0U);
  loop_.Advance(seconds(2));
  ASSERT_EQ(transport_.Line(), kPatch);
  Accept();
  loop_.Advance(seconds(2));
  EXPECT_TRUE(elector_->leading());
}

TEST_F(LeaderElectorTest, ARenewalWhoseAnswerWasLostIsFoundInTheLease) {
  Lead();
  loop_.Advance(seconds(2));
  transport_.Break();
  loop_.Advance(seconds(2));
  transport_.Refuse(409, "Conflict");
  ASSERT_EQ(transport_.Line(), kGet);
  transport_.Answer(200, StoredLease("us"));
  ASSERT_EQ(transport_.Line(), kPatch);
  EXPECT_EQ(transport_.Body()["spec"]["acquireTime"], "2020-01-01T00:00:00.000000Z");
  Accept();
  EXPECT_TRUE(elector_->leading());
}

TEST_F(LeaderElectorTest, ALeaseThatWasDeletedIsCreatedAnew) {
  Lead();
  loop_.Advance(seconds(2));
  transport_.Refuse(404, "NotFound");
  ASSERT_EQ(transport_.Line(), kGet);
  transport_.Refuse(404, "NotFound");
  ASSERT_EQ(transport_.Line(), kPost);
  Accept();
  EXPECT_TRUE(elector_->leading());
}

TEST_F(LeaderElectorTest, ALeaderWhoseLeaseWasTakenStopsAtOnce) {
  Lead();
  loop_.Advance(seconds(2));
  transport_.Refuse(409, "Conflict");
  transport_.Answer(200, StoredLease("them"));
  EXPECT_FALSE(elector_->leading());
  EXPECT_THAT(seen_.stopped, ElementsAre(HasSubstr("taken by \"them\"")));
  EXPECT_EQ(transport_.open(), 0U);
}

TEST_F(LeaderElectorTest, ReleaseGivesTheLeaseUpSoThatAnotherMayTakeItAtOnce) {
  Lead();
  std::vector<base::Status> released;
  elector_->Release([&](base::Status status) { released.push_back(std::move(status)); });
  EXPECT_FALSE(MayWrite(seconds(0)));
  ASSERT_EQ(transport_.Line(), kPatch);
  const nlohmann::json body = transport_.Body();
  EXPECT_EQ(body["metadata"]["resourceVersion"], std::to_string(version_));
  EXPECT_EQ(body["spec"]["holderIdentity"], "");
  EXPECT_EQ(body["spec"]["leaseDurationSeconds"], 1);
  Accept();
  ASSERT_EQ(released.size(), 1U);
  EXPECT_TRUE(released[0].has_value());
  loop_.Advance(seconds(60));
  EXPECT_EQ(transport_.open(), 0U);
  EXPECT_THAT(seen_.stopped, IsEmpty());
}

TEST_F(LeaderElectorTest, ReleaseAwaitsTheRenewalInFlight) {
  Lead();
  loop_.Advance(seconds(2));
  ASSERT_EQ(transport_.open(), 1U);
  bool released = false;
  elector_->Release([&](const base::Status& status) { released = status.has_value(); });
  EXPECT_EQ(transport_.open(), 1U);
  Accept();
  ASSERT_EQ(transport_.Line(), kPatch);
  EXPECT_EQ(transport_.Body()["spec"]["holderIdentity"], "");
  Accept();
  EXPECT_TRUE(released);
}

TEST_F(LeaderElectorTest, ReleaseOfAFollowerWritesNothing) {
  elector_->Start();
  transport_.Answer(200, StoredLease("them"));
  bool released = false;
  elector_->Release([&](const base::Status& status) { released = status.has_value(); });
  EXPECT_FALSE(released) << "a callback never runs inside the call that set it up";
  loop_.Advance(Duration(0));
  EXPECT_TRUE(released);
  loop_.Advance(seconds(60));
  EXPECT_EQ(transport_.open(), 0U);
}

TEST_F(LeaderElectorTest, ReleaseEndsWithinASecondWhereNobodyAnswers) {
  Lead();
  std::vector<base::Status> released;
  elector_->Release([&](base::Status status) { released.push_back(std::move(status)); });
  loop_.Advance(seconds(1));
  ASSERT_EQ(released.size(), 1U);
  EXPECT_FALSE(released[0].has_value());
  EXPECT_EQ(transport_.open(), 0U);
}

TEST_F(LeaderElectorTest, OurOwnLeaseOfAnEarlierLifeIsTakenAtOnce) {
  elector_->Start();
  transport_.Answer(200, StoredLease("us"));
  ASSERT_EQ(transport_.Line(), kPatch);
  Accept();
  EXPECT_TRUE(elector_->leading());
}

TEST_F(LeaderElectorTest, AWrongConfigurationIsRefusedWithTheRule) {
  const LeaderElectionConfig good{"ns", "name", "id"};
  struct Case {
    std::function<void(LeaderElectionConfig&)> change;
    std::string want;
  };
  const std::map<std::string, Case> cases = {
      {"no namespace", {[](auto& c) { c.ns = ""; }, "namespace is empty"}},
      {"no name", {[](auto& c) { c.name = ""; }, "name is empty"}},
      {"no identity", {[](auto& c) { c.identity = ""; }, "identity is empty"}},
      {"a lease that is not longer than the deadline",
       {[](auto& c) { c.lease_duration = seconds(10); },
        "lease_duration is 10000 ms, must be longer than renew_deadline 10000 ms"}},
      {"a lease of part of a second",
       {[](auto& c) { c.lease_duration = Duration(15'500); }, "must be whole seconds"}},
      {"a deadline too short for a jittered retry",
       {[](auto& c) { c.renew_deadline = Duration(2'400); },
        "must be longer than 1.2 times retry_period 2000 ms"}},
      {"no retry period", {[](auto& c) { c.retry_period = Duration(0); }, "must be positive"}},
  };
  for (const auto& [name, test] : cases) {
    LeaderElectionConfig config = good;
    test.change(config);
    const auto made = LeaderElector::Create(loop_, client_, config, {}, [] { return 0.0; });
    ASSERT_FALSE(made.has_value()) << name;
    EXPECT_EQ(made.error().code, base::ErrorCode::kInvalid) << name;
    EXPECT_THAT(made.error().message, HasSubstr(test.want)) << name;
  }
  EXPECT_TRUE(LeaderElector::Create(loop_, client_, good, {}, [] { return 0.0; }).has_value());
}

}  // namespace
}  // namespace vdcu::kclient
