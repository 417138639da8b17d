// Many pods at once on one node.
#include <chrono>
#include <iostream>
#include <string>
#include <vector>

#include "tests/e2e/e2e_test.h"

namespace vdcu::e2e {
namespace {

using integration::kPods;
using nlohmann::json;

class BurstTest : public E2eTest {
 protected:
  static constexpr int kSlices = 16;
  static constexpr int kCards = 4;
  static constexpr int kMoreSlices = 8;
  static constexpr int kMoreCards = 4;

  static std::string Name(const std::string& kind, int index) {
    return kind + (index < 10 ? "-0" : "-") + std::to_string(index);
  }
  static std::vector<std::string> Names(const std::string& kind, int count) {
    std::vector<std::string> names;
    for (int i = 0; i < count; ++i) names.push_back(Name(kind, i));
    return names;
  }
  static std::vector<std::string> Join(std::vector<std::string> a,
                                       const std::vector<std::string>& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
  }
  // Four of any of these fit on one card.
  static Limits SliceOf(int index) {
    constexpr int kCores[] = {5, 10, 15, 25};
    constexpr int kMebibytes[] = {16380, 1000, 4096, 2000, 8001};
    return Slice(kCores[index % 4], kMebibytes[index % 5]);
  }

  void CreateSlices(const std::string& kind, int count) {
    for (int i = 0; i < count; ++i) Create(RealPod(Name(kind, i), SliceOf(i)));
  }
  void CreateCards(const std::string& kind, int count) {
    for (int i = 0; i < count; ++i) Create(RealPod(Name(kind, i), kWholeCard));
  }
};

TEST_F(BurstTest, AllRunWithTheirOwnSlices) {
  const auto slices = Names("slice", kSlices);
  const auto cards = Names("card", kCards);
  const auto more_slices = Names("more-slice", kMoreSlices);
  const auto more_cards = Names("more-card", kMoreCards);
  const base::SystemClock clock;
  const auto began = clock.Now();
  CreateSlices("slice", kSlices);
  CreateCards("card", kCards);
  CreateSlices("more-slice", kMoreSlices);
  CreateCards("more-card", kMoreCards);
  ASSERT_TRUE(Runs(Join(slices, cards)));
  const auto first = clock.Now() - began;
  EXPECT_EQ(machine().DcuNode()["status"].value("vdcus", ""), "32/32") << Scene();
  for (const auto& pod : Join(more_slices, more_cards)) Waits(pod);
  for (const std::string& pod : slices) ExpectOwnSlice(pod);
  for (const std::string& pod : cards) ExpectOwnCards(pod, 1);
  const auto ended = clock.Now();
  End(Join(slices, cards));
  ASSERT_TRUE(Runs(Join(more_slices, more_cards)));
  const auto second = clock.Now() - ended;
  for (const std::string& pod : more_slices) ExpectOwnSlice(pod);
  for (const std::string& pod : more_cards) ExpectOwnCards(pod, 1);
  for (const std::string& pod : Join(slices, cards)) HasPhase(pod, "Succeeded");
  ExpectNoAdmissionError();
  EXPECT_GE(checker_->most_containers(), slices.size() + cards.size());

  TearDown();
  SetUp();
  const auto plain = Names("plain", 32);
  const auto plain_began = clock.Now();
  for (const std::string& pod : plain) Create(On(kNode, RealPod(pod, kNothing)));
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
