// What takes too long for each run of the tests: each write refused in each way, alone; and stories
// with several faults at random. VDCU_TEST_SEED runs one of those again, VDCU_SOAK_SECONDS says for
// how long they go on.
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include "tests/faults/fault_test.h"

namespace vdcu::faults {
namespace {

using nlohmann::json;
using testing::ElementsAre;

constexpr int kCodes[] = {409, 410, 429, 500, 503};

class SoakTest : public FaultTest {
 protected:
  // One to four faults, at most one death of each process.
  std::vector<json> RandomRules(std::mt19937_64& random) {
    const auto below = [&](int end) { return static_cast<int>(random() % end); };
    std::vector<json> rules;
    for (const char* client : {"controller", "daemon"}) {
      const auto nth = [&] { return 1 + below(Undisturbed().writes.at(client)); };
      if (below(2) == 0) {
        rules.push_back({{"client", client},
                         {"nth", nth()},
                         {"do", below(2) == 0 ? "kill-before" : "kill-after"},
                         {"pid", PidOf(client)}});
      }
      if (below(2) == 0) rules.push_back({{"client", client}, {"nth", nth()}, {"do", "lose"}});
      rules.push_back({{"client", client},
                       {"nth", nth()},
                       {"do", "answer"},
                       {"code", kCodes[below(std::size(kCodes))]},
                       {"retryAfter", below(2)}});
    }
    return rules;
  }

  void RunWithSeed(uint64_t seed) {
    SCOPED_TRACE("VDCU_TEST_SEED=" + std::to_string(seed));
    std::mt19937_64 random(seed);
    StartAnew();
    const std::vector<json> rules = RandomRules(random);
    const json watches{{"duplicate", random() % 2 == 0}, {"delayMS", random() % 3 * 20}};
    SCOPED_TRACE(json(rules).dump() + watches.dump());
    const int cut_at = static_cast<int>(random() % kParts);
    const bool in_the_middle = random() % 2 == 0;
    proxy().Plan(rules, watches);
    ExpectTheSameEnd({.after = [&](int part) {
      if (part == cut_at) proxy().CutWatches(in_the_middle);
    }});
  }
};

TEST_F(SoakTest, EachWriteAloneIsAnsweredWithAnError) {
  Undisturbed();
  for (const auto& [client, writes] : Undisturbed().writes) {
    for (const int code : kCodes) {
      for (int nth = 1; nth <= writes && !HasFailure(); ++nth) {
        SCOPED_TRACE(client + ": " + std::to_string(code) + " to write " + std::to_string(nth));
        proxy().Plan({json{{"client", client}, {"nth", nth}, {"do", "answer"}, {"code", code}}});
        ExpectTheSameEnd();
        EXPECT_THAT(proxy().Record().fired, ElementsAre(1));
        EXPECT_EQ(deaths_, 0);
      }
    }
  }
}

TEST_F(SoakTest, SeveralFaultsAtRandom) {
  Undisturbed();
  const char* given = std::getenv("VDCU_TEST_SEED");
  if (given != nullptr) return RunWithSeed(std::strtoull(given, nullptr, 10));
  const char* limit = std::getenv("VDCU_SOAK_SECONDS");
  const base::SystemClock clock;
  const auto end = clock.Now() + std::chrono::seconds(limit == nullptr ? 600 : std::atoi(limit));
  int stories = 0;
  uint64_t seed = std::random_device()();
  std::cout << "from VDCU_TEST_SEED=" << seed << "\n";
  for (; clock.Now() < end && !HasFailure(); ++stories) RunWithSeed(seed++);
  std::cout << stories << " stories\n";
}

}  // namespace
}  // namespace vdcu::faults
