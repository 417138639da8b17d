#include "dcu/card_prices.h"

#include <algorithm>

namespace vdcu::dcu {

namespace {

using Vector = std::vector<double>;

constexpr double kExact = 1e-9;

// How a card is best cut at these prices: what that is worth, and how often each size is cut.
struct Pattern {
  double worth = 0;
  Vector counts;
};

// Of the sizes, which are in order, those that are worth more than any smaller one.
std::vector<size_t> Undominated(const std::vector<DemandedSize>& sizes, const Vector& prices) {
  std::vector<size_t> left;
  double most = 0;
  for (size_t i = 0; i < sizes.size(); ++i) {
    if (prices[i] <= most + kExact) continue;
    most = prices[i];
    left.push_back(i);
  }
  return left;
}

Pattern BestPattern(const std::vector<DemandedSize>& sizes, const Vector& prices) {
  const std::vector<size_t> undominated = Undominated(sizes, prices);
  std::array<std::array<double, kCardParts + 1>, kMaxSlicesPerCard + 1> worth{};
  std::array<std::array<int, kCardParts + 1>, kMaxSlicesPerCard + 1> cut;
  for (int slices = 1; slices <= kMaxSlicesPerCard; ++slices) {
    worth[slices] = worth[slices - 1];
    cut[slices].fill(-1);
    for (const size_t i : undominated) {
      for (int parts = sizes[i].parts; parts <= kCardParts; ++parts) {
        const double with = worth[slices - 1][parts - sizes[i].parts] + prices[i];
        if (with <= worth[slices][parts] + kExact) continue;
        worth[slices][parts] = with;
        cut[slices][parts] = static_cast<int>(i);
      }
    }
  }
  Pattern best{worth[kMaxSlicesPerCard][kCardParts], Vector(sizes.size())};
  for (int slices = kMaxSlicesPerCard, parts = kCardParts; slices > 0; --slices) {
    const int size = cut[slices][parts];
    if (size < 0) continue;
    ++best.counts[size];
    parts -= sizes[size].parts;
  }
  return best;
}

// The revised simplex method on: as few cards as can be, each cut by some pattern, so that each
// size is cut as often as it is asked for. A pattern enters when it is worth more than its card.
class CuttingStock {
 public:
  explicit CuttingStock(const std::vector<DemandedSize>& sizes)
      : sizes_(sizes),
        cost_(sizes.size(), 1),
        cards_(sizes.size()),
        inverse_(sizes.size(), Vector(sizes.size())) {
    for (size_t i = 0; i < sizes.size(); ++i) {
      const double in_one = std::min(kMaxSlicesPerCard, kCardParts / sizes[i].parts);
      inverse_[i][i] = 1 / in_one;
      cards_[i] = sizes[i].count / in_one;
    }
  }

  // Of each size, in cards.
  Vector Prices() {
    constexpr int kMostSteps = 500;  // dozens are the rule
    Vector prices = Duals();
    for (int step = 0; step < kMostSteps && Improve(prices); ++step) prices = Duals();
    for (double& price : prices) price = std::max(price, 0.0);
    return prices;
  }

 private:
  // Whether there was a better column.
  bool Improve(const Vector& prices) {
    const auto lowest = std::min_element(prices.begin(), prices.end());
    if (*lowest < -kExact) {  // more of it than is asked for costs nothing
      Vector surplus(sizes_.size());
      surplus[lowest - prices.begin()] = -1;
      return Enter(surplus, 0);
    }
    const Pattern best = BestPattern(sizes_, prices);
    return best.worth > 1 + 1e-7 && Enter(best.counts, 1);
  }

  Vector Duals() const {
    Vector prices(sizes_.size());
    for (size_t row = 0; row < sizes_.size(); ++row) {
      if (cost_[row] == 0) continue;
      for (size_t i = 0; i < sizes_.size(); ++i) prices[i] += cost_[row] * inverse_[row][i];
    }
    return prices;
  }

  bool Enter(const Vector& column, double cost) {
    Vector by(sizes_.size());
    for (size_t row = 0; row < sizes_.size(); ++row) {
      for (size_t i = 0; i < sizes_.size(); ++i) by[row] += inverse_[row][i] * column[i];
    }
    const size_t none = sizes_.size();
    size_t out = none;
    for (size_t row = 0; row < sizes_.size(); ++row) {
      if (by[row] <= kExact) continue;
      if (out == none || cards_[row] / by[row] < cards_[out] / by[out]) out = row;
    }
    if (out == none) return false;
    for (double& each : inverse_[out]) each /= by[out];
    cards_[out] /= by[out];
    cost_[out] = cost;
    for (size_t row = 0; row < sizes_.size(); ++row) {
      if (row == out || by[row] == 0) continue;
      cards_[row] -= cards_[out] * by[row];
      for (size_t i = 0; i < sizes_.size(); ++i) inverse_[row][i] -= inverse_[out][i] * by[row];
    }
    return true;
  }

  const std::vector<DemandedSize>& sizes_;
  Vector cost_;                  // of the columns of the basis
  Vector cards_;                 // cut by each
  std::vector<Vector> inverse_;  // of the basis
};

}  // namespace

CardPrices::CardPrices(const std::vector<DemandedSize>& demanded) {
  std::vector<DemandedSize> sizes = demanded;
  std::sort(sizes.begin(), sizes.end(),
            [](const DemandedSize& a, const DemandedSize& b) { return a.parts < b.parts; });
  if (sizes.empty()) {
    for (size_t slices = 1; slices < worth_.size(); ++slices) {
      for (int parts = 0; parts <= kCardParts; ++parts) {
        worth_[slices][parts] = static_cast<double>(parts) / kCardParts;
      }
    }
    return;
  }
  const Vector prices = CuttingStock(sizes).Prices();
  for (size_t slices = 1; slices < worth_.size(); ++slices) {
    worth_[slices] = worth_[slices - 1];
    for (size_t i = 0; i < sizes.size(); ++i) {
      for (int parts = sizes[i].parts; parts <= kCardParts; ++parts) {
        const double with = worth_[slices - 1][parts - sizes[i].parts] + prices[i];
        worth_[slices][parts] = std::max(worth_[slices][parts], with);
      }
    }
  }
  const double whole = worth_[kMaxSlicesPerCard][kCardParts];
  for (Row& row : worth_) {
    for (double& worth : row) worth /= whole;
  }
}

}  // namespace vdcu::dcu
