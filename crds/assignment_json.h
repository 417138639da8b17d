// An assignment as JSON: in a VDCUPartition's spec, and among what a DCUNode holds.
#pragma once

#include <optional>

#include <nlohmann/json.hpp>

#include "crds/fields.h"
#include "dcu/assignment.h"

namespace vdcu::crds {

// Reads all but `node`, which a DCUNode does not write out. An error if the masks do not count
// computeUnits, or only one of pipe and vdev is there.
dcu::Assignment ReadAssignment(Fields& fields);

// Leaves out an empty node.
nlohmann::json ToJson(const dcu::Assignment& assignment);

}  // namespace vdcu::crds
