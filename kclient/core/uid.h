// metadata.uid in 16 bytes.
//
// Promises: text() is what it was made from. API servers make UUIDs in lower case; any other text
// is kept for good, on the side. Uid("") is the default and empty.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace vdcu::kclient {

// Whether a UID may be taken for one: 1 to 64 of [0-9A-Za-z-]. A UID becomes a part of paths, and
// comes from whoever answers for the API server.
bool IsUid(std::string_view text);

class Uid {
 public:
  Uid() = default;
  explicit Uid(std::string_view text);

  bool empty() const { return high_ == 0 && low_ == 0; }
  std::string text() const;
  size_t Hash() const { return high_ * 0x9e3779b97f4a7c15 ^ low_; }

  friend bool operator==(const Uid&, const Uid&) = default;

 private:
  uint64_t high_ = 0;  // kAside: low_ is the number of a text kept aside, which no UUID can be
  uint64_t low_ = 0;
};

}  // namespace vdcu::kclient

template <>
struct std::hash<vdcu::kclient::Uid> {
  size_t operator()(const vdcu::kclient::Uid& uid) const noexcept { return uid.Hash(); }
};
