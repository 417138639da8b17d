#include "bench/quality/policies.h"

#include <time.h>

#include <algorithm>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>

#include "bench/quality/scored.h"
#include "dcu/allocator.h"

namespace vdcu::bench {

namespace {

class Random : public Scored {
 public:
  Random(const Trace& trace, std::mt19937_64& random) : Scored(trace, random), random_(random) {}

  Choice Choose(const State& state, int /*number*/, int kind) override {
    const PodKind& pod = trace_.kinds[kind];
    std::vector<int> fit;
    for (size_t n = 0; n < state.nodes().size(); ++n) {
      if (state.nodes()[n].Fits(pod)) fit.push_back(static_cast<int>(n));
    }
    if (fit.empty()) return {};
    const int node = AnyOf(fit);
    return {node, Cards(state.nodes()[node], pod)};
  }

 protected:
  Rate RateOf(const FreeNode& /*node*/, const PodKind& /*kind*/) override { return {}; }

 private:
  int AnyOf(const std::vector<int>& of) {
    return of[std::uniform_int_distribution<size_t>(0, of.size() - 1)(random_)];
  }
  unsigned Cards(const FreeNode& node, const PodKind& pod) {
    if (!pod.shared()) return TightestCards(node, pod);
    std::vector<int> fit;
    for (int card = 0; card < node.cards; ++card) {
      if (node.HasOn(card, pod)) fit.push_back(card);
    }
    return 1u << AnyOf(fit);
  }

  std::mt19937_64& random_;
};

double CpuMicroseconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return 1e6 * static_cast<double>(time.tv_sec) + 1e-3 * static_cast<double>(time.tv_nsec);
}

// The allocator, on cards of 100 units and 1,000 MiB. Pods without cards are placed by best fit, as
// it places none, or by the rule of FragmentationAware.
class Allocator : public TracePolicy {
 public:
  Allocator(const Trace& trace, std::mt19937_64& random, dcu::Policy policy)
      : trace_(trace), policy_(policy), others_(MakeBestFit(trace, random)) {
    for (size_t n = 0; n < trace.nodes.size(); ++n) AddNode(static_cast<int>(n));
  }

  Choice Choose(const State& state, int pod, int kind) override {
    const PodKind& asked = trace_.kinds[kind];
    Tell(state);
    if (asked.cards == 0) return ChooseWithoutCards(state, pod, kind);
    const dcu::Request request = RequestOf(asked);
    const double before = CpuMicroseconds();
    AddDemand(request, 1);
    const double start = CpuMicroseconds();
    const auto answer = dcu::Allocate(inventory_, request, FilterFor(state, asked));
    const double end = CpuMicroseconds();
    const auto* placement = std::get_if<dcu::Placement>(&answer);
    (placement != nullptr ? effort_.placed : effort_.refused).push_back(end - start);
    if (placement == nullptr) {
      AddDemand(request, -1);
      return {};
    }
    const Choice choice = Take(*placement, pod);
    effort_.changes.push_back(start - before + CpuMicroseconds() - end);
    return choice;
  }

  void Leave(int pod, int kind) override {
    const PodKind& asked = trace_.kinds[kind];
    if (asked.cards == 0) return;
    for (int slice = 0; slice < asked.cards; ++slice) inventory_.RemoveSlice(IdOf(pod, slice));
    AddDemand(RequestOf(asked), -1);
  }

 private:
  static constexpr int kUnits = 100;

  static std::string IdOf(int pod, int slice) {
    return std::to_string(pod) + "/" + std::to_string(slice);
  }

  dcu::NodeFilter FilterFor(const State& state, const PodKind& pod) {
    return [&](const std::string& name) -> std::optional<std::string> {
      ++effort_.asked;
      const FreeNode& node = state.nodes()[index_of_.at(name)];
      if (node.cpu < pod.cpu) return "node has too little cpu";
      if (node.memory < pod.memory) return "node has too little memory";
      return {};
    };
  }

  Choice Take(const dcu::Placement& placement, int pod) {
    Choice choice{index_of_.at(placement.node), 0};
    int slice = 0;
    for (const dcu::Assignment& assignment : placement.assignments) {
      inventory_.SetSlice(IdOf(pod, slice++), assignment);
      choice.cards |= 1u << card_of_.at(assignment.device);
    }
    return choice;
  }

