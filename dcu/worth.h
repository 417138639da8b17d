// What is left of nodes, rated by what it is worth to the requests that there are.
//
//   W(node) = min(the prices of its cards' rests (card_prices.h), its free cpu and memory in cards)
//           + 1/30 * the sum over kinds k of  share_k * (F / S_k)^2 * usable_k(node)     [in cards]
//
// usable_k: what of the node's cards kind k could use; S_k: the same of all nodes; F: all that is
// free; share_k: the part of the requests that are of the kind. So a card beside which there is no
// cpu left, or whose rest nobody asks for, is worth nothing, and what only few cards can serve is
// dear. docs/decisions/0003 tells where the rule comes from.
//
// Promise: W is a function of demand and nodes, not of their history.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <vector>

#include "dcu/card.h"
#include "dcu/card_prices.h"
#include "dcu/demand.h"
#include "dcu/supply.h"

namespace vdcu::dcu {

class Worth {
 public:
  explicit Worth(const std::deque<CardType>& types) : supply_(types) {}

  // `count` more requests for these slices exist, or less.
  void AddDemand(const std::vector<SliceRequest>& slices, const NodeNeeds& needs, int count);
  void SetNode(const Node& node) { supply_.SetNode(node); }
  void RemoveNode(const Node& node) { supply_.RemoveNode(node); }
  bool anything_asked() const { return !demand_.empty(); }

  // What the demand makes of cards. It holds until the next call.
  struct Terms {
    const CardPrices* prices = nullptr;
    // That requests ask for beside a card; 0: none.
    double cpu = 0;     // milli
    double memory = 0;  // MiB
  };

  const Supply& supply() const { return supply_; }
  Terms TermsNow() const;

 private:
  // Of what a form asks for, this part is looked for on cards where it has that size.
  struct SizeShare {
    int parts = 0;
    int64_t cards = 0;
    int64_t of = 0;
  };
  using Sizes = std::vector<DemandedSize>;
  struct Priced {
    CardPrices prices;
    double cards = 0;  // that all requests take, in cards
  };
  static constexpr size_t kMostPriced = 32;

  std::vector<SizeShare> SharesOf(const DemandForm& form) const;
  void CountSizes() const;
  Sizes SizesNow() const;
  const Priced& PricedNow() const;

  Demand demand_;
  Supply supply_;
  // What is derived from them, made anew where it has changed.
  mutable uint64_t counted_version_ = ~uint64_t{0};
  mutable std::vector<std::vector<SizeShare>> shares_;    // by form
  mutable std::vector<int64_t> counted_;                  // requests, by form
  mutable std::array<int64_t, kCardParts + 1> counts_{};  // thousandths of requests, by size
  mutable std::map<Sizes, Priced> priced_;  // of late: where pods come and go they come back
};

// Rates what requests that take so much beside cards would leave of nodes, while neither demand nor
// nodes change.
class Rating {
 public:
  Rating(const Worth& worth, const NodeNeeds& needs);

  // The node that is looked at from now on.
  void Open(const Node& node);
  // What it is worth now less what it would be worth then, in cards. No parts: cpu and memory alone
  // are taken.
  double LossBy(std::span<const CardPart> way);

 private:
  // A form that could use some of the node.
  struct User {
    size_t form = 0;
    double weight = 0;  // of its kinds for which the cpu still does when it is taken
  };

  double WeightUpTo(size_t form, int64_t cpu) const;
  double Sellable(double cards, int64_t cpu, int64_t memory) const;
  void SetChanges(std::span<const CardPart> way);

  const Supply& supply_;
  const Worth::Terms terms_;
  const NodeNeeds needs_;
  std::vector<size_t> first_;  // of each form, in `upto_`
  std::vector<double> upto_;   // weights of a form's kinds, summed up

  // Of the node that is looked at.
  const NodeRest* rest_ = nullptr;
  double cards_ = 0;        // prices of its cards' rests
  double lost_by_cpu_ = 0;  // weighed parts for which the cpu does no longer
  std::vector<User> users_;
  std::vector<CardChange> changes_;  // by the way that is looked at
};

}  // namespace vdcu::dcu
