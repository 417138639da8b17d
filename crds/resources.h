// The two kinds of vdcu.io as API resources, for informers and writes.
#pragma once

#include "crds/keys.h"
#include "kclient/write.h"

namespace vdcu::crds {

inline constexpr kclient::Resource kVdcuPartitions{kGroup, kVersion, "vdcupartitions",
                                                   "VDCUPartition"};
inline constexpr kclient::Resource kDcuNodes{kGroup, kVersion, "dcunodes", "DCUNode"};

}  // namespace vdcu::crds
