// What is asked for, sorted into kinds: requests that ask alike.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "dcu/assignment.h"
#include "dcu/units.h"

namespace vdcu::dcu {

// What a pod takes of its node beside cards, or what a node has left of it.
struct NodeNeeds {
  int64_t cpu = 0;  // milli
  MiB memory;

  // Who asks for nothing needs no room, also on a node that has promised more than it has.
  bool FitInto(const NodeNeeds& free) const {
    return (cpu <= 0 || cpu <= free.cpu) && (memory.value <= 0 || memory <= free.memory);
  }
  friend auto operator<=>(const NodeNeeds&, const NodeNeeds&) = default;
};

// One slice, or whole cards on one node. Kinds that differ in the memory of the node are one.
struct DemandKind {
  SliceRequest slice;  // whole_card(): `cards` of them
  int cards = 1;
  int64_t cpu = 0;  // milli

  friend auto operator<=>(const DemandKind&, const DemandKind&) = default;
};

// The kinds of a request's slices, each with its part of the cpu.
std::vector<DemandKind> KindsOf(const std::vector<SliceRequest>& slices, int64_t cpu);

// How often each kind is asked for. Only the kMostKinds most frequent count, of as many the first
// in order, so that nobody makes changes or decisions slow for others by asking for ever other
// amounts.
class Demand {
 public:
  static constexpr size_t kMostKinds = 512;

  struct Change {
    DemandKind kind;
    int count = 0;  // from now on; 0: it does not count (any more)
  };

  // `count` more requests for these slices exist, or less. Which kinds count otherwise by it: those
  // that do not any more first.
  std::vector<Change> Add(const std::vector<SliceRequest>& slices, const NodeNeeds& needs,
                          int count);

  bool empty() const { return counts_.empty(); }
  // Of all requests, by kind, and what they ask for beside cards.
  int64_t requests() const { return requests_; }
  int64_t cpu() const { return cpu_; }        // milli
  int64_t memory() const { return memory_; }  // MiB

 private:
  int Count(const DemandKind& kind, int count);
  void Choose(std::vector<Change>& changes);

  std::map<DemandKind, int> counts_;                   // of all kinds; none is 0
  std::set<std::pair<int, DemandKind>> by_frequency_;  // counts_, turned round and negative
  std::set<DemandKind> chosen_;                        // the most frequent
  int64_t requests_ = 0;
  int64_t cpu_ = 0;
  int64_t memory_ = 0;
};

}  // namespace vdcu::dcu
