// What is reconciled: one object, or what is named after one (the line of those who wait for it).
#pragma once

#include <compare>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace vdcu::kclient {

struct Key {
  std::string_view kind;  // a literal: "pod", "line"
  std::string ns = {};    // empty: the object has none
  std::string name = {};

  // "namespace/name", or the name alone: as stores have it.
  std::string object() const { return ns.empty() ? name : ns + "/" + name; }
  // "pod/team-a/p1", for logs.
  std::string Text() const { return std::string(kind) + "/" + object(); }

  friend auto operator<=>(const Key&, const Key&) = default;
};

// Of "namespace/name", or of a name alone.
inline Key MakeKey(std::string_view kind, std::string_view object) {
  const size_t slash = object.find('/');
  if (slash == std::string_view::npos) return {kind, {}, std::string(object)};
  return {kind, std::string(object.substr(0, slash)), std::string(object.substr(slash + 1))};
}

struct HashOfKey {
  size_t operator()(const Key& key) const {
    const std::hash<std::string_view> hash;
    return hash(key.name) ^ (hash(key.ns) * 31) ^ (hash(key.kind) * 131);
  }
};

}  // namespace vdcu::kclient
