// What lasts: an API server that stands still, is started again or refuses everything, a token that
// has run out, a leader that freezes.
#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

#include "tests/faults/fault_test.h"

namespace vdcu::faults {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using world::Background;
using world::Pod;
using world::Until;

class OutageTest : public FaultTest {
 protected:
  static constexpr base::Duration kSoon{45'000};  // after the outage is over
  // A daemon that comes back 5 s later than the controller counts as silent for 30 s.
  static constexpr base::Duration kAfterSilence{90'000};

  // A pod that was made during the outage or before it is bound soon after.
  void ExpectRecovery(const std::string& pod, base::Duration most = kSoon) {
    const base::SystemClock clock;
    const base::TimePoint over = clock.Now();
    Bound(pod);
    EXPECT_LE(clock.Now() - over, most);
  }
};

TEST_F(OutageTest, TheApiServerStandsStill) {
  Create(Pod("before", kSlice));
  Bound("before");
  world().cluster.PauseApiServer();
  std::this_thread::sleep_for(seconds(60));
  world().cluster.ResumeApiServer();
  Create(Pod("after", kSlice));
  ExpectRecovery("after");
  EXPECT_EQ(deaths_, 0);
}

TEST_F(OutageTest, TheApiServerIsStartedAgainInTheMiddleOfPlacements) {
  for (const char* pod : {"a", "b", "c", "d"}) Create(Pod(pod, kSlice));
  world().cluster.StopApiServer();
  world().cluster.StartApiServer();
  for (const char* pod : {"a", "b", "c", "d"}) ExpectRecovery(pod, kAfterSilence);
  EXPECT_EQ(deaths_, 0);
}

TEST_F(OutageTest, EveryRequestIsRefusedForAWhile) {
  for (const int code : {429, 500, 503}) {
    SCOPED_TRACE(code);
    const std::string pod = "refused-" + std::to_string(code);
    StartAnew();
    Create(Pod("before-" + pod, kSlice));
    Bound("before-" + pod);
    proxy().Plan({json{{"method", "*"}, {"do", "answer"}, {"code", code}, {"retryAfter", 1}}});
    proxy().CutWatches();
    Create(Pod(pod, kSlice));
    Reach("as many requests were refused as there are kinds",
          [] { return proxy().Record().fired[0] >= 10; });
    proxy().Plan({});
    ExpectRecovery(pod);
  }
  EXPECT_EQ(deaths_, 0);
}

TEST_F(OutageTest, ATokenRunsOutAndIsRenewed) {
  StartAnew();
  Create(Pod("before", kSlice));
  Bound("before");
  const std::string file = world().kubeconfig + ".token";
  std::ifstream stream(file);
  std::string old{std::istreambuf_iterator<char>(stream), {}};
  old.erase(old.find_last_not_of('\n') + 1);
  proxy().Plan(
      {json{{"method", "*"}, {"authorization", "Bearer " + old}, {"do", "answer"}, {"code", 401}}});
  proxy().CutWatches();
  Create(Pod("waits", kSlice));
  Reach("the old token is refused", [] { return proxy().Record().fired[0] >= 3; });
  world().cluster.TokenKubeconfig("vdcu-system", "vdcu-controller");
  world().Redirect();
  ExpectRecovery("waits");
  EXPECT_EQ(deaths_, 0);
}

class FrozenLeaderTest : public FaultTest {
 protected:
  static std::string Holder() {
    const json lease =
        api().Find("/apis/coordination.k8s.io/v1/namespaces/vdcu-system/leases", "vdcu-controller");
    return lease.is_object() ? lease["spec"].value("holderIdentity", "") : "";
  }
  // Another than the fixture's: it has a port of its own.
  static std::unique_ptr<Background> MakeReplica(const std::string& client) {
    const std::string path = world().kubeconfig + "-" + client;
    std::filesystem::copy_file(world().kubeconfig, path,
                               std::filesystem::copy_options::overwrite_existing);
    proxy().Redirect(path, client);
    return world().MakeController("replica-" + client, {"--leader-elect"}, path);
  }
  // What the client wrote and was accepted, and each try to write an object.
  static std::vector<json> WritesOf(const std::string& client) {
    std::vector<json> found;
    for (const json& write : proxy().Record().writes) {
      const bool lease = write["path"].get<std::string>().find("/leases/") != std::string::npos;
      if (write["client"] == client && (!lease || write["code"].get<int>() < 300)) {
        found.push_back(write);
      }
    }
    return found;
  }
};

TEST_F(FrozenLeaderTest, IsSucceededAndWritesNothingWhenItThaws) {
  tends_ = false;
  world().controller.reset();
  auto first = MakeReplica("controller");
  ASSERT_TRUE(Until([] { return !Holder().empty(); }));
  const std::string frozen = Holder();
  auto second = MakeReplica("second");
  Create(Pod("before", kSlice));
  Bound("before");
  // What is on its way when it freezes arrives.
  ASSERT_TRUE(Until([] {
    const auto events = api().List("/apis/events.k8s.io/v1/namespaces/default/events");
    return std::any_of(events.begin(), events.end(), [](const json& event) {
      return event["regarding"]["name"] == "before" && event["reason"] == "Scheduled";
    });
  }));

  first->Signal(SIGSTOP);
  const base::SystemClock clock;
  const base::TimePoint start = clock.Now();
  // It has these events to read when it thaws.
  Create(Pod("meanwhile", kSlice));
  Create(world::Partition("reserved", {{"cores", 10}, {"memory", "1Gi"}}));
  EXPECT_TRUE(Until([&] { return !Holder().empty() && Holder() != frozen; }));
  EXPECT_LE(clock.Now() - start, seconds(30)) << "a lease of 15 s, looked at every 2 s";
  Bound("meanwhile");
  Create(Pod("never-for-it", {{"dcunum", "3"}}));
  proxy().Plan({});  // now, as a write that was on its way when it froze is recorded after that
  first->Signal(SIGCONT);
  EXPECT_EQ(first->Wait(seconds(60)), 1) << world().LogOf("replica-controller");
  EXPECT_THAT(WritesOf("controller"), testing::IsEmpty());
  EXPECT_NE(Holder(), frozen);
  Create(Pod("after", kSlice));
  Bound("after");

  second->Signal(SIGTERM);
  EXPECT_EQ(second->Wait(seconds(20)), 0);
}

}  // namespace
}  // namespace vdcu::faults
