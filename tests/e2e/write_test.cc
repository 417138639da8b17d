// SIGKILL of the daemon at each of its writes: a pod with a slice and one with a whole card run all
// the same in the end, each with its own, and when they are gone nothing is left.
#include <filesystem>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include "tests/e2e/proxied_test.h"
#include "tests/world/invariants.h"

namespace vdcu::e2e {
namespace {

using nlohmann::json;
using world::kPartitions;
using world::kPods;

constexpr char kSets[] = "/apis/apps/v1/namespaces/default/replicasets";

class WriteTest : public ProxiedTest {
 protected:
  // A death shows, and the daemon is started again.
  bool Reach(const std::string& what, const std::function<bool()>& done) {
    return Eventually(what, [&] {
      if (!machine().DaemonRuns()) {
        ++deaths_;
        machine().StartDaemon({.kubeconfig = ProxiedKubeconfig()});
      }
      return done();
    });
  }

  // A pod that was in admission while no plugin was there fails, and its owner makes another.
  void Story() {
    deaths_ = 0;
    Create(ReplicaSet("slice", 1, RealPod("x", Slice(15, 2000))));
    Create(ReplicaSet("card", 1, RealPod("x", kWholeCard)));
    ASSERT_TRUE(Reach("both run", [this] { return BothRun(); }));
    for (const json& pod : Running()) {
      const std::string name = pod["metadata"]["name"];
      if (name.starts_with("slice")) {
        ExpectOwnSlice(name);
      } else {
        ExpectOwnCards(name, 1);
      }
    }
    EXPECT_THAT(world::DifferencesOfFiles(api().List(kPartitions), machine()), testing::IsEmpty());
    for (const char* path : {kSets, kPods}) {
      api().Call("DELETE", std::string(path) + "?propagationPolicy=Background");
    }
    ASSERT_TRUE(Reach("nothing is left", [] {
      return api().List(kPartitions).empty() && machine().Files().empty() &&
             RunningContainers(machine()).empty() && api().List(kPods).empty();
    }));
    EXPECT_THAT(checker_->Breaches(), testing::IsEmpty());
  }

  int deaths_ = 0;

 private:
  static std::vector<json> Running() {
    std::vector<json> running;
    for (json& pod : api().List(kPods)) {
      const json statuses = pod["status"].value("containerStatuses", json::array());
      if (!statuses.empty() && statuses[0].value("ready", false)) running.push_back(std::move(pod));
    }
    return running;
  }

  bool BothRun() const {
    return Running().size() == 2 && api().List(kPartitions).size() == 2 &&
           world::DifferencesOfFiles(api().List(kPartitions), machine()).empty();
  }
};

// Between two changes of files nothing else is kept, so that after the one is before the next.
TEST_F(WriteTest, TheDaemonIsKilledBeforeEachChangeOfItsFiles) {
  const std::string library = world().cluster.folder() + "/die-at-write.so";
  std::filesystem::copy_file(VDCU_DIE_AT_WRITE_LIBRARY, library,
                             std::filesystem::copy_options::overwrite_existing);
  int nth = 1;
  for (deaths_ = 1; deaths_ == 1 && !HasFailure(); ++nth) {
    SCOPED_TRACE("change " + std::to_string(nth));
    machine().KillDaemon();
    machine().StartDaemon(
        {.environment = {"LD_PRELOAD=" + library, "VDCU_DIE_AT_WRITE=" + std::to_string(nth)},
         .kubeconfig = ProxiedKubeconfig()});
    Story();
  }
  EXPECT_EQ(deaths_, 0);
  EXPECT_GE(nth, 12);
  std::cout << nth - 2 << " changes of files\n";
}

TEST_F(WriteTest, TheDaemonIsKilledAtEachOfItsApiWrites) {
  for (const char* when : {"kill-before", "kill-after"}) {
    int nth = 1;
    for (bool fired = true; fired && !HasFailure(); ++nth) {
      SCOPED_TRACE(std::string(when) + " write " + std::to_string(nth));
      StartProxied();
      proxy().Plan(
          {json{{"client", "daemon"}, {"nth", nth}, {"do", when}, {"pid", machine().DaemonPid()}}});
      Story();
      fired = proxy().Record().fired.at(0) == 1;
      // The last write comes when the story is told already, and the death after it.
      if (fired) Reach("the daemon has died", [this] { return deaths_ == 1; });
    }
    EXPECT_GE(nth, 6);
    std::cout << nth - 2 << " writes, " << when << "\n";
  }
}

}  // namespace
}  // namespace vdcu::e2e
