#include "bench/quality/scored.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <tuple>

namespace vdcu::bench {

Scored::Scored(const Trace& trace, std::mt19937_64& random)
    : trace_(trace), order_(trace.nodes.size()), kept_(trace.kinds.size()) {
  std::iota(order_.begin(), order_.end(), 0);
  std::shuffle(order_.begin(), order_.end(), random);
}

Choice Scored::Choose(const State& state, int /*pod*/, int kind) {
  const PodKind& pod = trace_.kinds[kind];
  std::vector<Kept>& kept = kept_[kind];
  kept.resize(order_.size());
  Choice best;
  int score = 0;
  for (const int index : order_) {
    const FreeNode& node = state.nodes()[index];
    Kept& known = kept[index];
    if (known.version != node.version) {
      known = {{}, node.version, node.Fits(pod)};
      if (known.fits) known.rate = RateOf(node, pod);
    }
    if (!known.fits || (best.node >= 0 && known.rate.score <= score)) continue;
    best = {index, known.rate.cards};
    score = known.rate.score;
  }
  return best;
}

unsigned Scored::TightestCards(const FreeNode& node, const PodKind& kind) {
  if (kind.cards == 0) return 0;
  if (!kind.shared()) return node.WholeCards(kind.cards);
  int best = -1;
  for (int card = 0; card < node.cards; ++card) {
    if (!node.HasOn(card, kind)) continue;
    if (best < 0 || node.left[card] < node.left[best]) best = card;
  }
  return 1u << best;
}

namespace {

// The node with the least left of CPU and cards, each as a part of what the largest node has.
class BestFit : public Scored {
 public:
  BestFit(const Trace& trace, std::mt19937_64& random) : Scored(trace, random) {
    for (const TraceNode& node : trace.nodes) {
      most_cpu_ = std::max(most_cpu_, node.cpu);
      most_milli_ = std::max<double>(most_milli_, node.cards * kMilli);
    }
  }

 protected:
  Rate RateOf(const FreeNode& node, const PodKind& kind) override {
    const double cpu = static_cast<double>(node.cpu - kind.cpu) / most_cpu_;
    const double cards = (node.total() - kind.cards * kind.milli) / most_milli_;
    return {static_cast<int>((1 - (cpu + cards) / 2) * 100), TightestCards(node, kind)};
  }

 private:
  int most_cpu_ = 1;
  double most_milli_ = 1;
};

// Fragmentation gradient descent (Weng et al., "Beware of Fragmentation: Scheduling GPU-Sharing
// Workloads with Fragmentation Gradient Descent", USENIX ATC '23): where the card milli that
// typical pods cannot use grow least.
class Fgd : public Scored {
 public:
  Fgd(const Trace& trace, std::mt19937_64& random) : Scored(trace, random) { FindTypical(); }

 protected:
  Rate RateOf(const FreeNode& node, const PodKind& kind) override {
    const double before = Fragments(node);
    Rate best{-1, 0};
    const auto consider = [&](unsigned cards) {
      FreeNode after = node;
      after.Take(kind, cards);
      const double change = (before - Fragments(after)) / kMilli;
      const int score = static_cast<int>(100 / (1 + std::exp(-change)));
      if (score > best.score) best = {score, cards};
    };
    if (!kind.shared()) {
      consider(TightestCards(node, kind));
      return best;
    }
    for (int card = 0; card < node.cards; ++card) {
      if (node.HasOn(card, kind)) consider(1u << card);
    }
    return best;
  }

 private:
  struct Typical {
    PodKind kind;
    double share = 0;
  };

  // The most frequent kinds, the node's memory apart, that make 95 % of the list.
  void FindTypical() {
    std::map<std::tuple<int, int, int, int, std::string>, PodKind> kinds;
    double all = 0;
    for (const PodKind& kind : trace_.kinds) {
      auto& entry = kinds[{kind.cpu, kind.cards, kind.milli, kind.card_memory, kind.models_text}];
      const int count = entry.count + kind.count;
      entry = kind;
      entry.count = count;
      all += kind.count;
    }
    std::vector<PodKind> sorted;
    for (const auto& [key, kind] : kinds) sorted.push_back(kind);
    std::sort(sorted.begin(), sorted.end(), [](const PodKind& a, const PodKind& b) {
      return std::tie(b.count, a.cpu, a.cards, a.milli, a.card_memory, a.models_text) <
             std::tie(a.count, b.cpu, b.cards, b.milli, b.card_memory, b.models_text);
    });
    double counted = 0;
    for (const PodKind& kind : sorted) {
      if (counted >= 0.95 * all) break;
      typical_.push_back({kind, static_cast<double>(kind.count)});
      counted += kind.count;
    }
    for (Typical& typical : typical_) typical.share /= counted;
  }

  // Milli that a typical pod cannot use.
  double Fragments(const FreeNode& node) const {
    const int total = node.total();
    double sum = 0;
    for (const auto& [kind, share] : typical_) {
      const bool serves = kind.cards > 0 && (kind.models >> node.model & 1) != 0 &&
                          node.cpu >= kind.cpu && node.CardsFor(kind) >= kind.cards;
      int lost = total;
      for (int card = 0; serves && card < node.cards; ++card) {
        if (node.HasOn(card, kind)) lost -= node.left[card];
      }
      sum += share * lost;
    }
    return sum;
  }

  std::vector<Typical> typical_;
};

}  // namespace

std::unique_ptr<TracePolicy> MakeBestFit(const Trace& trace, std::mt19937_64& random) {
  return std::make_unique<BestFit>(trace, random);
}

std::unique_ptr<TracePolicy> MakeFgd(const Trace& trace, std::mt19937_64& random) {
  return std::make_unique<Fgd>(trace, random);
}

}  // namespace vdcu::bench
