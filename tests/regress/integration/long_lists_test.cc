// 300 pods of 1 MB kept a restarted controller from placing ("longer than 268435456 bytes", for
// ever), and an answer without end took 924 MiB in 4 s. Right: pages get shorter until they fit,
// and what lists have in memory is bounded.
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "tests/faults/fault_test.h"

namespace vdcu::faults {
namespace {

using nlohmann::json;
using std::chrono::seconds;

class LongListsTest : public FaultTest {
 protected:
  // Of the controller's memory, the most that there ever was.
  size_t MostMiB() const {
    std::ifstream file("/proc/" + std::to_string(PidOf("controller")) + "/status");
    for (std::string line; std::getline(file, line);) {
      if (line.starts_with("VmHWM:")) return std::stoul(line.substr(6)) / 1024;
    }
    ADD_FAILURE() << "no VmHWM";
    return 0;
  }
};

// Another scheduler's, which nobody places.
json BigPod(int number) {
  json pod = world::Pod("big-" + std::to_string(number), {});
  pod["spec"]["schedulerName"] = "nobody";
  pod["spec"]["containers"][0]["args"] = {std::string(1'000'000, 'x')};
  return pod;
}

TEST_F(LongListsTest, PodsOfAMegabyteEachDoNotKeepTheControllerFromPlacing) {
  // More than one answer may have, and all answers together.
  for (int i = 0; i < 70; ++i) Create(BigPod(i));
  StartAnew();
  Create(world::Pod("slice", kSlice));
  Bound("slice");
  EXPECT_LT(MostMiB(), 110u);
}

TEST_F(LongListsTest, AnswersWithoutEndDoNotFillTheMemory) {
  proxy().Plan({json{{"client", "controller"}, {"method", "GET"}, {"do", "endless"}}});
  StartAnew();
  // Pages of each kind have become as short as can be, which says so, and are asked for again.
  Reach("lists are answered without end until nothing shorter is left", [] {
    return proxy().Record().fired[0] >= 60 &&
           world().LogOf("controller").find("a single object, the first") != std::string::npos;
  });
  EXPECT_LT(MostMiB(), 250u);
  proxy().Plan({});
  Create(world::Pod("slice", kSlice));
  Bound("slice");
  EXPECT_EQ(deaths_, 0);
}

}  // namespace
}  // namespace vdcu::faults
