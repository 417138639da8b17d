// What the rest of a card is worth to a mix of requests: the shadow prices of the cutting-stock
// problem "cut these sizes from as few cards as can be" (Gilmore and Gomory, 1961).
//
// A rest that no size of the mix can use is worth nothing; a whole card is worth 1. The prices are
// a function of the sizes alone.
#pragma once

#include <array>
#include <compare>
#include <vector>

#include "dcu/units.h"

namespace vdcu::dcu {

inline constexpr int kCardParts = 100;  // a card has so many

struct DemandedSize {
  int parts = 0;     // 1 to kCardParts
  double count = 0;  // above 0

  friend auto operator<=>(const DemandedSize&, const DemandedSize&) = default;
};

class CardPrices {
 public:
  // No sizes: a part is worth a part.
  explicit CardPrices(const std::vector<DemandedSize>& sizes);

  // Of `parts` that are left where `slices` more may come.
  double Of(int parts, int slices) const { return worth_[slices][parts]; }

 private:
  using Row = std::array<double, kCardParts + 1>;

  std::array<Row, kMaxSlicesPerCard + 1> worth_{};
};

}  // namespace vdcu::dcu
