// tests/regress/unit/pod_of_many_cards_test.cc, as it was met: one pod filled the controller's
// memory, and others were not placed.
#include <fstream>

#include "tests/integration/placement_fixture.h"

namespace vdcu::integration {
namespace {

using nlohmann::json;

// VmHWM, the most that it ever had, in MiB.
int PeakMemory(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  std::string word;
  while (status >> word && word != "VmHWM:") {
  }
  int kib = 0;
  status >> kib;
  return kib / 1024;
}

class PodOfManyCardsTest : public PlacementTest {};

TEST_F(PodOfManyCardsTest, IsToldWhyAndHoldsNobodyUp) {
  std::string names;
  for (int i = 0; i < 60; ++i)
    names += "some-long-name-of-a-card-that-does-not-exist-" + std::to_string(i) + ",";
  json greedy = Pod("greedy", {{"dcunum", "64"}}, {{"hygon.com/use-dcutype", names}});
  for (int i = 1; i < 200; ++i) {
    greedy["spec"]["containers"].push_back(Container("c" + std::to_string(i), {{"dcunum", "64"}}));
  }
  const int before = PeakMemory(world().controller->pid());
  Create(greedy);
  Create(Pod("modest", {{"dcunum", "1"}, {"dcumem", "1000"}, {"dcucores", "10"}}));
  EXPECT_NE(Bound("modest"), "");
  EXPECT_TRUE(Waits("greedy", "SchedulerError", "12800 whole cards together: at most 64"));
  EXPECT_LT(PeakMemory(world().controller->pid()), before + 32);
}

}  // namespace
}  // namespace vdcu::integration
