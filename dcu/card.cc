#include "dcu/card.h"

#include <algorithm>

namespace vdcu::dcu {
namespace {

constexpr uint8_t kAllPipes = (1 << kMaxSlicesPerCard) - 1;

}  // namespace

CuMask Card::FreeUnits() const {
  if (taken_whole) return CuMask();
  return CuMask::FirstUnits(type->compute_units) & ~used_units;
}

MiB Card::FreeMemory() const {
  return taken_whole ? MiB{0} : std::max(MiB{0}, sliceable - used_memory);
}

uint8_t Card::FreePipes() const {
  if (taken_whole || slice_count >= kMaxSlicesPerCard) return 0;
  return static_cast<uint8_t>(kAllPipes & ~used_pipes);
}

// Looks at the slices, which lie all over the memory, only where somebody minds.
bool Card::IsSharedAgainst(const base::Symbol& ns, Sharing share) const {
  if (share == Sharing::kCluster && !kept_apart) return false;
  for (const Slice* slice = slices; slice; slice = slice->next) {
    const bool same = !ns.empty() && slice->ns == ns;
    if (!same && Stricter(share, slice->share) == Sharing::kNamespace) return true;
  }
  return false;
}

// From the few slices of the card: taking one away from a union is not exact.
void Card::Recount() {
  taken_whole = kept_apart = false;
  used_pipes = 0;
  slice_count = 0;
  used_units = CuMask();
  used_memory = MiB{0};
  for (const Slice* slice = slices; slice; slice = slice->next) {
    ++slice_count;
    taken_whole |= slice->whole;
    kept_apart |= slice->share == Sharing::kNamespace;
    if (slice->pipe >= 0) used_pipes |= static_cast<uint8_t>(1 << slice->pipe);
    used_units = used_units | slice->units;
    used_memory += slice->memory;
  }
  free_units = FreeUnits().Count();
}

}  // namespace vdcu::dcu
