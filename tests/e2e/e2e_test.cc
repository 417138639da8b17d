#include "tests/e2e/e2e_test.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <thread>

#include "tests/world/invariants.h"

namespace vdcu::e2e {

using nlohmann::json;
using world::Condition;
using world::kPartitions;
using world::kPods;
using world::Until;

namespace {

constexpr base::Duration kLook(100);
// A container runs, for the API, before its script has come to the end of what it prints.
std::string WholeLog(const std::function<std::string()>& read) {
  std::string log;
  Until(
      [&] {
        log = read();
        return log.ends_with("done\n");
      },
      std::chrono::seconds(60));
  return log;
}

const json& FirstStatus(const json& pod) {
  static const json kNone = json::object();
  const auto status = pod.find("status");
  if (status == pod.end() || !status->contains("containerStatuses")) return kNone;
  return (*status)["containerStatuses"][0];
}

}  // namespace

World::World()
    : ControlPlane({.with = {"kube-controller-manager"}}),
      machine(cluster, api,
              {.name = kNode,
               .host = {
                   .cards = 8, .model = "K100_AI", .serial_prefix = kNode, .real_devices = true}}) {
  if (const char* fields = std::getenv("VDCU_E2E_KUBELET")) machine.ConfigureKubelet(fields);
}

World& E2eTest::world() {
  static World one;
  return one;
}

void E2eTest::StartAll() {
  world().StartController();
  if (!machine().DaemonRuns()) machine().StartDaemon();
}

void E2eTest::SetUp() {
  if (geteuid() != 0) GTEST_SKIP() << "a simulated machine needs root: skipped";
  StartAll();
  ASSERT_TRUE(Eventually("pods have a service account", [] {
    return api().Find("/api/v1/namespaces/default/serviceaccounts", "default").is_object();
  }));
  ASSERT_TRUE(DaemonIsReady());
  ASSERT_TRUE(Advertises("32"));
  checker_ = std::make_unique<Checker>(api(), machine());
}

bool E2eTest::Advertises(const std::string& slots) {
  return Eventually("the kubelet advertises " + slots + " slots", [&] {
    const json node = api().Find("/api/v1/nodes", kNode);
    return node["status"]["allocatable"].value("hygon.com/dcunum", "") == slots;
  });
}

void E2eTest::TearDown() {
  if (!checker_) return;
  StartAll();
  for (const char* path : {world::kReplicaSets, world::kJobs, kPods, kPartitions}) {
    world::DeleteAll(api(), path);
  }
  Eventually("no pod is left", [] { return api().List(kPods).empty(); });
  Eventually("all partitions are gone", [] { return api().List(kPartitions).empty(); });
  Eventually("no file is left", [] { return machine().Files().empty(); });
  Eventually("no container runs", [] { return RunningContainers(machine()).empty(); });
  Eventually("all slots are free", [] {
    const json status = machine().DcuNode()["status"];
    return status.value("vdcus", "") == "0/32" && status.value("held", json::array()).empty();
  });
  Eventually("the checker has looked", [this] { return checker_->looks() > 0; });
  EXPECT_THAT(checker_->Breaches(), testing::IsEmpty());
  checker_.reset();
}

std::vector<std::string> E2eTest::CreateSlices(int count, const std::string& prefix) {
  constexpr int kCores[] = {5, 10, 15, 25};
  constexpr int kMebibytes[] = {16380, 1000, 4096, 2000, 8001};
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) {
    names.push_back(prefix + "-" + std::to_string(i));
    Create(RealPod(names.back(), Slice(kCores[i % 4], kMebibytes[i % 5])));
  }
  return names;
}

void E2eTest::Delete(const std::string& pod, bool force) {
  if (force) return world::Delete(api(), kPods, pod);
  const auto answer = api().Call("DELETE", std::string(kPods) + "/" + pod);
  EXPECT_LT(answer.code, 300) << answer.body.dump();
}

std::string E2eTest::UidOf(const std::string& pod) {
  const json object = FindPod(pod);
  return object.is_object() ? object["metadata"]["uid"].get<std::string>() : "";
}

std::vector<json> E2eTest::PartitionsOf(const std::string& pod) {
  const std::string uid = UidOf(pod);
  std::vector<json> found;
  for (json& partition : api().List(kPartitions)) {
    const json ref = partition["spec"].value("podRef", json::object());
    if (ref.value("uid", "") == uid) found.push_back(std::move(partition));
  }
  return found;
}

std::string E2eTest::Log(const std::string& pod, const std::string& container) {
  return api().Text(std::string(kPods) + "/" + pod + "/log?container=" + container);
}

std::string E2eTest::Identity(const std::string& pod) {
  const json object = FindPod(pod);
  const json& status = FirstStatus(object);
  return status.value("containerID", "") + " restarted " +
         std::to_string(status.value("restartCount", 0));
}

std::optional<RunningContainer> E2eTest::ContainerOf(const std::string& pod) {
  const std::string uid = UidOf(pod);
  for (RunningContainer& container : RunningContainers(machine())) {
    if (container.pod_uid == uid) return std::move(container);
  }
  return std::nullopt;
}

