// Keys under a value: such as the pods that name a partition. For what is rare; a value without
// keys is not kept.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

namespace vdcu::reconcilers {

using KeyIndex = std::map<std::string, std::set<std::string>, std::less<>>;

inline const std::set<std::string>& Find(const KeyIndex& index, std::string_view value) {
  static const std::set<std::string> kNone;
  const auto found = index.find(value);
  return found == index.end() ? kNone : found->second;
}

inline void EraseFrom(KeyIndex& index, std::string_view value, const std::string& key) {
  const auto found = index.find(value);
  if (found == index.end()) return;
  found->second.erase(key);
  if (found->second.empty()) index.erase(found);
}

}  // namespace vdcu::reconcilers
