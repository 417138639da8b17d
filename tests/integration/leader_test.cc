// Leader election and events on a real API server.
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/random.h"
#include "base/uv_loop.h"
#include "kclient/api.h"
#include "kclient/config.h"
#include "kclient/curl_transport.h"
#include "kclient/event_recorder.h"
#include "kclient/leader_elector.h"
#include "tests/world/cluster.h"

namespace vdcu::integration {
namespace {

using base::Duration;
using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using world::Cluster;
using world::Output;

// Shorter than the defaults, in about their proportions.
constexpr Duration kLease = seconds(6);
constexpr Duration kRenewDeadline = seconds(4);
constexpr Duration kRetry = milliseconds(500);

Cluster& cluster() {
  static Cluster one;
  return one;
}

// A process, as it were: a loop, a client and what lives on them. It stands still while it is not
// run.
class Process {
 public:
  explicit Process(const std::string& identity)
      : transport_(loop_, LoadAdmin(), "vdcu-test"),
        client_(transport_),
        wake_(loop_.MakeTimer([this] { wake_->Start(milliseconds(20)); })) {
    wake_->Start(milliseconds(20));
    auto elector = kclient::LeaderElector::Create(
        loop_, client_, {"default", "controller", identity, kLease, kRenewDeadline, kRetry},
        {[] {}, [this](const std::string& reason) { lost_ = reason; },
         [this](const std::string& leader) { leader_ = leader; }},
        base::SystemRandom());
    EXPECT_TRUE(elector) << elector.error().message;
    elector_ = std::move(*elector);
  }

  base::UvLoop& loop() { return loop_; }
  kclient::Client& client() { return client_; }
  kclient::LeaderElector& elector() { return *elector_; }
  base::TimePoint Now() const { return loop_.clock().Now(); }
  bool MayWrite() const { return elector_->MayWrite(Now(), Duration(0)); }
  const std::string& lost() const { return lost_; }
  const std::string& leader() const { return leader_; }

 private:
  static kclient::Config LoadAdmin() {
    auto config = kclient::LoadKubeconfig({cluster().admin_kubeconfig()});
    EXPECT_TRUE(config) << config.error().message;
    return *config;
  }

  base::UvLoop loop_;
  kclient::CurlTransport transport_;
  kclient::Client client_;
  base::TimerPtr wake_;  // so that RunOnce() returns
  std::string lost_;
  std::string leader_;
  std::unique_ptr<kclient::LeaderElector> elector_;
};

// Runs them side by side until done() or until `limit` has passed.
bool RunUntil(std::initializer_list<Process*> processes, const std::function<bool()>& done,
              Duration limit = seconds(90)) {
  const base::TimePoint deadline = (*processes.begin())->Now() + limit;
  while (!done() && (*processes.begin())->Now() < deadline) {
    for (Process* process : processes) process->loop().RunOnce();
  }
  return done();
}

class LeaderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    cluster().Kubectl({"delete", "lease", "controller", "--ignore-not-found"});
    first_.elector().Start();
    ASSERT_TRUE(RunUntil({&first_}, [this] { return first_.elector().leading(); }));
    second_.elector().Start();
    ASSERT_TRUE(RunUntil({&first_, &second_}, [this] { return second_.leader() == "first"; }));
  }

  Process first_{"first"};
  Process second_{"second"};
};

TEST_F(LeaderTest, OneLeadsForAsLongAsItRenews) {
  EXPECT_FALSE(RunUntil(
      {&first_, &second_}, [this] { return second_.elector().leading(); }, kLease + seconds(2)));
  EXPECT_TRUE(first_.MayWrite());
  const Output lease = cluster().Kubectl({"get", "lease", "controller", "-o", "json"});
  const json spec = json::parse(lease.text)["spec"];
  EXPECT_EQ(spec["holderIdentity"], "first");
  EXPECT_EQ(spec["leaseDurationSeconds"], 6);
}

TEST_F(LeaderTest, AFrozenLeaderIsSucceededAndWritesNothingWhenItThaws) {
  const base::TimePoint frozen = second_.Now();
  ASSERT_TRUE(RunUntil({&second_}, [this] { return second_.elector().leading(); }));
  const Duration taken = second_.Now() - frozen;
  EXPECT_LE(taken, seconds(17));
  EXPECT_GE(taken, kLease - 3 * kRetry);
  EXPECT_TRUE(first_.elector().leading()) << "it does not know better yet";
  EXPECT_FALSE(first_.MayWrite());
  ASSERT_TRUE(RunUntil({&first_, &second_}, [this] { return !first_.lost().empty(); }));
  EXPECT_FALSE(first_.elector().leading());
  EXPECT_TRUE(second_.MayWrite());
}

