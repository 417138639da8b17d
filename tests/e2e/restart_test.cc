// What restarts, and what the pods that run notice of it: nothing.
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "tests/e2e/e2e_test.h"
#include "tests/world/invariants.h"

namespace vdcu::e2e {
namespace {

using nlohmann::json;
using world::kPartitions;
using world::kPods;

class RestartTest : public E2eTest {
 protected:
  void SetUp() override {
    E2eTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    Create(RealPod("slice", Slice(15, 2000)));
    Create(RealPod("other", Slice(40, 30000)));
    Create(RealPod("cards", kTwoCards));
    ASSERT_TRUE(Runs(kPodsThatRun));
    before_ = Shown();
  }

  // Containers and partitions are the very same, and what comes next runs, too.
  void ExpectNothingHappened() {
    ASSERT_TRUE(Runs(kPodsThatRun));
    EXPECT_EQ(Shown(), before_);
    Create(RealPod("next", Slice(20, 1000)));
    ASSERT_TRUE(Runs("next"));
    ExpectOwnSlice("next");
    ExpectOwnSlice("slice");
    ExpectOwnSlice("other");
    ExpectOwnCards("cards", 2);
    EXPECT_EQ(Shown(), before_);
    ExpectNoAdmissionError();
  }

  const std::vector<std::string> kPodsThatRun{"slice", "other", "cards"};

 private:
  std::map<std::string, std::string> Shown() const {
    std::map<std::string, std::string> shown;
    for (const std::string& pod : kPodsThatRun) {
      const auto container = ContainerOf(pod);
      shown[pod] = Identity(pod) + " pid " +
                   (container ? std::to_string(container->pid) : std::string("none"));
      for (const json& partition : PartitionsOf(pod)) {
        shown[partition["metadata"]["name"]] =
            partition["metadata"]["uid"].get<std::string>() + partition["spec"].dump();
      }
    }
    return shown;
  }

  std::map<std::string, std::string> before_;
};

TEST_F(RestartTest, OfTheKubelet) {
  for (const char* how : {"kill", "stop"}) machine().RestartKubelet(how);
  ExpectNothingHappened();
}

TEST_F(RestartTest, OfContainerd) {
  for (const char* how : {"kill", "stop"}) {
    machine().Do(how, {"containerd"});
    machine().Do("start", {"containerd"});
  }
  ExpectNothingHappened();
}

TEST_F(RestartTest, OfTheController) {
  world().controller.reset();
  world().StartController();
  ExpectNothingHappened();
}

TEST_F(RestartTest, OfTheDaemonByAnotherBinary) {
  machine().KillDaemon();
  machine().ReplaceDaemonBinary();
  machine().StartDaemon();
  ASSERT_TRUE(DaemonIsReady());
  EXPECT_EQ(machine().StopDaemon(), 0) << machine().DaemonLog();
  machine().ReplaceDaemonBinary();
  machine().StartDaemon();
  ExpectNothingHappened();
}

TEST_F(RestartTest, OfKubeletAndDaemonTogether) {
  machine().KillDaemon();
  machine().RestartKubelet();
  machine().StartDaemon();
  ExpectNothingHappened();
}

TEST_F(RestartTest, LostVdevFilesAreWrittenAgain) {
  checker_.reset();  // it would report, and rightly, that they are not there
  machine().KillDaemon();
  const std::string folder = machine().folder() + "/etc/vdev";
  std::vector<std::filesystem::path> lost;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) lost.push_back(entry.path());
  }
  ASSERT_EQ(lost.size(), 4u);
  for (const auto& path : lost) std::filesystem::remove(path);
  machine().StartDaemon();
  ASSERT_TRUE(DaemonIsReady());
  ExpectFilesOfAssignments();
  checker_ = std::make_unique<Checker>(api(), machine());
  ExpectNothingHappened();
}

