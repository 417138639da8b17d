// Which compute units of one card: a set of bits 0..127, as the two cu_mask lines of a vdev file.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace vdcu::dcu {

class CuMask {
 public:
  constexpr CuMask() = default;
  constexpr CuMask(uint64_t low, uint64_t high) : words_{low, high} {}

  // Units 0 .. count-1. 0 <= count <= 128.
  static CuMask FirstUnits(int count);
  // Two lines "0x%016x" (units 0-63, units 64-127). Errors: kInvalid.
  static base::Result<CuMask> Parse(std::string_view low, std::string_view high);

  constexpr uint64_t low() const { return words_[0]; }
  constexpr uint64_t high() const { return words_[1]; }
  constexpr int Count() const { return std::popcount(words_[0]) + std::popcount(words_[1]); }
  constexpr bool empty() const { return (words_[0] | words_[1]) == 0; }
  constexpr bool Has(int unit) const { return (words_[unit / 64] >> (unit % 64)) & 1; }
  constexpr bool Intersects(const CuMask& other) const { return !(*this & other).empty(); }
  constexpr bool Contains(const CuMask& other) const { return (*this & other) == other; }

  // The `count` lowest units of this set. Needs Count() >= count.
  CuMask Lowest(int count) const;
  // "0x00000000000001ff", "0x0000000000000000"
  std::array<std::string, 2> Lines() const;

  friend constexpr CuMask operator&(const CuMask& a, const CuMask& b) {
    return {a.words_[0] & b.words_[0], a.words_[1] & b.words_[1]};
  }
  friend constexpr CuMask operator|(const CuMask& a, const CuMask& b) {
    return {a.words_[0] | b.words_[0], a.words_[1] | b.words_[1]};
  }
  friend constexpr CuMask operator~(const CuMask& a) { return {~a.words_[0], ~a.words_[1]}; }
  friend constexpr auto operator<=>(const CuMask&, const CuMask&) = default;

 private:
  std::array<uint64_t, 2> words_{0, 0};
};

}  // namespace vdcu::dcu
