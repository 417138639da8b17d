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
  std::array<int, kMostCards> left{};  // milli of each card
  int version = 0;                     // counts changes

  int total() const;
  int CardsWith(int milli) const;  // how many have so much left
  bool Fits(const PodKind& kind) const;
  void Take(const PodKind& kind, unsigned cards);
  // Of what a pod of several, or of whole, cards gets: the first that are unused.
  unsigned WholeCards(int count) const;
};

struct Choice {
  int node = -1;       // -1: nowhere
  unsigned cards = 0;  // bits
};

class State {
 public:
  explicit State(const Trace& trace);

  const std::vector<FreeNode>& nodes() const { return nodes_; }
  int64_t used() const { return used_; }  // milli of all cards
  // The choice must be free.
  void Take(const PodKind& kind, const Choice& choice);

 private:
  std::vector<FreeNode> nodes_;
  int64_t used_ = 0;
};

}  // namespace vdcu::bench
