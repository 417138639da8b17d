#include "dcu/demand.h"

#include <algorithm>

namespace vdcu::dcu {

std::vector<DemandKind> KindsOf(const std::vector<SliceRequest>& slices, int64_t cpu) {
  std::vector<DemandKind> kinds;
  const auto cpu_of_one = slices.empty() ? 0 : cpu / static_cast<int64_t>(slices.size());
  for (const SliceRequest& slice : slices) {
    const auto same = std::find_if(kinds.begin(), kinds.end(), [&](const DemandKind& kind) {
      return slice.whole_card() && kind.slice == slice;
    });
    if (same == kinds.end()) {
      kinds.push_back({slice, 1, cpu_of_one});
    } else {
      ++same->cards;
      same->cpu += cpu_of_one;
    }
  }
  return kinds;
}

}  // namespace vdcu::dcu
