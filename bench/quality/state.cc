#include "bench/quality/state.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <numeric>

namespace vdcu::bench {

int FreeNode::total() const { return std::accumulate(left.begin(), left.begin() + cards, 0); }

bool FreeNode::HasOn(int card, const PodKind& kind) const {
  return left[card] >= kind.milli && memory_left[card] >= kind.card_memory;
}

int FreeNode::CardsFor(const PodKind& kind) const {
  int count = 0;
  for (int card = 0; card < cards; ++card) count += HasOn(card, kind) ? 1 : 0;
  return count;
}

bool FreeNode::Fits(const PodKind& kind) const {
  if (cpu < kind.cpu || memory < kind.memory) return false;
  if (kind.cards == 0) return true;
  return (kind.models >> model & 1) != 0 && CardsFor(kind) >= kind.cards;
}

unsigned FreeNode::WholeCards(int count) const {
  unsigned bits = 0;
  for (int card = 0; card < cards && count > 0; ++card) {
    if (left[card] != kMilli || memory_left[card] != kMilli) continue;
    bits |= 1u << card;
    --count;
  }
  return bits;
}

void FreeNode::Count(const PodKind& kind, unsigned taken, int sign) {
  cpu -= sign * kind.cpu;
  memory -= sign * kind.memory;
  for (int card = 0; card < cards; ++card) {
    if ((taken >> card & 1) == 0) continue;
    left[card] -= sign * kind.milli;
    memory_left[card] -= sign * kind.card_memory;
  }
  ++version;
}

State::State(const Trace& trace) {
  for (const TraceNode& node : trace.nodes) {
    FreeNode free;
    free.cpu = node.cpu;
    free.memory = node.memory;
    free.cards = node.cards;
    free.model = node.model;
    std::fill_n(free.left.begin(), node.cards, kMilli);
    std::fill_n(free.memory_left.begin(), node.cards, kMilli);
    nodes_.push_back(free);
  }
}

void State::Take(const PodKind& kind, const Choice& choice) {
  FreeNode& node = nodes_[choice.node];
  node.Take(kind, choice.cards);
  const auto is_over = [](const auto& left) {
    return std::any_of(left.begin(), left.end(), [](int each) { return each < 0; });
  };
  const bool over =
      node.cpu < 0 || node.memory < 0 || is_over(node.left) || is_over(node.memory_left);
  if (over) {
    std::fprintf(stderr, "node %d is given more than it has\n", choice.node);
    std::abort();
  }
  used_ += kind.total();
}

void State::Give(const PodKind& kind, const Choice& choice) {
  nodes_[choice.node].Give(kind, choice.cards);
  used_ -= kind.total();
}

}  // namespace vdcu::bench
