// What is asked for, sorted into kinds: requests that ask alike.
#pragma once

#include <compare>
#include <cstdint>
#include <vector>

#include "dcu/assignment.h"
#include "dcu/units.h"

namespace vdcu::dcu {

// What a pod takes of its node beside cards.
struct NodeNeeds {
  int64_t cpu = 0;  // milli
  MiB memory;

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

}  // namespace vdcu::dcu
