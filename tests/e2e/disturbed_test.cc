// Bursts under what may be different on a node, or go wrong beside the processes' deaths.
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "tests/e2e/e2e_test.h"
#include "tests/e2e/proxied_test.h"

namespace vdcu::e2e {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using world::Condition;
using world::kPartitions;
using world::kPods;

class DisturbedTest : public E2eTest {};

TEST_F(DisturbedTest, UnderTheTopologyManager) {
  machine().ConfigureKubelet("topologyManagerPolicy: best-effort\n");
  ASSERT_TRUE(DaemonIsReady());
  const auto slices = CreateSlices(12);
  Create(RealPod("two", kTwoCards));
  ASSERT_TRUE(Runs(slices));
  ASSERT_TRUE(Runs("two"));
  for (const std::string& pod : slices) ExpectOwnSlice(pod);
  ExpectOwnCards("two", 2);
  ExpectNoAdmissionError();
  machine().ConfigureKubelet("");
}

class SickCardTest : public DisturbedTest {
 protected:
  void TearDown() override {
    if (checker_) {
      EXPECT_TRUE(machine().host().Heal(0));
    }
    DisturbedTest::TearDown();
  }
};

TEST_F(SickCardTest, ARunningPodStaysAndTheRestFillsUp) {
  Create(
      RealPod("patient", Slice(50, 30000), {{"hygon.com/use-gpuuuid", machine().host().Uuid(0)}}));
  ASSERT_TRUE(Runs("patient"));
  const std::string identity = Identity("patient");
  EXPECT_TRUE(machine().host().MakeSick(0, hosts::Sickness::kRas));
  // One slot is in use, and stays.
  ASSERT_TRUE(Advertises("29"));
  const std::string partition = PartitionsOf("patient").at(0)["metadata"]["name"];
  ASSERT_TRUE(Eventually("its partition says so", [&] {
    const json health = Condition(api().Find(kPartitions, partition), "Healthy");
    return health.is_object() && health["status"] == "False";
  }));
  ASSERT_TRUE(Eventually("an event says so", [&] {
    const auto events = api().List("/apis/events.k8s.io/v1/namespaces/default/events");
    return std::any_of(events.begin(), events.end(), [&](const json& event) {
      return event["regarding"].value("name", "") == partition && event["type"] == "Warning";
    });
  }));
  // Seven cards: 24 slices on six, and one whole card.
  const auto slices = CreateSlices(24);
  Create(RealPod("card", kWholeCard));
  ASSERT_TRUE(Runs(slices));
  ASSERT_TRUE(Runs("card"));
  Create(RealPod("late", Slice(10, 1000)));
  ASSERT_TRUE(Waits("late"));
  machine().RestartKubelet();
  ASSERT_TRUE(Advertises("29"));
  EXPECT_EQ(Identity("patient"), identity);
  for (const json& object : api().List(kPartitions)) {
    if (object["metadata"]["name"] == partition) continue;
    EXPECT_NE(object["spec"]["assignment"]["device"], machine().host().Uuid(0)) << object.dump();
  }
  ExpectNoAdmissionError();
  EXPECT_TRUE(machine().host().Heal(0));
  ASSERT_TRUE(Runs("late"));
  ExpectOwnSlice("late");
  ASSERT_TRUE(Advertises("32"));
  EXPECT_EQ(Identity("patient"), identity);
}

class CutTest : public ProxiedTest {
 protected:
  // The daemon's watch does not show it, and for three seconds its reads are refused.
  void HideLatePod() {
    const json no_watch{
        {"client", "daemon"}, {"watch", true}, {"path", "/pods"}, {"do", "answer"}, {"code", 503}};
    const json busy{{"client", "daemon"}, {"method", "GET"}, {"path", "/pods/late"},
                    {"do", "answer"},     {"code", 503},     {"times", 15}};
    proxy().Plan({busy, no_watch});
    proxy().CutWatches();
    Create(RealPod("late", Slice(10, 1000)));
  }
};

TEST_F(CutTest, OfThePartitionWatchInABurst) {
  auto slices = CreateSlices(6, "before");
  const json rule{{"client", "daemon"},
                  {"watch", true},
                  {"path", "vdcupartitions"},
                  {"do", "answer"},
                  {"code", 503}};
  proxy().Plan({rule});
  proxy().CutWatches();
  const base::SystemClock clock;
  const auto end = clock.Now() + seconds(30);
  for (const std::string& pod : CreateSlices(14, "after")) slices.push_back(pod);
  for (int i = 0; i < 3; ++i) Delete(slices[static_cast<size_t>(i)], i % 2 == 0);
  while (clock.Now() < end) std::this_thread::sleep_for(base::Duration(100));
  proxy().Plan({});
  slices.erase(slices.begin(), slices.begin() + 3);
  ASSERT_TRUE(Runs(slices));
  std::cout << "all ran " << (clock.Now() - end).count() << " ms after the watch could go on\n";
  for (const std::string& pod : slices) ExpectOwnSlice(pod);
  ExpectNoAdmissionError();
}

// A pod that is refused has failed for good.
TEST_F(CutTest, OfThePodWatchWhileTheApiServerIsBusyForSeconds) {
  HideLatePod();
  ASSERT_TRUE(Runs("late"));
  ExpectOwnSlice("late");
  ExpectNoAdmissionError();
}

TEST_F(CutTest, TheDaemonIsToldToEndWhileAnAdmissionWaits) {
  HideLatePod();
  ASSERT_TRUE(Eventually("an admission waits", [] { return proxy().Record().fired[0] > 0; }));
  EXPECT_EQ(machine().StopDaemon(), 0) << machine().DaemonLog();
  StartProxied();
  ASSERT_TRUE(Runs("late"));
  ExpectOwnSlice("late");
  ExpectNoAdmissionError();
}

}  // namespace
}  // namespace vdcu::e2e
