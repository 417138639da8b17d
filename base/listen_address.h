// "ADDR:PORT" -> a socket that listens there.
#pragma once

#include <string_view>

#include "base/result.h"

namespace vdcu::base {

// Whether ListenOn could take it at all; kInvalid if not.
Status CheckListenAddress(std::string_view address);

// "ADDR:PORT", "[ADDR]:PORT" for IPv6 or ":PORT" for all of the host's addresses; ADDR is numeric
// and PORT 0 takes a free one. Returns a non-blocking socket, which is the caller's. Errors:
// kInvalid for an address that cannot be one, kUnavailable where it cannot be bound; both name it.
Result<int> ListenOn(std::string_view address);

}  // namespace vdcu::base
