#include "base/dns_name.h"

#include <cstddef>

namespace vdcu::base {

namespace {

// Kubernetes bounds a subdomain, but not each of its parts (apimachinery,
// pkg/util/validation, IsDNS1123Subdomain).
bool IsPart(std::string_view name) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyz0123456789-";
  return !name.empty() && name.find_first_not_of(kAllowed) == std::string_view::npos &&
         name.front() != '-' && name.back() != '-';
}

}  // namespace

bool IsDnsLabel(std::string_view name) { return name.size() <= 63 && IsPart(name); }

bool IsDnsSubdomain(std::string_view name) {
  if (name.size() > 253) return false;
  for (size_t dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.')) {
    if (!IsPart(name.substr(0, dot))) return false;
    name.remove_prefix(dot + 1);
  }
  return IsPart(name);
}

}  // namespace vdcu::base
