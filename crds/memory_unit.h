// What a number of hygon.com/dcumem or hcumem counts, in pods and in ResourceQuotas: one answer for
// the cluster, as a pod does not say it. HAMi's documents count MiB, those of the vendor's Volcano
// GiB.
#pragma once

#include <cstdint>

#include "crds/spelling.h"

namespace vdcu::crds {

// The value: MiB of one.
enum class MemoryUnit : int64_t { kMi = 1, kGi = 1024 };

inline constexpr Spellings<MemoryUnit, 2> kMemoryUnits{
    {{"Mi", MemoryUnit::kMi}, {"Gi", MemoryUnit::kGi}}};

inline constexpr int64_t MiBOf(MemoryUnit unit) { return static_cast<int64_t>(unit); }

}  // namespace vdcu::crds
