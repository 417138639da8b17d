// Pods come and go at random while daemon, controller and kubelet are killed at random.
// VDCU_TEST_SEED runs the same again, VDCU_E2E_ROUNDS says how long (default 200).
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/e2e/e2e_test.h"

namespace vdcu::e2e {
namespace {

using nlohmann::json;
using world::kPods;

constexpr char kSlicesPath[] = "/apis/apps/v1/namespaces/default/replicasets/slices";

class ChurnTest : public E2eTest {
 protected:
  static constexpr int kMostPods = 20;

  int Below(int end) { return static_cast<int>(random_() % static_cast<uint64_t>(end)); }

  json RandomPod(const std::string& name) {
    switch (Below(6)) {
      case 0:
        return RealPod(name, kWholeCard);
      case 1:
        return RealPod(name, kTwoCards);
      case 2:
        return PodOf(name, {RealContainer("main", Slice(1 + Below(30), 1000)),
                            RealContainer("side", Slice(1 + Below(30), 2000))});
      default:
        return RealPod(name, Slice(1 + Below(100), 500 + Below(30000)));
    }
  }

  // A name that is free may be one that was used before.
  void CreateOne() {
    const std::string name = "p-" + std::to_string(Below(kMostPods));
    if (std::find(pods_.begin(), pods_.end(), name) != pods_.end()) return;
    if (!FindPod(name).is_null()) return;
    Create(RandomPod(name));
    pods_.push_back(name);
  }

  void RemoveOne() {
    if (pods_.empty()) return;
    const auto at = pods_.begin() + Below(static_cast<int>(pods_.size()));
    switch (Below(3)) {
      case 0:
        End({*at});
        break;  // it stays as an object, and is removed another time
      default:
        Delete(*at, Below(2) == 0);
        pods_.erase(at);
    }
  }

  void Scale() { api().Call("PATCH", kSlicesPath, {{"spec", {{"replicas", 1 + Below(5)}}}}); }

  void KillOne() {
    switch (Below(3)) {
      case 0:
        machine().KillDaemon();
        break;
      case 1:
        world().controller.reset();
        break;
      default:
        machine().RestartKubelet();
    }
    if (Below(2) == 0) StartAll();
  }

  void Round() {
    const int dice = Below(20);
    if (dice < 9) {
      CreateOne();
    } else if (dice < 15) {
      RemoveOne();
    } else if (dice < 17) {
      Scale();
    } else {
      KillOne();
    }
    // Whoever is away comes back within some rounds.
    if (Below(4) == 0) StartAll();
    std::this_thread::sleep_for(base::Duration(Below(300)));
  }

  std::mt19937_64 random_;
  std::vector<std::string> pods_;
};

TEST_F(ChurnTest, NothingIsInTwoHandsAndOwnedPodsRunInTheEnd) {
  const char* given = std::getenv("VDCU_TEST_SEED");
  const uint64_t seed =
      given == nullptr ? std::random_device()() : std::strtoull(given, nullptr, 10);
  const char* limit = std::getenv("VDCU_E2E_ROUNDS");
  const int rounds = limit == nullptr ? 200 : std::atoi(limit);
  SCOPED_TRACE("VDCU_TEST_SEED=" + std::to_string(seed));
  std::cout << rounds << " rounds from VDCU_TEST_SEED=" << seed << "\n";
  random_.seed(seed);
  Create(ReplicaSet("slices", 3, RealPod("x", Slice(20, 4000))));
  Create(ReplicaSet("cards", 1, RealPod("x", kWholeCard)));
  Create(Job("work", 4, RealPod("x", Slice(10, 1000))));
  for (int round = 0; round < rounds && !HasFailure(); ++round) {
    Round();
    const auto breaches = checker_->Breaches();
    ASSERT_THAT(breaches, testing::IsEmpty()) << "round " << round << "\n" << Scene();
  }
  StartAll();
  ASSERT_TRUE(DaemonIsReady());
  api().Call("PATCH", kSlicesPath, {{"spec", {{"replicas", 4}}}});
  for (const std::string& pod : pods_) Delete(pod, true);
  ASSERT_TRUE(Eventually(
      "the job is complete",
      [] {
        const auto jobs = api().List("/apis/batch/v1/namespaces/default/jobs");
        return jobs.at(0)["status"].value("succeeded", 0) == 4;
      },
      std::chrono::seconds(400)));
  ASSERT_TRUE(OwnedRun(5));
  for (const json& pod : api().List(kPods)) {
    if (pod["status"]["phase"] != "Running") continue;
    const std::string name = pod["metadata"]["name"];
    if (name.starts_with("slices")) ExpectOwnSlice(name);
    if (name.starts_with("cards")) ExpectOwnCards(name, 1);
  }
  std::cout << checker_->looks() << " looks at files and containers, at most "
            << checker_->most_containers() << " containers at once\n";
}

}  // namespace
}  // namespace vdcu::e2e
