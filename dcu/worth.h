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

#include <cstdint>
#include <deque>
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

  const Supply& supply() const { return supply_; }
  const CardPrices& Prices() const;
  // Cpu (milli) and memory (MiB) that requests ask for beside a card; 0: none.
  double CpuOfCard() const { return OfCard(demand_.cpu()); }
  double MemoryOfCard() const { return OfCard(demand_.memory()); }

 private:
  // Of what a form asks for, this part is looked for on cards where it has that size.
  struct SizeShare {
    int parts = 0;
    int64_t cards = 0;
    int64_t of = 0;
  };
  struct Priced {
    std::vector<DemandedSize> sizes;
    CardPrices prices{{}};
    double cards = 0;  // that all requests take, in cards
  };

  std::vector<SizeShare> SharesOf(const DemandForm& form) const;
  std::vector<DemandedSize> Sizes() const;
  void Price() const;
  double OfCard(int64_t asked) const;

  Demand demand_;
  Supply supply_;
  // Made anew when what they are made of has changed.
  mutable uint64_t shares_version_ = ~uint64_t{0};
  mutable std::vector<std::vector<SizeShare>> shares_;  // by form
  mutable Priced priced_;
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
  double LossBy(const Way& way) const;

 private:
  // A form that could use some of the node.
  struct User {
    size_t form = 0;
    double weight = 0;  // of its kinds for which the cpu still does when it is taken
  };

  double WeightUpTo(size_t form, int64_t cpu) const;
  double Sellable(double cards, int64_t cpu, int64_t memory) const;
  std::vector<CardChange> ChangesBy(const Way& way) const;

  const Supply& supply_;
  const CardPrices& prices_;
  const NodeNeeds needs_;
  const double cpu_of_card_;
  const double memory_of_card_;
  std::vector<size_t> first_;  // of each form, in `upto_`
  std::vector<double> upto_;   // weights of a form's kinds, summed up

  // Of the node that is looked at.
  const NodeRest* rest_ = nullptr;
  double cards_ = 0;        // prices of its cards' rests
  double lost_by_cpu_ = 0;  // weighed parts for which the cpu does no longer
  std::vector<User> users_;
};

}  // namespace vdcu::dcu