// The folders that containers have are gone for good: only a new container sees the new ones.
TEST_F(RestartTest, TheWholeFolderIsMadeAgainAndANewContainerSeesIt) {
  json pod = RealPod("again", Slice(10, 500));
  pod["spec"]["restartPolicy"] = "Always";
  Create(pod);
  ASSERT_TRUE(Runs("again"));
  checker_.reset();
  machine().KillDaemon();
  for (const auto& entry : std::filesystem::directory_iterator(machine().folder() + "/etc/vdev")) {
    std::filesystem::remove_all(entry.path());
  }
  machine().StartDaemon();
  ASSERT_TRUE(DaemonIsReady());
  ExpectFilesOfAssignments();
  const std::string before = Identity("again");
  End({"again"});
  ASSERT_TRUE(Eventually("its container was started again", [&] {
    return Identity("again") != before && Identity("again").ends_with("restarted 1");
  }));
  ASSERT_TRUE(Runs("again"));
  ExpectOwnSlice("again");
  for (const std::string& name : kPodsThatRun) Delete(name, true);
  Eventually("no container without its slice runs",
             [] { return RunningContainers(machine()).size() == 1; });
  checker_ = std::make_unique<Checker>(api(), machine());
}

class OwnedTest : public E2eTest {
 protected:
  static constexpr int kReplicas = 4;

  static json Slices() { return ReplicaSet("slices", kReplicas, RealPod("x", Slice(25, 9000))); }
  static json Cards() { return ReplicaSet("cards", 2, RealPod("x", kWholeCard)); }
};

TEST_F(OwnedTest, AfterARebootNewPodsRunAndNothingLeaks) {
  Create(Slices());
  Create(Cards());
  ASSERT_TRUE(OwnedRun(kReplicas + 2));
  machine().Do("reboot");
  StartAll();
  ASSERT_TRUE(DaemonIsReady());
  ASSERT_TRUE(OwnedRun(kReplicas + 2));
  ExpectFilesOfAssignments();
}

// The kubelet stands until pods are bound and the daemon has died: it admits them without a plugin,
// or with one that has just come back.
TEST_F(OwnedTest, TheDaemonIsAwayAtBind) {
  const pid_t kubelet = machine().Pid("kubelet");
  kill(kubelet, SIGSTOP);
  Create(Slices());
  Create(Cards());
  Eventually("all are bound", [] {
    size_t bound = 0;
    for (const json& pod : api().List(kPods)) bound += pod["spec"].contains("nodeName");
    return bound == kReplicas + 2;
  });
  machine().KillDaemon();
  kill(kubelet, SIGCONT);
  // What was bound is admitted now, and fails.
  Eventually("a pod has failed or waits for its plugin", [] {
    for (const json& pod : api().List(kPods)) {
      if (pod["status"].value("phase", "") == "Failed") return true;
    }
    return false;
  });
  StartAll();
  ASSERT_TRUE(OwnedRun(kReplicas + 2));
  ExpectFilesOfAssignments();
}

// A kubelet fails a pod for good that it admits without a plugin: so no pod may be bound before the
// kubelet has taken in the plugin's list. They are bare: nobody makes them anew.
TEST_F(OwnedTest, APodThatWaitedForDaemonOrKubeletIsNotFailedByThem) {
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(Advertises("32"));
    kill(machine().DaemonPid(), SIGSTOP);  // killed at once, the kubelet would soon offer nothing
    const auto pods = CreateSlices(8, "waited-" + std::to_string(round));
    Eventually("each has a partition", [&] { return api().List(kPartitions).size() == 8; });
    machine().KillDaemon();
    if (round == 2) machine().RestartKubelet();
    machine().StartDaemon();
    ASSERT_TRUE(Runs(pods));
    ExpectNoAdmissionError();
    for (const std::string& pod : pods) Delete(pod);
    Eventually("nothing is held", [] { return api().List(kPartitions).empty(); });
  }
}

