// How much of a cluster's cards each policy sells: the openb trace is replayed until as much is
// asked for as there is, and what is allocated then is told in percent of all cards.
//
//   placement_quality_bench [SEEDS [POLICY …]]    # default: 10 seeds, all policies
//
// Behind them: how long decisions on pods with cards took, placed or not, in microseconds.
// That random, best-fit and FGD come out as they were published (within 0.3 points) is what makes
// the others comparable.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "bench/quality/policies.h"
#include "bench/quality/state.h"
#include "bench/quality/trace.h"

namespace vdcu::bench {
namespace {

constexpr int kFirstSeed = 42;
const std::vector<std::string> kLists{"default", "gpushare40", "gpuspec33"};

// Of Weng et al. (scored.cc), at an arrived load of 100 %.
const std::map<std::string, std::vector<double>> kPublished{{"random", {86.30, 84.86, 83.87}},
                                                            {"best-fit", {92.86, 91.44, 80.39}},
                                                            {"FGD", {95.23, 93.96, 87.84}}};

// Mean percent of all card milli that are allocated while the asked share rounds to 100 %. Appends
// how long each decision took.
double Allocated(const Trace& trace, const std::string& policy, int seed,
                 std::vector<double>& took) {
  std::mt19937_64 random(static_cast<uint64_t>(seed));
  const auto arrivals = Arrivals(trace, 1.006, random);
  const auto placer = MakePolicy(policy, trace, random);
  State state(trace);
  const auto capacity = static_cast<double>(trace.capacity);
  int64_t asked = 0;
  double sum = 0;
  int looks = 0;
  for (const int kind : arrivals) {
    asked += trace.kinds[kind].total();
    const auto start = std::chrono::steady_clock::now();
    const Choice choice = placer->Choose(state, kind);
    const std::chrono::duration<double, std::micro> time = std::chrono::steady_clock::now() - start;
    if (trace.kinds[kind].cards > 0) took.push_back(time.count());
    if (choice.node >= 0) state.Take(trace.kinds[kind], choice);
    if (std::lround(100 * static_cast<double>(asked) / capacity) != 100) continue;
    sum += 100 * static_cast<double>(state.used()) / capacity;
    ++looks;
  }
  return sum / looks;
}

double Percentile(std::vector<double>& sorted, double part) {
  return sorted[static_cast<size_t>(part * static_cast<double>(sorted.size() - 1))];
}

void PrintPublished(const std::string& policy) {
  const auto found = kPublished.find(policy);
  if (found == kPublished.end()) return;
  std::printf("   published");
  for (const double figure : found->second) std::printf(" %6.2f", figure);
}

int Main(int seeds, const std::vector<std::string>& policies) {
  std::vector<Trace> traces;
  for (const std::string& list : kLists) {
    auto trace = ReadTrace(VDCU_SOURCE_DIR "/bench/data/openb", list);
    if (!trace) {
      std::fprintf(stderr, "%s\n", trace.error().message.c_str());
      return 1;
    }
    traces.push_back(std::move(*trace));
  }
  std::printf("allocated %% of %zu nodes' cards, %d seeds from %d\n%-18s", traces[0].nodes.size(),
              seeds, kFirstSeed, "policy");
  for (const std::string& list : kLists) std::printf(" %11s", list.c_str());
  std::printf("\n");
  for (const std::string& policy : policies) {
    std::printf("%-18s", policy.c_str());
    std::vector<double> took;
    for (const Trace& trace : traces) {
      double sum = 0;
      for (int s = 0; s < seeds; ++s) sum += Allocated(trace, policy, kFirstSeed + s, took);
      std::printf(" %11.2f", sum / seeds);
      std::fflush(stdout);
    }
    std::sort(took.begin(), took.end());
    std::printf("   p50 %5.0f p99 %5.0f us", Percentile(took, 0.5), Percentile(took, 0.99));
    PrintPublished(policy);
    std::printf("\n");
  }
  return 0;
}

}  // namespace
}  // namespace vdcu::bench

int main(int argc, char** argv) {
  using vdcu::bench::PolicyNames;
  const int seeds = argc > 1 ? std::atoi(argv[1]) : 10;
  std::vector<std::string> policies(argv + std::min(argc, 2), argv + argc);
  if (policies.empty()) policies = PolicyNames();
  for (const std::string& policy : policies) {
    const auto& names = PolicyNames();
    if (seeds >= 1 && std::find(names.begin(), names.end(), policy) != names.end()) continue;
    std::fprintf(stderr, "usage: placement_quality_bench [SEEDS [POLICY …]]\n");
    return 2;
  }
  return vdcu::bench::Main(seeds, policies);
}