  void AddNode(int index) {
    const TraceNode& node = trace_.nodes[index];
    std::vector<dcu::Device> devices(node.cards);
    for (int card = 0; card < node.cards; ++card) {
      dcu::Device& device = devices[card];
      device.index = card;
      device.uuid = node.name + "-" + std::to_string(card);
      device.model = trace_.models[node.model];
      device.pci_bus_id = "0000:" + std::to_string(10 + card) + ":00.0";
      device.compute_units = kUnits;
      device.memory = dcu::MiB{kMilli};
      card_of_[device.uuid] = card;
    }
    dcu::NodeOptions options;
    options.ready = true;
    inventory_.SetNode(node.name, devices, options);
    index_of_[node.name] = index;
  }

  Choice ChooseWithoutCards(const State& state, int number, int kind) {
    const dcu::Worth* worth = inventory_.worth();
    if (worth == nullptr) return others_->Choose(state, number, kind);
    const PodKind& pod = trace_.kinds[kind];
    dcu::Rating rating(*worth, {pod.cpu, dcu::MiB{pod.memory}});
    Choice best;
    double least = 0;
    for (const int index : Fullest(state, pod)) {
      rating.Open(*inventory_.Find(trace_.nodes[index].name));
      const double loss = rating.LossBy({});
      if (best.node >= 0 && loss >= least - 1e-9) continue;
      best = {index, 0};
      least = loss;
    }
    return best;
  }

  // Of each model the eight nodes with the least left on cards that fit.
  std::vector<int> Fullest(const State& state, const PodKind& pod) const {
    std::vector<int> fit;
    for (size_t n = 0; n < state.nodes().size(); ++n) {
      if (state.nodes()[n].Fits(pod)) fit.push_back(static_cast<int>(n));
    }
    std::sort(fit.begin(), fit.end(), [&](int a, int b) {
      return std::pair(state.nodes()[a].total(), a) < std::pair(state.nodes()[b].total(), b);
    });
    std::vector<int> left(trace_.models.size(), 8);
    std::erase_if(fit, [&](int n) { return --left[state.nodes()[n].model] < 0; });
    return fit;
  }

  // What is free of nodes that have changed.
  void Tell(const State& state) {
    versions_.resize(state.nodes().size(), -1);
    for (size_t n = 0; n < versions_.size(); ++n) {
      const FreeNode& node = state.nodes()[n];
      if (std::exchange(versions_[n], node.version) == node.version) continue;
      inventory_.SetRoom(trace_.nodes[n].name, {node.cpu, dcu::MiB{node.memory}});
    }
  }

  void AddDemand(const dcu::Request& request, int count) {
    if (policy_ != dcu::Policy::kFragmentationAware) return;
    inventory_.AddDemand(request.slices, request.node, count);
  }

  dcu::SliceRequest SliceOf(const PodKind& pod) const {
    dcu::DeviceSelector devices;
    for (size_t m = 0; m < trace_.models.size() && pod.models != ~0u; ++m) {
      if ((pod.models >> m & 1) != 0) devices.models.push_back(trace_.models[m]);
    }
    dcu::SliceRequest slice;
    slice.devices = base::Interned<dcu::DeviceSelector>(devices);
    if (pod.shared()) {
      slice.percent = (pod.milli * kUnits + kMilli - 1) / kMilli;
      slice.memory = dcu::MiB{pod.card_memory};
    }
    return slice;
  }

  dcu::Request RequestOf(const PodKind& pod) const {
    return {.slices = std::vector<dcu::SliceRequest>(pod.cards, SliceOf(pod)),
            .policy = policy_,
            .node = {pod.cpu, dcu::MiB{pod.memory}}};
  }

  const Trace& trace_;
  const dcu::Policy policy_;
  std::unique_ptr<TracePolicy> others_;
  dcu::Inventory inventory_;
  std::unordered_map<std::string, int> index_of_;
  std::unordered_map<std::string, int> card_of_;
  std::vector<int> versions_;  // of nodes, as the inventory knows them
};

}  // namespace

const std::vector<std::string>& PolicyNames() {
  static const std::vector<std::string> names{"random",  "best-fit", "FGD",
                                              "BinPack", "Spread",   "FragmentationAware"};
  return names;
}

std::unique_ptr<TracePolicy> MakePolicy(const std::string& name, const Trace& trace,
                                        std::mt19937_64& random) {
  if (name == "random") return std::make_unique<Random>(trace, random);
  if (name == "best-fit") return MakeBestFit(trace, random);
  if (name == "FGD") return MakeFgd(trace, random);
  if (name == "BinPack") {
    return std::make_unique<Allocator>(trace, random, dcu::Policy::kBinPack);
  }
  if (name == "Spread") return std::make_unique<Allocator>(trace, random, dcu::Policy::kSpread);
  if (name == "FragmentationAware") {
    return std::make_unique<Allocator>(trace, random, dcu::Policy::kFragmentationAware);
  }
  return nullptr;
}

}  // namespace vdcu::bench
