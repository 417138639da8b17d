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

std::vector<Demand::Change> Demand::Add(const std::vector<SliceRequest>& slices,
                                        const NodeNeeds& needs, int count) {
  cpu_ += needs.cpu * count;
  memory_ += needs.memory.value * count;
  std::vector<Change> changes;
  for (const DemandKind& kind : KindsOf(slices, needs.cpu)) {
    const int now = Count(kind, count);
    if (chosen_.contains(kind)) changes.push_back({kind, now});
    if (now == 0) chosen_.erase(kind);
  }
  if (chosen_.size() != counts_.size()) Choose(changes);
  return changes;
}

// How often it is asked for then.
int Demand::Count(const DemandKind& kind, int count) {
  const auto counted = counts_.try_emplace(kind, 0).first;
  by_frequency_.erase({-counted->second, kind});
  requests_ += count;
  const int now = counted->second += count;
  if (now != 0) {
    by_frequency_.insert({-now, kind});
  } else {
    counts_.erase(counted);
  }
  return now;
}

void Demand::Choose(std::vector<Change>& changes) {
  std::set<DemandKind> chosen;
  for (const auto& [count, kind] : by_frequency_) {
    if (chosen.size() == kMostKinds) break;
    chosen.insert(kind);
  }
  for (const DemandKind& kind : chosen_) {
    if (!chosen.contains(kind)) changes.push_back({kind, 0});
  }
  for (const DemandKind& kind : chosen) {
    if (!chosen_.contains(kind)) changes.push_back({kind, counts_.at(kind)});
  }
  chosen_ = std::move(chosen);
}

}  // namespace vdcu::dcu
