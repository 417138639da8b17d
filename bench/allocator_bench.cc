// How long one decision of the allocator takes, by the number of nodes and how full they are; what
// the inventory needs in memory and how long a change to it takes.
//
// Run in a release build. Counters: p50_us and p99_us of a decision. `Growth` at the end is p50 at
// 5,000 nodes over p50 at 100: 50 would be linear.
#include <benchmark/benchmark.h>
#include <malloc.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <vector>

#include "dcu/allocator.h"

namespace vdcu::dcu {
namespace {

constexpr int kCardsPerNode = 8;
constexpr int kCardUnits = 120;

std::string NodeName(int node) { return "node-" + std::to_string(10'000 + node); }

std::vector<Device> MakeCards(int node) {
  std::vector<Device> devices(kCardsPerNode);
  for (int i = 0; i < kCardsPerNode; ++i) {
    Device& device = devices[i];
    device.index = i;
    device.uuid = "DCU-T6T82900" + std::to_string(10'000'000 + node * kCardsPerNode + i);
    device.model = "K100_AI";
    device.pci_bus_id = "0000:" + std::to_string(33 + i) + ":00.0";
    device.compute_units = kCardUnits;
    device.memory = MiB{65520};
  }
  return devices;
}

NodeOptions ReadyOptions() {
  NodeOptions options;
  options.ready = true;
  return options;
}

void AddNodes(Inventory& inventory, int nodes) {
  for (int n = 0; n < nodes; ++n) inventory.SetNode(NodeName(n), MakeCards(n), ReadyOptions());
}

// What pods ask for: mostly slices of 5 to 50 percent, now and then a whole card.
Request RandomRequest(std::mt19937& random, Policy policy) {
  SliceRequest slice;
  if (random() % 20 != 0) {
    slice.percent = 5 * (1 + static_cast<int>(random() % 10));
    slice.memory = MiB{1000 * (1 + static_cast<int64_t>(random() % 30))};
  }
  return {{slice}, policy};
}

struct Filled {
  Inventory inventory;
  std::vector<std::string> slices;  // ids
  std::mt19937 random{1};
  int next = 0;

  void Hold(const Placement& placement) {
    for (const Assignment& assignment : placement.assignments) {
      slices.push_back("3f6c1d0e-5b7a-4c3e-9f00-" + std::to_string(100'000'000'000 + next++));
      inventory.SetSlice(slices.back(), assignment);
    }
  }
  void ReleaseOne() {
    std::swap(slices[random() % slices.size()], slices.back());
    inventory.RemoveSlice(slices.back());
    slices.pop_back();
  }
};

// Grants until `percent` of all units are held, then lets go and grants again for a while, so that
// the free room lies as scattered as in a cluster that has run for long.
std::unique_ptr<Filled> Fill(int nodes, int percent, Policy policy) {
  auto filled = std::make_unique<Filled>();
  AddNodes(filled->inventory, nodes);
  const int64_t want = int64_t{nodes} * kCardsPerNode * kCardUnits * percent / 100;
  int64_t held = 0;
  for (int missed = 0; held < want && missed < 50;) {
    const Answer answer = Allocate(filled->inventory, RandomRequest(filled->random, policy), {});
    const auto* placement = std::get_if<Placement>(&answer);
    missed = placement ? 0 : missed + 1;
    if (!placement) continue;
    held += placement->assignments.front().compute_units;
    filled->Hold(*placement);
  }
  for (int i = 0; i < 2 * nodes; ++i) {
    filled->ReleaseOne();
    const Answer answer = Allocate(filled->inventory, RandomRequest(filled->random, policy), {});
    if (const auto* placement = std::get_if<Placement>(&answer)) filled->Hold(*placement);
  }
  return filled;
}

double HeldPercent(const Inventory& inventory) {
  int64_t free = 0;
  for (const auto& [name, node] : inventory.nodes()) {
    for (const Card& card : node.cards) free += card.free_units;
  }
  const double all = static_cast<double>(inventory.nodes().size()) * kCardsPerNode * kCardUnits;
  return 100.0 * (1.0 - static_cast<double>(free) / all);
}

double Microseconds(std::chrono::steady_clock::duration time) {
  return std::chrono::duration<double, std::micro>(time).count();
}

// Of this thread: figures of a busy machine compare.
double CpuMicroseconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return 1e6 * static_cast<double>(time.tv_sec) + 1e-3 * static_cast<double>(time.tv_nsec);
}

double Quantile(std::vector<double>& samples, double quantile) {
  if (samples.empty()) return 0;
  const auto at = samples.begin() + static_cast<long>(quantile * (samples.size() - 1));
  std::nth_element(samples.begin(), at, samples.end());
  return *at;
}

// p50 of a placement by (percent, policy) and nodes, for the growth.
std::map<std::pair<int64_t, int64_t>, std::map<int64_t, double>> g_p50;

void BM_Decision(benchmark::State& state) {
  const auto policy = static_cast<Policy>(state.range(2));
  auto filled = Fill(static_cast<int>(state.range(0)), static_cast<int>(state.range(1)), policy);
  std::vector<double> placed;
  std::vector<double> refused;
  for (auto _ : state) {
    const Request request = RandomRequest(filled->random, policy);
    const auto start = std::chrono::steady_clock::now();
    const Answer answer = Allocate(filled->inventory, request, {});
    const auto time = std::chrono::steady_clock::now() - start;
    state.SetIterationTime(std::chrono::duration<double>(time).count());
    const auto* placement = std::get_if<Placement>(&answer);
    (placement ? placed : refused).push_back(Microseconds(time));
    if (!placement) continue;
    filled->Hold(*placement);
    filled->ReleaseOne();
  }
  g_p50[{state.range(1), state.range(2)}][state.range(0)] = Quantile(placed, 0.5);
  state.counters["p50_us"] = Quantile(placed, 0.5);
  state.counters["p99_us"] = Quantile(placed, 0.99);
  state.counters["refused"] = static_cast<double>(refused.size());
  state.counters["refusal_p99_us"] = Quantile(refused, 0.99);
  state.counters["held_percent"] = HeldPercent(filled->inventory);
}
BENCHMARK(BM_Decision)
    ->ArgNames({"nodes", "full", "spread"})
    ->ArgsProduct({{100, 1000, 5000}, {50, 75, 95}, {0, 1}})
    ->Iterations(5000)
    ->UseManualTime()
    ->Unit(benchmark::kMicrosecond);

// Of each node's cpu 50 to 99 % are used, so that many have cards and no cpu beside them.
// `asked`: how often a placed decision asks the node filter.
void BM_DecisionBesideUsedCpu(benchmark::State& state) {
  constexpr int kNodeCpu = 128'000;
  const auto policy = static_cast<Policy>(state.range(1));
  auto filled = Fill(static_cast<int>(state.range(0)), 75, Policy::kBinPack);
  std::mt19937& random = filled->random;
  const auto request = [&] {
    Request asks = RandomRequest(random, policy);
    asks.node.cpu = 1'000 + static_cast<int64_t>(random() % 63'000);
    return asks;
  };
  for (int n = 0; n < state.range(0); ++n) {
    const auto used = 50 + static_cast<int64_t>(random() % 50);
    filled->inventory.SetRoom(NodeName(n), {kNodeCpu * (100 - used) / 100, MiB{1 << 20}});
  }
  for (int i = 0; i < 1000; ++i) {
    const Request asks = request();
    filled->inventory.AddDemand(asks.slices, asks.node, 1);
  }
  std::vector<double> placed;
  int64_t asked = 0;
  for (auto _ : state) {
    const Request asks = request();
    int64_t times = 0;
    const NodeFilter filter = [&](const std::string&) {
      ++times;
      return std::optional<std::string>();
    };
    const double start = CpuMicroseconds();
    const Answer answer = Allocate(filled->inventory, asks, filter);
    const double time = CpuMicroseconds() - start;
    state.SetIterationTime(time / 1e6);
    const auto* placement = std::get_if<Placement>(&answer);
    if (!placement) continue;
    placed.push_back(time);
    asked += times;
    filled->Hold(*placement);
    filled->ReleaseOne();
  }
  state.counters["p50_us"] = Quantile(placed, 0.5);
  state.counters["p99_us"] = Quantile(placed, 0.99);
  state.counters["asked"] = static_cast<double>(asked) / static_cast<double>(placed.size());
  state.counters["refused"] =
      static_cast<double>(state.iterations()) - static_cast<double>(placed.size());
}
BENCHMARK(BM_DecisionBesideUsedCpu)
    ->ArgNames({"nodes", "policy"})
    ->ArgsProduct({{100, 5000}, {0, 1, 2}})
    ->Iterations(5000)
    ->UseManualTime()
    ->Unit(benchmark::kMicrosecond);

// Nothing fits, so every card is looked at for the reason.
void BM_Refusal(benchmark::State& state) {
  auto filled = Fill(static_cast<int>(state.range(0)), 95, Policy::kBinPack);
  SliceRequest large;
  large.compute_units = kCardUnits;
  large.memory = MiB{65521};
  for (auto _ : state) {
    benchmark::DoNotOptimize(Allocate(filled->inventory, {{large}}, {}));
  }
}
BENCHMARK(BM_Refusal)
    ->ArgName("nodes")
    ->Arg(100)
    ->Arg(1000)
    ->Arg(5000)
    ->Unit(benchmark::kMicrosecond);

void BM_SetAndRemoveSlice(benchmark::State& state) {
  auto filled = Fill(static_cast<int>(state.range(0)), 75, Policy::kBinPack);
  const Answer answer =
      Allocate(filled->inventory, RandomRequest(filled->random, Policy::kBinPack), {});
  const Assignment assignment = std::get<Placement>(answer).assignments.front();
  for (auto _ : state) {
    filled->inventory.SetSlice("slice", assignment);
    filled->inventory.RemoveSlice("slice");
  }
}
BENCHMARK(BM_SetAndRemoveSlice)->ArgName("nodes")->Arg(100)->Arg(5000);

size_t HeapBytes() { return mallinfo2().uordblks; }

void BM_Memory(benchmark::State& state) {
  for (auto _ : state) {
    const size_t before = HeapBytes();
    Inventory inventory;
    AddNodes(inventory, static_cast<int>(state.range(0)));
    const size_t cards = HeapBytes();
    const int per_card = static_cast<int>(state.range(1));
    int count = 0;
    for (const auto& [name, node] : inventory.nodes()) {
      for (size_t i = 0; i < node.cards.size() * per_card; ++i) {
        Assignment held;
        held.node = name;
        held.device = node.cards[i / per_card].uuid;
        held.units = CuMask(uint64_t{1} << (i % per_card), 0);
        held.memory = MiB{1000};
        held.pipe = static_cast<int>(i % per_card);
        held.vdev = static_cast<int>(i);
        inventory.SetSlice("3f6c1d0e-5b7a-4c3e-9f00-" + std::to_string(100'000'000'000 + count++),
                           held);
      }
    }
    state.counters["cards_MiB"] = static_cast<double>(cards - before) / (1 << 20);
    state.counters["slices_MiB"] = static_cast<double>(HeapBytes() - cards) / (1 << 20);
  }
}
BENCHMARK(BM_Memory)
    ->ArgNames({"nodes", "slices_per_card"})
    ->Args({5000, 2})
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

void PrintGrowth() {
  for (const auto& [key, by_nodes] : g_p50) {
    const auto small = by_nodes.find(100);
    const auto large = by_nodes.find(5000);
    if (small == by_nodes.end() || large == by_nodes.end() || small->second == 0) continue;
    std::cout << "Growth, " << key.first << " % full, " << (key.second ? "Spread" : "BinPack")
              << ": 50 times the nodes, " << large->second / small->second << " times p50\n";
  }
}

}  // namespace
}  // namespace vdcu::dcu

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  vdcu::dcu::PrintGrowth();
  return 0;
}
