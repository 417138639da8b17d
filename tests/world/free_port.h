// A port of this machine on which nobody listens. Somebody else may take it before it is used.
#pragma once

#include <cstdint>

namespace vdcu::world {

uint16_t FreePort();

}  // namespace vdcu::world
