// What is left of nodes, rated by what it is worth to the requests that there are (Demand).
//
//   W(node) = min(the prices of its cards' rests (card_prices.h), its free cpu and memory in cards)
//           + 1/30 * the sum over kinds k of  share_k * (F / S_k)^2 * usable_k(node)     [in cards]
//
// usable_k: what of the node's cards kind k could use; S_k: the same of all nodes; F: all that is
// free; share_k: the part of the requests that are of the kind. So a card beside which there is no
// cpu left, or whose rest nobody asks for, is worth nothing, and what only few cards can serve is
// dear. docs/decisions/0003 tells where the rule comes from.
//
// Promises: W is a function of demand and nodes, not of their history; a change costs the work of
// one node, a new kind that of all. Only the kMostKinds most frequent kinds count, so that nobody
// makes changes or decisions slow for others by asking for ever other amounts. Ownership: nodes are
// the inventory's.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "dcu/card.h"
#include "dcu/card_prices.h"
#include "dcu/demand.h"

namespace vdcu::dcu {

struct Node;

struct CardRest {
  const Card* card = nullptr;  // while the node does not change
  const CardType* type = nullptr;
  MiB sliceable;
  int units = 0;
  MiB memory;
  int slots = 0;  // slices that may still come
  bool unused = false;

  // Of kCardParts: the smaller of what is left in units and in memory.
  int Parts() const;
};

// The usable cards of a ready node, and what it has beside them.
struct NodeRest {
  std::vector<CardRest> cards;
  int64_t cpu = 0;     // milli
  int64_t memory = 0;  // MiB

  static NodeRest Of(const Node& node);
  void Take(const std::vector<Assignment>& assignments, const NodeNeeds& needs);
};

class Worth {
 public:
  static constexpr size_t kMostKinds = 512;

  explicit Worth(const std::deque<CardType>& types) : types_(types) {}

  // `count` more requests for these slices exist, or less.
  void AddDemand(const std::vector<SliceRequest>& slices, const NodeNeeds& needs, int count);
  void SetNode(const Node& node);
  void RemoveNode(const Node& node);
  bool anything_asked() const { return !counts_.empty(); }

  // Rates what is left of nodes while neither demand nor nodes change.
  class Rating {
   public:
    explicit Rating(const Worth& worth);
    double Of(const NodeRest& rest) const;

   private:
    struct Weighed {
      size_t form = 0;
      int64_t cpu = 0;
      double weight = 0;
    };

    const Worth& worth_;
    std::vector<Weighed> kinds_;
    double cpu_of_card_ = 0;  // that requests ask for beside a card; 0: none
    double memory_of_card_ = 0;
  };

 private:
  // What is asked of cards: kinds that differ in cpu alone share one.
  struct Form {
    SliceRequest slice;
    int cards = 1;
    int kinds = 0;           // that have it
    std::vector<int> units;  // by CardType::id; kNotSelected: not of its models
  };
  struct Kind {
    size_t form = 0;
    int count = 0;
    int64_t supply = 0;  // parts of all nodes that it could use
  };
  using Kinds = std::map<DemandKind, Kind>;
  using Parts = std::vector<int>;  // by form
  struct Priced {
    std::vector<DemandedSize> sizes;
    CardPrices prices{{}};
  };

  static constexpr int kNotSelected = -1;

  void CountKind(const DemandKind& kind, int count);
  void ChooseKinds();
  void AddKind(const DemandKind& kind);
  void DropKind(Kinds::iterator kind);
  size_t FormOf(const DemandKind& kind);
  void LearnTypes();
  static int UsableParts(const Form& form, const NodeRest& rest);
  Parts UsableParts(const NodeRest& rest) const;
  void Supply(const NodeRest& rest, int sign);
  int SizeOn(const Form& form, int type, int64_t memory) const;
  std::vector<DemandedSize> Sizes() const;
  const Priced& Prices() const;

  const std::deque<CardType>& types_;
  std::map<DemandKind, int> counts_;                   // of all kinds; none is 0
  std::set<std::pair<int, DemandKind>> by_frequency_;  // counts_, turned round and negative
  Kinds kinds_;                                        // that count
  int64_t requests_ = 0;                               // of kinds_
  int64_t all_requests_ = 0;
  int64_t cpu_ = 0;     // milli, of all
  int64_t memory_ = 0;  // MiB, of all
  std::vector<Form> forms_;
  std::unordered_map<const Node*, NodeRest> rests_;
  int64_t free_parts_ = 0;                         // of all nodes
  std::map<std::pair<int, int64_t>, int> shapes_;  // usable cards by type and memory
  mutable Priced priced_;                          // made anew when the sizes have changed
};

}  // namespace vdcu::dcu