TEST_F(LeaderTest, AReleasedLeaseIsTakenAtOnce) {
  std::vector<base::Status> released;
  const base::TimePoint start = second_.Now();
  first_.elector().Release([&](base::Status status) { released.push_back(std::move(status)); });
  ASSERT_TRUE(RunUntil({&first_, &second_}, [this] { return second_.elector().leading(); }));
  EXPECT_LT(second_.Now() - start, kLease - kRetry);
  ASSERT_EQ(released.size(), 1U);
  EXPECT_TRUE(released[0]) << released[0].error().message;
  EXPECT_THAT(first_.lost(), IsEmpty());
}

TEST_F(LeaderTest, ALeaseHeldByKubectlsHandIsLost) {
  const Output patched = cluster().Kubectl(
      {"patch", "lease", "controller", "--type=merge", "-p",
       R"({"spec":{"holderIdentity":"somebody","renewTime":"2020-01-01T00:00:00.000000Z"}})"});
  ASSERT_EQ(patched.exit_code, 0) << patched.text;
  ASSERT_TRUE(RunUntil({&first_}, [this] { return !first_.lost().empty(); }));
  EXPECT_THAT(first_.lost(), HasSubstr("taken by \"somebody\""));
}

class EventsTest : public ::testing::Test {
 protected:
  void Flush() {
    bool flushed = false;
    recorder_.Flush(seconds(60), [&flushed] { flushed = true; });
    ASSERT_TRUE(RunUntil({&process_}, [&flushed] { return flushed; }));
    EXPECT_EQ(recorder_.pending(), 0U);
    EXPECT_EQ(recorder_.counts().dropped_failed, 0U);
  }
  static json EventsOf(const std::string& ns, const std::string& name) {
    const Output output =
        cluster().Kubectl({"get", "events.events.k8s.io", "-n", ns, "-o", "json"});
    json found = json::array();
    const json list = json::parse(output.text);
    for (const json& event : list["items"]) {
      if (event["regarding"]["name"] == name) found.push_back(event);
    }
    return found;
  }

  Process process_{"unused"};
  kclient::EventRecorder recorder_{process_.loop(),
                                   process_.client(),
                                   {"vdcu.io/controller", "controller-0", [] { return true; }},
                                   base::SystemRandom()};
};

TEST_F(EventsTest, ASeriesIsOneEventWithItsCount) {
  const kclient::Event event{.regarding = {"v1", "Pod", "default", "train-0", "pod-uid"},
                             .type = kclient::EventType::kWarning,
                             .reason = "Unschedulable",
                             .action = "Assigning",
                             .note = "0/1 nodes fit: 1 too little card memory"};
  recorder_.Record(event);
  Flush();
  json events = EventsOf("default", "train-0");
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0]["reason"], "Unschedulable");
  EXPECT_FALSE(events[0].contains("series") && !events[0]["series"].is_null());
  for (int i = 0; i < 4; ++i) recorder_.Record(event);
  Flush();
  events = EventsOf("default", "train-0");
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0]["series"]["count"], 5);
  const Output table = cluster().Kubectl({"get", "events", "-o", "wide"});
  EXPECT_THAT(table.text, HasSubstr("pod/train-0"));
  EXPECT_THAT(table.text, ::testing::ContainsRegex(" 5 +train-0\\."));
}

TEST_F(EventsTest, RepeatsBeforeTheFirstIsSentAreInItsCreate) {
  const kclient::Event event{.regarding = {"v1", "Node", "", "node-1", "node-1"},
                             .type = kclient::EventType::kNormal,
                             .reason = "CardAppeared",
                             .action = "Scanning",
                             .note = std::string(2000, 'x')};
  for (int i = 0; i < 3; ++i) recorder_.Record(event);
  Flush();
  const json events = EventsOf("default", "node-1");
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0]["series"]["count"], 3);
  EXPECT_EQ(events[0]["note"].get<std::string>().size(), 1024U);
}

}  // namespace
}  // namespace vdcu::integration
