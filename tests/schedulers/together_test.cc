// Everything at once on one cluster, for VDCU_TOGETHER_SECONDS: vdcu-scheduler with groups and
// preemption, kube-scheduler and Volcano with vdcu-controller as their extender, pods that are
// bound by hand, two real vdcu-node, and SIGKILL of controller and daemons. What is made, and who
// dies when, follows VDCU_TEST_SEED.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/schedulers/checker.h"
#include "tests/schedulers/kubelets.h"
#include "tests/schedulers/workload.h"
#include "tests/world/control_plane.h"
#include "tests/world/invariants.h"
#include "tests/world/objects.h"
#include "tests/world/schedulers.h"
#include "tests/world/worker.h"

namespace vdcu::schedulers {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using testing::IsEmpty;
using world::kPartitions;
using world::kPods;
using world::Worker;

constexpr char kPriorities[] = "/apis/scheduling.k8s.io/v1/priorityclasses";
// Twelve cards, of four slices each.
constexpr int kSlots = 48;
// A group of which some pods are bound, and others not, is looked at for so long: who takes over
// binds the rest.
constexpr base::Duration kWhole{60'000};

struct World : world::ControlPlane {
  World()
      : ControlPlane({.config = "advertising"}),
        four(cluster, api, "four", {.cards = 4, .model = "Z100L", .serial_prefix = "four"}, kParts),
        eight(cluster, api, "eight", {.cards = 8, .model = "Z100L", .serial_prefix = "eight"},
              kParts) {
    for (const auto& [name, value] : {std::pair("low", 10), {"high", 1000}}) {
      api.Call("POST", kPriorities, {{"metadata", {{"name", name}}}, {"value", value}});
    }
    StartController();
    volcano.StartControllers();
    volcano.StartScheduler(world::Volcano::kToday);
    scheduler = extender.StartScheduler();
  }

  static inline const std::vector<std::string> kParts{"--advertise-parts"};

  void StartController() {
    std::vector<std::string> flags = extender.Flags();
    const auto more = volcano.Flags();
    flags.insert(flags.end(), more.begin(), more.end());
    controller = MakeController("controller", flags);
  }
  std::vector<Worker*> workers() { return {&four, &eight}; }

  const world::KubeExtender extender{cluster};
  world::Volcano volcano{cluster};
  Worker four;
  Worker eight;
  std::unique_ptr<world::Background> scheduler;
};

// Kills one after the other, and starts it again a few seconds later.
class Killer {
 public:
  Killer(World& world, uint64_t seed) : world_(world), random_(seed) { SetNext(); }

  void Look() {
    const base::TimePoint now = clock_.Now();
    if (victim_.empty() && now >= next_) Kill();
    if (!victim_.empty() && now >= back_) Return();
    // Who takes over waits for the Lease to lapse.
    if (leaderless_ && world_.volcano.Leads()) {
      leaderless_ = false;
      outages_.back().end = now + kMargin;
      SetNext();
    }
  }
  // All runs, and nobody is killed any more.
  bool Rest() {
    next_ = base::TimePoint::max();
    back_ = {};
    Look();
    return victim_.empty() && !leaderless_;
  }
  int deaths() const { return static_cast<int>(outages_.size()); }
  // Somebody was dead meanwhile, or had just come back.
  bool Explains(base::TimePoint begin, base::TimePoint end) const {
    return std::any_of(outages_.begin(), outages_.end(), [&](const Outage& outage) {
      return outage.begin <= end && begin <= outage.end;
    });
  }

 private:
  static constexpr base::Duration kMargin{5'000};
  // A daemon that is dead for a while is silent: the node is doubted, and then trusted again.
  static constexpr base::Duration kDaemonMargin{15'000};
  struct Outage {
    base::TimePoint begin{};
    base::TimePoint end = base::TimePoint::max();
  };

  int Pick(int count) { return static_cast<int>(random_() % static_cast<uint64_t>(count)); }
  void SetNext() { next_ = clock_.Now() + seconds(20 + Pick(40)); }
  void Kill() {
    constexpr const char* kVictims[] = {"controller", "controller", "four", "eight"};
    victim_ = kVictims[Pick(4)];
    std::cout << "SIGKILL of " << victim_ << std::endl;
    outages_.push_back({clock_.Now()});
    back_ = clock_.Now() + seconds(Pick(4));
    if (victim_ == "controller") world_.controller.reset();
    for (Worker* worker : world_.workers()) {
      if (worker->name() == victim_) worker->Kill();
    }
  }
  void Return() {
    leaderless_ = victim_ == "controller";
    if (leaderless_) {
      world_.StartController();
    } else {
      for (Worker* worker : world_.workers()) {
        if (worker->name() == victim_) worker->Start();
      }
      outages_.back().end = clock_.Now() + kDaemonMargin;
      SetNext();
    }
    victim_.clear();
  }

  World& world_;
  std::mt19937_64 random_;
  const base::SystemClock clock_;
  std::string victim_;  // who is dead; empty: nobody
  bool leaderless_ = false;
  base::TimePoint next_{};
  base::TimePoint back_{};
  std::vector<Outage> outages_;
};

class TogetherTest : public testing::Test {
 protected:
  static World& world() {
    static World one;
    return one;
  }
  static const world::Api& api() { return world().api; }
  static std::vector<const world::NodeHost*> hosts() { return {&world().four, &world().eight}; }

  void SetUp() override {
    for (const Worker* worker : world().workers()) {
      ASSERT_TRUE(
          Eventually(worker->name() + " published its cards", [&] { return worker->Published(); }));
    }
    ASSERT_TRUE(Eventually("the controller answers", [] { return world().volcano.Leads(); }));
  }
  static bool Eventually(const std::string& what, const std::function<bool()>& done) {
    const bool did = world::Until(done);
    EXPECT_TRUE(did) << "never came true: " << what << "\n" << Logs();
    return did;
  }
  static std::string Logs() {
    std::string logs;
    for (const char* name :
         {"controller", "kube-scheduler", "scheduler", "controller-manager", "four", "eight"}) {
      logs += std::string(name) + ":\n" + world().LogOf(name);
    }
    return logs;
  }
};

// What goes on for all that time.
class Story {
 public:
  Story(World& world, uint64_t seed)
      : world_(world),
        kubelets_(world.api),
        workload_(world.api, {"four", "eight"}, seed),
        killer_(world, seed + 1),
        checker_(world.api, world.cluster.folder() + "/story", {&world.four, &world.eight}) {}

  Workload& workload() { return workload_; }
  Killer& killer() { return killer_; }
  const Kubelets& kubelets() const { return kubelets_; }
  const Checker& checker() const { return checker_; }

  // One look at everything; false: something is wrong.
  bool Look() {
    const auto pods = world_.api.List(kPods);
    kubelets_.Look(pods);
    workload_.Tidy(pods);
    EXPECT_THAT(checker_.Look(), IsEmpty());
    EXPECT_THAT(LongInPart(pods), IsEmpty());
    return !testing::Test::HasFailure();
  }
  // Pods that have failed though nobody was killed: only one that was bound by hand to a node that
  // was full may, and says so.
  std::vector<std::string> WronglyFailed() const {
    std::vector<std::string> wrong;
    for (const Kubelets::Failed& failed : kubelets_.failed()) {
      const bool full = failed.pod.starts_with("hand") && failed.why == "NoRoom";
      if (full || killer_.Explains(failed.since, failed.since + seconds(10))) continue;
      wrong.push_back(failed.pod + ": " + failed.why);
    }
    return wrong;
  }

 private:
  // Works of which some pods are bound, and others are not.
  std::vector<std::string> LongInPart(const std::vector<json>& pods) {
    std::map<std::string, int> bound;
    for (const json& pod : pods) bound[WorkOf(pod)] += pod["spec"].contains("nodeName") ? 1 : 0;
    std::vector<std::string> wrong;
    for (const auto& [name, work] : workload_.works()) {
      if (bound[name] == 0 || bound[name] >= work.members) {
        in_part_.erase(name);
        continue;
      }
      const auto since = in_part_.emplace(name, clock_.Now()).first->second;
      if (clock_.Now() - since > kWhole) wrong.push_back(name + " is bound in part");
    }
    return wrong;
  }

  World& world_;
  const base::SystemClock clock_;
  Kubelets kubelets_;
  Workload workload_;
  Killer killer_;
  Checker checker_;
  std::map<std::string, base::TimePoint> in_part_;
};

void ExpectThatAllHasHappened(Story& story) {
  const Kubelets& kubelets = story.kubelets();
  std::cout << json(kubelets.admitted()).dump() << " pods admitted, " << story.checker().grants()
            << " slices granted, " << kubelets.evicted() << " pods evicted, "
            << kubelets.failed().size() << " failed, " << story.killer().deaths() << " deaths\n";
  for (const char* kind : {"ours", "kube", "hand", "high", "group", "gang"}) {
    EXPECT_TRUE(kubelets.admitted().contains(kind)) << kind;
  }
  EXPECT_GT(kubelets.evicted(), 0);
  EXPECT_GT(story.killer().deaths(), 0);
}

// The daemon refuses it.
TEST_F(TogetherTest, TheCheckerSeesWhatIsGrantedTwice) {
  Checker checker(api(), world().cluster.folder() + "/twice", hosts());
  world::Create(api(),
                world::Pod("first", {{"dcunum", "1"}, {"dcucores", "25"}, {"dcumem", "64"}}));
  ASSERT_TRUE(Eventually("it has its slice", [] { return world::CountBound(api()) == 1; }));
  EXPECT_THAT(checker.Look(), IsEmpty());
  json again = api().List(kPartitions).front();
  again["metadata"] = {{"name", "again"}};
  again.erase("status");
  again["spec"]["podRef"]["uid"] = "of-nobody";
  world::Create(api(), again, world::kControllerUser);
  std::vector<std::string> breaches;
  EXPECT_TRUE(Eventually("it is seen", [&] {
    breaches = checker.Look();
    return !breaches.empty();
  }));
  EXPECT_THAT(breaches, testing::Contains(testing::HasSubstr("a unit is granted twice")));
  for (const char* path : {kPods, kPartitions}) world::DeleteAll(api(), path);
  EXPECT_TRUE(Eventually("all is gone", [] { return api().List(kPartitions).empty(); }));
}

TEST_F(TogetherTest, NothingIsGrantedTwiceGroupsAreWholeAndAllThatFitsIsPlaced) {
  const char* given = std::getenv("VDCU_TEST_SEED");
  const uint64_t seed =
      given == nullptr ? std::random_device()() : std::strtoull(given, nullptr, 10);
  std::cout << "VDCU_TEST_SEED=" << seed << std::endl;
  const char* limit = std::getenv("VDCU_TOGETHER_SECONDS");
  Story story(world(), seed);
  const base::SystemClock clock;
  const auto end = clock.Now() + seconds(limit == nullptr ? 600 : std::atoi(limit));
  while (clock.Now() < end && story.Look()) {
    story.killer().Look();
    story.workload().Act();
    std::this_thread::sleep_for(base::Duration(50));  // the pace of those who make pods
  }
  ASSERT_TRUE(Eventually("all run", [&] { return story.Look() && story.killer().Rest(); }));
  story.workload().Shrink(kSlots - 8);
  EXPECT_TRUE(Eventually("all that is left is placed, and has its slices", [&] {
    size_t wanted = 0;
    for (const auto& [name, work] : story.workload().works()) wanted += work.members;
    return story.Look() && api().List(kPods).size() == wanted &&
           world::CountBound(api()) == wanted && world::DifferencesOfSlices(api()).empty();
  })) << testing::PrintToString(world::DifferencesOfSlices(api()));
  EXPECT_THAT(story.WronglyFailed(), IsEmpty());
  EXPECT_THAT(story.checker().BoundTooEarly(), IsEmpty());
  story.workload().DropAll();
  EXPECT_TRUE(Eventually("slices are gone with their pods", [&] {
    return story.Look() && api().List(kPods).empty() && api().List(kPartitions).empty() &&
           world().four.Files().empty() && world().eight.Files().empty();
  }));
  ExpectThatAllHasHappened(story);
}

}  // namespace
}  // namespace vdcu::schedulers
