// How much of a cluster's cards each policy sells: the openb trace is replayed, and what is
// allocated is told in percent of all cards.
//
//   placement_quality_bench [SEEDS [POLICY or TABLE …]]    # default: 10 seeds, all of both
//
// Tables: "filled", nobody leaves, what is allocated when as much is asked for as there is;
// "departures", Poisson arrivals at a load of 100 % and exponential lifetimes, the mean over two of
// them; "memory", as filled, but what is asked of a card's memory is drawn apart from its units,
// and the mean of both is told; "large", as filled, with four times the nodes and pods, for the
// allocator's policies; "untainted", as filled, but pods without cards are placed by the rule of
// kube-scheduler (LeastAllocated), and "tainted", they are kept off these nodes.
//
// Behind them, of the allocator's policies: thread CPU time of decisions on pods with cards, placed
// and refused, and of what else the inventory is told of a placed pod; and how often a decision
// asked the node filter. That random, best-fit and FGD come out as they were published (within 0.3
// points) is what makes the others comparable.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "bench/quality/policies.h"
#include "bench/quality/state.h"
#include "bench/quality/trace.h"

namespace vdcu::bench {
namespace {

constexpr int kFirstSeed = 42;
const std::vector<std::string> kLists{"default", "gpushare40", "gpuspec33"};
const std::vector<std::string> kTables{"filled", "departures", "memory",
                                       "large",  "untainted",  "tainted"};

// Of Weng et al. (scored.cc), at an arrived load of 100 %.
const std::map<std::string, std::vector<double>> kPublished{{"random", {86.30, 84.86, 83.87}},
                                                            {"best-fit", {92.86, 91.44, 80.39}},
                                                            {"FGD", {95.23, 93.96, 87.84}}};

// Of the samples of a replay, the mean; and what it cost.
struct Outcome {
  double allocated = 0;  // percent
  double refused = 0;    // percent of the pods
  Effort effort;
};

// The node of which cpu and memory are allocated least.
Choice LeastAllocated(const Trace& trace, const State& state, const PodKind& pod) {
  Choice best;
  double most = 0;
  for (size_t n = 0; n < trace.nodes.size(); ++n) {
    const FreeNode& free = state.nodes()[n];
    if (!free.Fits(pod)) continue;
    const double cpu = static_cast<double>(free.cpu - pod.cpu) / trace.nodes[n].cpu;
    const double memory = static_cast<double>(free.memory - pod.memory) / trace.nodes[n].memory;
    if (best.node >= 0 && cpu + memory <= most) continue;
    best.node = static_cast<int>(n);
    most = cpu + memory;
  }
  return best;
}

// Who places pods without cards.
enum class Others { kPolicy, kLeastAllocated, kKeptOff };

// While the asked share rounds to 100 %.
Outcome Fill(const Trace& trace, const std::string& policy, Others others,
             std::mt19937_64& random) {
  const auto arrivals = Arrivals(trace, 1.006, random);
  const auto placer = MakePolicy(policy, trace, random);
  State state(trace);
  const auto capacity = static_cast<double>(trace.capacity);
  double asked = 0;
  double sum = 0;
  int looks = 0;
  int refused = 0;
  for (size_t pod = 0; pod < arrivals.size(); ++pod) {
    const PodKind& kind = trace.kinds[arrivals[pod]];
    asked += kind.total();
    if (kind.cards == 0 && others == Others::kKeptOff) continue;
    const Choice choice = kind.cards == 0 && others == Others::kLeastAllocated
                              ? LeastAllocated(trace, state, kind)
                              : placer->Choose(state, static_cast<int>(pod), arrivals[pod]);
    if (choice.node >= 0) state.Take(kind, choice);
    if (choice.node < 0) ++refused;
    if (std::lround(100 * asked / capacity) != 100) continue;
    sum += 100 * state.used() / capacity;
    ++looks;
  }
  return {sum / looks, 100.0 * refused / static_cast<double>(arrivals.size()), placer->effort()};
}

// At each arrival of the second half.
Outcome Churn(const Trace& trace, const std::string& policy, std::mt19937_64& random) {
  constexpr double kLifetimes = 4;
  const auto events = ArrivalsAndDepartures(trace, kLifetimes, random);
  const auto placer = MakePolicy(policy, trace, random);
  State state(trace);
  std::unordered_map<int, Choice> places;
  double sum = 0;
  int looks = 0;
  int refused = 0;
  for (size_t i = 0; i < events.size(); ++i) {
    const Event& event = events[i];
    const PodKind& kind = trace.kinds[event.kind];
    if (event.leaves) {
      const auto place = places.find(event.pod);
      if (place == places.end()) continue;
      state.Give(kind, place->second);
      places.erase(place);
      placer->Leave(event.pod, event.kind);
      continue;
    }
    const Choice choice = placer->Choose(state, event.pod, event.kind);
    if (choice.node >= 0) {
      state.Take(kind, choice);
      places[event.pod] = choice;
    }
    if (i < events.size() / 2) continue;
    if (choice.node < 0) ++refused;
    sum += 100 * state.used() / static_cast<double>(trace.capacity);
    ++looks;
  }
  return {sum / looks, 100.0 * refused / looks, placer->effort()};
}

Outcome Replay(const std::string& table, Trace trace, const std::string& policy, int seed) {
  std::mt19937_64 random(static_cast<uint64_t>(seed));
  if (table == "departures") return Churn(trace, policy, random);
  if (table == "memory") DrawMemory(trace, random);
  if (table == "large") Multiply(trace, 4);
  const Others others = table == "untainted" ? Others::kLeastAllocated
                        : table == "tainted" ? Others::kKeptOff
                                             : Others::kPolicy;
  return Fill(trace, policy, others, random);
}

double Percentile(std::vector<double>& samples, double part) {
  if (samples.empty()) return 0;
  const auto at = samples.begin() + static_cast<long>(part * (samples.size() - 1));
  std::nth_element(samples.begin(), at, samples.end());
  return *at;
}

void Append(Effort& all, const Effort& more) {
  all.placed.insert(all.placed.end(), more.placed.begin(), more.placed.end());
  all.refused.insert(all.refused.end(), more.refused.begin(), more.refused.end());
  all.changes.insert(all.changes.end(), more.changes.begin(), more.changes.end());
  all.asked += more.asked;
}

void PrintEffort(Effort& effort) {
  if (effort.placed.empty()) return;
  const auto print = [](const char* name, std::vector<double>& samples) {
    std::printf("   %s p50 %.0f p99 %.0f us", name, Percentile(samples, 0.5),
                Percentile(samples, 0.99));
  };
  print("placed", effort.placed);
  print("refused", effort.refused);
  print("changes", effort.changes);
  const auto decisions = static_cast<double>(effort.placed.size() + effort.refused.size());
  std::printf("   asked %.2f", static_cast<double>(effort.asked) / decisions);
}

void PrintPublished(const std::string& policy) {
  const auto found = kPublished.find(policy);
  if (found == kPublished.end()) return;
  std::printf("   published");
  for (const double figure : found->second) std::printf(" %6.2f", figure);
}

void PrintRow(const std::string& table, const std::vector<Trace>& traces, const std::string& policy,
              int seeds) {
  std::printf("%-18s", policy.c_str());
  Effort effort;
  for (const Trace& trace : traces) {
    double allocated = 0;
    double refused = 0;
    for (int seed = kFirstSeed; seed < kFirstSeed + seeds; ++seed) {
      const Outcome outcome = Replay(table, trace, policy, seed);
      allocated += outcome.allocated / seeds;
      refused += outcome.refused / seeds;
      Append(effort, outcome.effort);
    }
    std::printf("  %6.2f (%4.1f)", allocated, refused);
    std::fflush(stdout);
  }
  PrintEffort(effort);
  if (table == "filled") PrintPublished(policy);
  std::printf("\n");
}

void PrintTable(const std::string& table, const std::vector<Trace>& traces,
                const std::vector<std::string>& policies, int seeds) {
  std::printf("%s: allocated %% of the cards (pods refused %%), %d seeds from %d\n%-18s",
              table.c_str(), seeds, kFirstSeed, "policy");
  for (const std::string& list : kLists) std::printf("  %13s", list.c_str());
  std::printf("\n");
  for (const std::string& policy : policies) {
    if (table == "large" && kPublished.contains(policy)) continue;
    PrintRow(table, traces, policy, seeds);
  }
}

int Run(int seeds, const std::vector<std::string>& tables,
        const std::vector<std::string>& policies) {
  std::vector<Trace> traces;
  for (const std::string& list : kLists) {
    auto trace = ReadTrace(VDCU_SOURCE_DIR "/bench/data/openb", list);
    if (!trace) {
      std::fprintf(stderr, "%s\n", trace.error().message.c_str());
      return 1;
    }
    traces.push_back(std::move(*trace));
  }
  for (const std::string& table : tables) PrintTable(table, traces, policies, seeds);
  return 0;
}

// Those of `all` that are named; all if none is.
std::vector<std::string> Chosen(const std::vector<std::string>& all,
                                const std::set<std::string>& named) {
  std::vector<std::string> chosen;
  for (const std::string& each : all) {
    if (named.contains(each)) chosen.push_back(each);
  }
  return chosen.empty() ? all : chosen;
}

int Main(int argc, char** argv) {
  const int seeds = argc > 1 ? std::atoi(argv[1]) : 10;
  const std::set<std::string> named(argv + std::min(argc, 2), argv + argc);
  const bool known = std::all_of(named.begin(), named.end(), [](const std::string& name) {
    const auto is_in = [&](const std::vector<std::string>& all) {
      return std::find(all.begin(), all.end(), name) != all.end();
    };
    return is_in(PolicyNames()) || is_in(kTables);
  });
  if (seeds < 1 || !known) {
    std::fprintf(stderr, "usage: placement_quality_bench [SEEDS [POLICY or TABLE …]]\n");
    return 2;
  }
  return Run(seeds, Chosen(kTables, named), Chosen(PolicyNames(), named));
}

}  // namespace
}  // namespace vdcu::bench

int main(int argc, char** argv) { return vdcu::bench::Main(argc, argv); }
