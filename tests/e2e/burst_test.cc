// Many pods at once on one node.
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "tests/e2e/e2e_test.h"

namespace vdcu::e2e {
namespace {

using nlohmann::json;
using world::kPods;

class BurstTest : public E2eTest {
 protected:
  std::vector<std::string> CreateCards(int count, const std::string& prefix) {
    std::vector<std::string> names;
    for (int i = 0; i < count; ++i) {
      names.push_back(prefix + "-" + std::to_string(i));
      Create(RealPod(names.back(), kWholeCard));
    }
    return names;
  }
  static std::vector<std::string> Join(std::vector<std::string> a,
                                       const std::vector<std::string>& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
  }
};

// What makes the other tests worth as much: the daemon's pod needs no rights on its host.
TEST_F(BurstTest, TheDaemonHasNoCapability) {
  const std::string process = "/proc/" + std::to_string(machine().DaemonPid());
  std::map<std::string, std::string> shown;
  std::ifstream status(process + "/status");
  for (std::string key, value; status >> key >> value;) shown[key] = value;
  for (const char* set : {"CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"}) {
    EXPECT_EQ(shown[set], "0000000000000000") << set;
  }
  EXPECT_EQ(shown["NoNewPrivs:"], "1");
  EXPECT_NE(
      std::filesystem::read_symlink(process + "/ns/pid"),
      std::filesystem::read_symlink("/proc/" + std::to_string(machine().Pid("init")) + "/ns/pid"));
}

TEST_F(BurstTest, AllRunWithTheirOwnSlices) {
  const base::SystemClock clock;
  const auto began = clock.Now();
  const auto slices = CreateSlices(16);
  const auto cards = CreateCards(4, "card");
  const auto more_slices = CreateSlices(8, "more-slice");
  const auto more_cards = CreateCards(4, "more-card");
  ASSERT_TRUE(Runs(Join(slices, cards)));
  const auto first = clock.Now() - began;
  EXPECT_EQ(machine().DcuNode()["status"].value("vdcus", ""), "32/32") << Scene();
  for (const auto& pod : Join(more_slices, more_cards)) Waits(pod);
  for (const std::string& pod : slices) ExpectOwnSlice(pod);
  for (const std::string& pod : cards) ExpectOwnCards(pod, 1);
  EXPECT_TRUE(Eventually("the checker has seen them all at once", [&] {
    return checker_->most_containers() >= slices.size() + cards.size();
  }));
  const auto ended = clock.Now();
  // First those whose room the slices take: spread over all cards they would leave too few whole.
  End(slices);
  ASSERT_TRUE(Runs(more_slices));
  End(cards);
  ASSERT_TRUE(Runs(more_cards));
  const auto second = clock.Now() - ended;
  for (const std::string& pod : more_slices) ExpectOwnSlice(pod);
  for (const std::string& pod : more_cards) ExpectOwnCards(pod, 1);
  for (const std::string& pod : Join(slices, cards)) HasPhase(pod, "Succeeded");
  ExpectNoAdmissionError();

  TearDown();
  SetUp();
  std::vector<std::string> plain;
  const auto plain_began = clock.Now();
  for (int i = 0; i < 32; ++i) {
    plain.push_back("plain-" + std::to_string(i));
    Create(On(kNode, RealPod(plain.back(), kNothing)));
  }
  ASSERT_TRUE(Runs(plain));
  const auto without = clock.Now() - plain_began;
  std::cout << "burst of 32 pods: the 20 that fit ran after " << first.count()
            << " ms, the 12 that waited " << second.count()
            << " ms after those had been told to end; without limits all ran after "
            << without.count() << " ms: ratio "
            << static_cast<double>((first + second).count()) / static_cast<double>(without.count())
            << "\n";
}

}  // namespace
}  // namespace vdcu::e2e
