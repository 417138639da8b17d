// resource.Quantity as integers, with the API's grammar: sign, digits with a point, then a suffix
// (n, u, m, "", k, M, G, T, P, E, Ki … Ei, or an exponent such as e3). Source: apimachinery
// pkg/api/resource/quantity.go; unlike there, a number needs a digit ("Ki" and "." are refused).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "kclient/core/json.h"

namespace vdcu::kclient {

// The value rounded up (away from zero) to a whole number; what is past int64 saturates. Errors:
// kInvalid, with the text and what would be right.
base::Result<int64_t> ParseQuantity(std::string_view text);
// The same in thousandths.
base::Result<int64_t> ParseMilliQuantity(std::string_view text);

// Resource name -> amount: "cpu" in thousandths of a core, all others whole (bytes, counts),
// rounded up.
using ResourceList = std::map<std::string, int64_t, std::less<>>;

// Reads a map of quantities (strings or numbers). What does not parse is left out: the apiserver
// has checked it before.
ResourceList ParseResourceList(JsonView object, std::string_view key);
void Add(ResourceList& sum, const ResourceList& more);
void TakeMax(ResourceList& most, const ResourceList& other);

}  // namespace vdcu::kclient
