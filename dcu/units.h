// Quantities of a card, as types: memory is counted in whole MiB everywhere.
#pragma once

#include <compare>
#include <cstdint>

namespace vdcu::dcu {

struct MiB {
  int64_t value = 0;

  friend constexpr auto operator<=>(MiB, MiB) = default;
  friend constexpr MiB operator+(MiB a, MiB b) { return {a.value + b.value}; }
  friend constexpr MiB operator-(MiB a, MiB b) { return {a.value - b.value}; }
  constexpr MiB& operator+=(MiB other) { return *this = *this + other; }
};

inline constexpr int64_t kBytesPerMiB = 1024 * 1024;
inline constexpr int kMaxComputeUnits = 128;  // two 64-bit masks in a vdev file
inline constexpr int kMaxCardsPerNode = 64;   // what a DCUNode holds
inline constexpr int kMaxSlicesPerCard = 4;   // pipes 0..3; the driver has no more

// The units that `percent` of a card of `card_units` is: rounded up to whole units.
constexpr int UnitsOfPercent(int card_units, int percent) {
  return (card_units * percent + 99) / 100;
}

}  // namespace vdcu::dcu
