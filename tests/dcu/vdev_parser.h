// Reads a vdev file as strictly as docs/vdev-file.md says: what the tests hold Render against.
#pragma once

#include <string_view>

#include "base/result.h"
#include "dcu/vdev.h"

namespace vdcu::dcu {

// Accepts exactly what Render writes. Errors: kCorrupt, with the line.
base::Result<VdevFile> ParseVdevFile(std::string_view text);

}  // namespace vdcu::dcu
