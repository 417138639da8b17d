// A picture of cards for a terminal: one letter for each compute unit that a slice holds, a dot for
// each free one, in rows of 64 as the cu_mask lines of a vdev file; below it who holds what.
#pragma once

#include <string>
#include <vector>

#include "crds/dcunode.h"
#include "crds/vdcupartition.h"

namespace vdcu::demo {

// Cards in the order given, slices of a card in the order of their pipes. A unit that two slices
// hold, which must never be, is drawn as '!'.
std::string DrawCards(const std::vector<crds::DcuNode>& nodes,
                      const std::vector<crds::VdcuPartition>& partitions, bool colour);

}  // namespace vdcu::demo
