// Names as Kubernetes takes them where they become part of a URL's path or a selector (RFC 1123).
#pragma once

#include <string_view>

namespace vdcu::base {

// a-z, 0-9 and "-", not at either end, 63 at most: a namespace.
bool IsDnsLabel(std::string_view name);
// Labels joined by ".", 253 characters at most: a Node.
bool IsDnsSubdomain(std::string_view name);

}  // namespace vdcu::base
