// What is free on each node of the trace, and what a placement takes of it.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "bench/quality/trace.h"

namespace vdcu::bench {

struct FreeNode {
  int cpu = 0;
  int memory = 0;
  int cards = 0;
  int model = 0;
  std::array<int, kMostCards> left{};         // milli of each card's units
  std::array<int, kMostCards> memory_left{};  // and of its memory
  int version = 0;                            // counts changes

  int total() const;  // of units
  bool HasOn(int card, const PodKind& kind) const;
  int CardsFor(const PodKind& kind) const;  // how many have so much left
  bool Fits(const PodKind& kind) const;
  void Take(const PodKind& kind, unsigned cards) { Count(kind, cards, 1); }
  void Give(const PodKind& kind, unsigned cards) { Count(kind, cards, -1); }
  // Of what a pod of several, or of whole, cards gets: the first that are unused.
  unsigned WholeCards(int count) const;

 private:
  void Count(const PodKind& kind, unsigned cards, int sign);
};

struct Choice {
  int node = -1;       // -1: nowhere
  unsigned cards = 0;  // bits
};

class State {
 public:
  explicit State(const Trace& trace);

  const std::vector<FreeNode>& nodes() const { return nodes_; }
  double used() const { return used_; }  // milli of all cards, units and memory alike
  // The choice must be free.
  void Take(const PodKind& kind, const Choice& choice);
  // What was taken.
  void Give(const PodKind& kind, const Choice& choice);

 private:
  std::vector<FreeNode> nodes_;
  double used_ = 0;
};

}  // namespace vdcu::bench
