// How the API, annotations and flags spell what has a few values: a table each, read both ways.
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "dcu/assignment.h"

namespace vdcu::crds {

template <class T, size_t kCount>
using Spellings = std::array<std::pair<std::string_view, T>, kCount>;

inline constexpr Spellings<dcu::Policy, 3> kPolicies{
    {{"BinPack", dcu::Policy::kBinPack},
     {"Spread", dcu::Policy::kSpread},
     {"FragmentationAware", dcu::Policy::kFragmentationAware}}};
inline constexpr Spellings<dcu::Sharing, 2> kSharings{
    {{"cluster", dcu::Sharing::kCluster}, {"namespace", dcu::Sharing::kNamespace}}};

template <class T, size_t kCount>
std::string_view Spell(const Spellings<T, kCount>& spellings, T value) {
  const auto found = std::find_if(spellings.begin(), spellings.end(),
                                  [value](const auto& one) { return one.second == value; });
  CHECK(found != spellings.end(), "a value without a spelling");
  return found->first;
}
template <class T, size_t kCount>
std::optional<T> Read(const Spellings<T, kCount>& spellings, std::string_view text) {
  const auto found = std::find_if(spellings.begin(), spellings.end(),
                                  [text](const auto& one) { return one.first == text; });
  return found == spellings.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace vdcu::crds
