// Both names of the resource at once: the same cards are below them.
#include <string>
#include <vector>

#include "tests/e2e/e2e_test.h"
#include "tests/world/invariants.h"

namespace vdcu::e2e {
namespace {

using nlohmann::json;
using world::kPartitions;
using world::kPods;

const std::vector<std::string> kBothNames{"--resource-names", "hygon.com/dcunum,hygon.com/hcunum"};

// The same limits by the other name.
Limits Hcu(const Limits& limits) {
  Limits renamed;
  for (const auto& [name, value] : limits) renamed["h" + name.substr(1)] = value;
  return renamed;
}

class NamesTest : public E2eTest {
 protected:
  void SetUp() override {
    E2eTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    Restart(kBothNames);
    ASSERT_TRUE(Advertises("hygon.com/dcunum", "32"));
    ASSERT_TRUE(Advertises("hygon.com/hcunum", "32"));
  }
  // SIGKILL: the sockets stay.
  void TearDown() override {
    if (checker_) Restart({});
    E2eTest::TearDown();
  }

  void Restart(const std::vector<std::string>& flags) {
    machine().KillDaemon();
    machine().StartDaemon({.flags = flags});
    ASSERT_TRUE(DaemonIsReady());
  }
  bool Advertises(const std::string& name, const std::string& slots) {
    return Eventually("the kubelet advertises " + slots + " " + name, [&] {
      const json node = api().Find("/api/v1/nodes", kNode);
      return node["status"]["allocatable"].value(name, "") == slots;
    });
  }
  // Cards and vdev numbers, as the objects say; the checker looks at the containers.
  void ExpectNothingTwice() {
    EXPECT_THAT(world::BreachesOfObjects(api().List(kPartitions), {&machine()}),
                testing::IsEmpty());
    EXPECT_THAT(checker_->Breaches(), testing::IsEmpty());
  }
};

TEST_F(NamesTest, EachOfThemGetsWhatTheOtherLeaves) {
  const std::vector<std::string> slices{"dcu-0", "hcu-0", "dcu-1", "hcu-1"};
  Create(RealPod("cards", Hcu({{"dcunum", "6"}})));
  for (const std::string& name : slices) {
    const Limits half = Slice(50, 30000);
    Create(RealPod(name, name.starts_with("h") ? Hcu(half) : half));
  }
  ASSERT_TRUE(Runs("cards"));
  ASSERT_TRUE(Runs(slices));
  ExpectOwnCards("cards", 6);
  for (const std::string& name : slices) ExpectOwnSlice(name);
  ExpectNothingTwice();

  // 64 ids are advertised, and all units are taken.
  Create(RealPod("late-dcu", Slice(50, 30000)));
  Create(RealPod("late-hcu", Hcu(Slice(50, 30000))));
  ASSERT_TRUE(Waits("late-dcu"));
  ASSERT_TRUE(Waits("late-hcu"));
  Delete("hcu-0");
  Delete("dcu-1");
  ASSERT_TRUE(Runs(std::vector<std::string>{"late-dcu", "late-hcu"}));
  for (const char* name : {"late-dcu", "late-hcu", "dcu-0", "hcu-1"}) ExpectOwnSlice(name);
  ExpectNothingTwice();
  ExpectNoAdmissionError();
}

TEST_F(NamesTest, OneInEachContainerOfAPod) {
  Create(
      PodOf("both", {RealContainer("old", Slice(15, 2000)),
                     RealContainer("new", Hcu(Slice(25, 3000))), RealContainer("none", kNothing)}));
  ASSERT_TRUE(Runs("both"));
  ExpectOwnSlice("both", "old");
  ExpectOwnSlice("both", "new");
  Eventually("the third has nothing", [] { return Log("both", "none") == "done\n"; });
  ExpectNothingTwice();

  // The daemon comes back without the newer name, and leaves its pod alone.
  const std::string identity = Identity("both");
  Restart({});
  ASSERT_TRUE(Advertises("hygon.com/hcunum", "0"));
  Create(RealPod("next", Slice(60, 1000)));
  ASSERT_TRUE(Runs(std::vector<std::string>{"both", "next"}));
  ExpectOwnSlice("next");
  EXPECT_EQ(Identity("both"), identity);
  ExpectNothingTwice();
}

}  // namespace
}  // namespace vdcu::e2e