TEST_F(RestartTest, ASecondDaemonOnTheHostEndsAndSaysWhy) {
  const world::Output second = machine().RunSecondDaemon();
  EXPECT_EQ(second.exit_code, 1);
  EXPECT_THAT(second.text, testing::HasSubstr("another vdcu-node runs on this host"));
  ExpectNothingHappened();
}

class AdmissionTest : public E2eTest {
 protected:
  // From now on, as the daemon's log shows them.
  class Allocations {
   public:
    Allocations() : log_(machine().DaemonLogFile(), std::ios::ate) {}
    int count() {
      for (std::string line; std::getline(log_, line);) {
        if (line.find(" allocated pod=default/many") != std::string::npos) ++count_;
      }
      log_.clear();
      return count_;
    }

   private:
    std::ifstream log_;
    int count_ = 0;
  };
};

TEST_F(AdmissionTest, TheKubeletIsKilledBetweenTwoContainersOfAPod) {
  constexpr size_t kContainers = 6;
  std::vector<json> containers;
  for (size_t i = 0; i < kContainers; ++i) {
    containers.push_back(
        RealContainer("c" + std::to_string(i), Slice(5 + static_cast<int>(i), 1000)));
  }
  for (int round = 0; round < 3; ++round) {
    Allocations allocations;
    const pid_t kubelet = machine().Pid("kubelet");
    Create(ReplicaSet("many", 1, PodOf("x", containers)));
    // No pause: from one container to the next are some milliseconds.
    const base::SystemClock clock;
    const base::TimePoint deadline = clock.Now() + std::chrono::seconds(60);
    while (allocations.count() == 0 && clock.Now() < deadline) continue;
    kill(kubelet, SIGKILL);
    std::cout << allocations.count() << " of " << kContainers
              << " containers had been allocated when the kubelet died\n";
    machine().Do("start", {"kubelet"});
    std::string name;
    ASSERT_TRUE(Eventually("all containers run", [&] {
      for (const json& pod : api().List(kPods)) {
        if (IsRunning(pod)) name = pod["metadata"]["name"];
      }
      return !name.empty() && api().List(kPartitions).size() == kContainers &&
             RunningContainers(machine()).size() == kContainers;
    }));
    for (const json& container : containers) ExpectOwnSlice(name, container["name"]);
    api().Call("DELETE",
               "/apis/apps/v1/namespaces/default/replicasets/many?propagationPolicy=Background");
    api().Call("DELETE", kPods);
    ASSERT_TRUE(Eventually("nothing is left", [] {
      return api().List(kPods).empty() && api().List(kPartitions).empty();
    }));
  }
}

double SecondsOf(const timespec& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

// The kubelet removes all sockets at its start: until the plugin is there again, pods in admission
// fail.
TEST_F(RestartTest, ThePluginRegistersSoonAfterTheKubeletsStart) {
  const std::string socket = machine().dir() + "/var/lib/kubelet/device-plugins/kubelet.sock";
  struct stat state{};
  ASSERT_EQ(stat(socket.c_str(), &state), 0);
  for (int round = 0; round < 3; ++round) {
    const double last = SecondsOf(state.st_ctim);
    machine().RestartKubelet();
    ASSERT_TRUE(Eventually("the socket is a new one", [&] {
      return stat(socket.c_str(), &state) == 0 && SecondsOf(state.st_ctim) > last;
    }));
    // The log has milliseconds, the file system's clock is coarser.
    const double made = SecondsOf(state.st_ctim) - 0.01;
    ASSERT_TRUE(Eventually("it has registered again",
                           [&] { return machine().Registrations().back() > made; }));
    const auto all = machine().Registrations();
    const double first = *std::upper_bound(all.begin(), all.end(), made);
    const double taken = first - SecondsOf(state.st_ctim);
    std::cout << "registered " << taken * 1000 << " ms after kubelet.sock was there\n";
    EXPECT_LT(taken, 4) << "it saw the socket, and did not wait for its next look, every 5 s";
  }
  ExpectNothingHappened();
}

}  // namespace
}  // namespace vdcu::e2e