bool E2eTest::Eventually(const std::string& what, const std::function<bool()>& done,
                         base::Duration most) {
  const base::SystemClock clock;
  const base::TimePoint deadline = clock.Now() + most;
  bool did = done();
  // Lists of many pods take the API server's time.
  for (; !did && clock.Now() < deadline; did = done()) std::this_thread::sleep_for(kLook);
  EXPECT_TRUE(did) << "never came true: " << what << "\n" << Scene();
  return did;
}

bool E2eTest::Runs(const std::vector<std::string>& pods) {
  std::string missing;
  const bool did = Eventually("these pods run", [&] {
    missing.clear();
    const auto all = api().List(kPods);
    for (const std::string& pod : pods) {
      const bool runs = std::any_of(all.begin(), all.end(), [&](const json& object) {
        return object["metadata"]["name"] == pod && IsRunning(object);
      });
      if (!runs) missing += pod + " ";
    }
    return missing.empty();
  });
  EXPECT_EQ(missing, "") << "do not run";
  return did;
}

bool E2eTest::Waits(const std::string& pod) {
  return Eventually("pod " + pod + " waits for cards", [&] {
    const json condition = Condition(FindPod(pod), "PodScheduled");
    return condition.is_object() && condition["status"] == "False" &&
           condition["reason"] == "Unschedulable";
  });
}

bool E2eTest::IsGone(const std::string& pod) {
  return Eventually("pod " + pod + " is gone", [&] { return FindPod(pod).is_null(); });
}

bool E2eTest::HasPhase(const std::string& pod, const std::string& phase) {
  return Eventually("pod " + pod + " is " + phase, [&] {
    const json object = FindPod(pod);
    return object.is_object() && object["status"].value("phase", "") == phase;
  });
}

bool E2eTest::DaemonIsReady() {
  return Eventually("the daemon is ready", [] { return machine().Ready(); });
}

bool E2eTest::OwnedRun(size_t replicas) {
  return Eventually(std::to_string(replicas) + " replicas run, alone", [replicas] {
    const auto pods = api().List(kPods);
    const auto running = std::count_if(pods.begin(), pods.end(), [](const json& pod) {
      return IsRunning(pod) && !pod["metadata"].contains("deletionTimestamp");
    });
    return static_cast<size_t>(running) == replicas && api().List(kPartitions).size() == replicas &&
           RunningContainers(machine()).size() == replicas;
  });
}

void E2eTest::End(const std::vector<std::string>& pods) {
  std::vector<std::string> uids;
  for (const std::string& pod : pods) uids.push_back(UidOf(pod));
  for (const RunningContainer& container : RunningContainers(machine())) {
    if (std::find(uids.begin(), uids.end(), container.pod_uid) != uids.end()) {
      kill(container.pid, SIGTERM);
    }
  }
}

std::string E2eTest::NodesOf(const std::vector<json>& partitions) {
  std::string text = "opens /dev/kfd\nopens /dev/mkfd\n";
  std::vector<std::string> nodes;
  for (const json& partition : partitions) {
    for (const hosts::Card& card : machine().host().cards()) {
      const std::string device = partition["spec"]["assignment"]["device"];
      if (machine().host().Uuid(card.index) != device) continue;
      nodes.push_back("opens /dev/dri/card" + std::to_string(card.drm_minor) + "\n");
      nodes.push_back("opens /dev/dri/renderD" + std::to_string(128 + card.drm_minor) + "\n");
    }
  }
  std::sort(nodes.begin(), nodes.end());
  for (const std::string& node : nodes) text += node;
  return text + "done\n";
}

void E2eTest::ExpectOwnSlice(const std::string& pod, const std::string& container) {
  for (const json& partition : PartitionsOf(pod)) {
    if (partition["spec"]["podRef"]["container"] != container) continue;
    return ExpectSlice(pod, container, partition);
  }
  ADD_FAILURE() << "pod " << pod << " has no partition for container " << container;
}

void E2eTest::ExpectSlice(const std::string& pod, const std::string& container,
                          const json& partition) {
  const std::string want =
      machine().VdevFile(partition["spec"]["assignment"]) + NodesOf({partition});
  EXPECT_EQ(WholeLog([&] { return Log(pod, container); }), want) << pod << " " << container;
}

void E2eTest::ExpectOwnCards(const std::string& pod, size_t count) {
  const auto partitions = PartitionsOf(pod);
  EXPECT_EQ(partitions.size(), count) << pod;
  EXPECT_EQ(WholeLog([&] { return Log(pod); }), NodesOf(partitions)) << pod;
}

void E2eTest::ExpectNoAdmissionError() {
  for (const json& pod : api().List(kPods)) {
    EXPECT_NE(pod["status"].value("reason", ""), "UnexpectedAdmissionError") << pod.dump();
  }
}

void E2eTest::ExpectFilesOfAssignments() {
  std::vector<std::string> differences;
  Until([&] {
    differences = world::DifferencesOfFiles(api().List(kPartitions), machine());
    return differences.empty();
  });
  EXPECT_THAT(differences, testing::IsEmpty());
}

std::string E2eTest::Scene() {
  std::ostringstream text;
  text << world().cluster.Kubectl({"get", "pods,vdcu", "-o", "wide"}).text
       << world().cluster.Kubectl({"events"}).text << "controller:\n"
       << world().LogOf() << "daemon:\n"
       << machine().DaemonLog();
  return text.str();
}

}  // namespace vdcu::e2e
