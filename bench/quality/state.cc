#include "bench/quality/state.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <numeric>

namespace vdcu::bench {

int FreeNode::total() const { return std::accumulate(left.begin(), left.begin() + cards, 0); }

int FreeNode::CardsWith(int milli) const {
  return static_cast<int>(std::count_if(left.begin(), left.begin() + cards,
                                        [milli](int each) { return each >= milli; }));
}

bool FreeNode::Fits(const PodKind& kind) const {
  if (cpu < kind.cpu || memory < kind.memory) return false;
  if (kind.cards == 0) return true;
  return (kind.models >> model & 1) != 0 && CardsWith(kind.milli) >= kind.cards;
}

unsigned FreeNode::WholeCards(int count) const {
  unsigned bits = 0;
  for (int card = 0; card < cards && count > 0; ++card) {
    if (left[card] != kMilli) continue;
    bits |= 1u << card;
    --count;
  }
  return bits;
}

void FreeNode::Take(const PodKind& kind, unsigned taken) {
  cpu -= kind.cpu;
  memory -= kind.memory;
  for (int card = 0; card < cards; ++card) {
    if ((taken >> card & 1) != 0) left[card] -= kind.milli;
  }
  ++version;
}

State::State(const Trace& trace) {
  for (const TraceNode& node : trace.nodes) {
    FreeNode free{node.cpu, node.memory, node.cards, node.model};
    std::fill_n(free.left.begin(), node.cards, kMilli);
    nodes_.push_back(free);
  }
}

void State::Take(const PodKind& kind, const Choice& choice) {
  FreeNode& node = nodes_[choice.node];
  node.Take(kind, choice.cards);
  const bool over = node.cpu < 0 || node.memory < 0 ||
                    std::any_of(node.left.begin(), node.left.end(), [](int l) { return l < 0; });
  if (over) {
    std::fprintf(stderr, "node %d is given more than it has\n", choice.node);
    std::abort();
  }
  used_ += kind.total();
}

}  // namespace vdcu::bench
