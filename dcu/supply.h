// What is left of all nodes, and how much of it each kind of request could use.
//
// Promises: the sums are a function of kinds and nodes, not of their history; a change of a node
// costs the work of one node, a new kind that of all. Ownership: nodes are the inventory's.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

#include "dcu/card.h"
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
  int parts = 0;  // of kCardParts: the smaller of what is left in units and in memory

  static CardRest Of(const Card& card);
  CardRest Less(const CardPart& part) const;

 private:
  void CountParts();
};

// How a card changes when a slice gets a part of it.
struct CardChange {
  CardRest before;
  CardRest after;
};

// Kinds that ask the same of cards.
struct DemandForm {
  struct Kind {
    int64_t cpu = 0;
    int requests = 0;
    int64_t supply = 0;  // parts of all nodes that it could use
  };

  SliceRequest slice;
  int cards = 1;
  std::vector<Kind> kinds;  // by cpu
  std::vector<int> units;   // by CardType::id; kNotSelected: not of its models

  static constexpr int kNotSelected = -1;

  int64_t Requests() const;
  // What it could use of a card, if it is one slice.
  int UsableOf(const CardRest& card) const;
  int UsableOf(const std::vector<CardRest>& cards) const;
  // What of `usable`, which it could use of a node, goes with these changes.
  int LostBy(const std::vector<CardChange>& changes, int usable) const;
  // In parts of a card of that type and memory, rounded up; 0: it fits none.
  int SizeOn(const CardType& type, MiB memory) const;
};

// The usable cards of a ready node, and what it has beside them.
struct NodeRest {
  std::vector<CardRest> cards;
  NodeNeeds free;
  std::vector<int> usable;  // parts, by form
};

class Supply {
 public:
  using Shapes = std::map<std::pair<int, MiB>, int>;

  explicit Supply(const std::deque<CardType>& types) : types_(types) {}

  // So many requests of the kind count from now on.
  void SetRequests(const DemandKind& kind, int count);
  void SetNode(const Node& node);
  void RemoveNode(const Node& node);

  // By slice and cards.
  const std::vector<DemandForm>& forms() const { return forms_; }
  // Of all of them, by kind.
  int64_t requests() const { return requests_; }
  const NodeRest& RestOf(const Node& node) const { return rests_.at(&node); }
  int64_t free_parts() const { return free_parts_; }  // of all nodes
  // How many usable cards there are of each CardType::id and memory.
  const Shapes& shapes() const { return shapes_; }
  const CardType& type(int id) const { return types_[id]; }
  // Changes with forms and shapes.
  uint64_t version() const { return version_; }

 private:
  using Forms = std::vector<DemandForm>;

  Forms::iterator FormOf(const DemandKind& kind);
  void DropForm(Forms::iterator form);
  void LearnTypes();
  void Count(const NodeRest& rest, int sign);
  void CountShapes(const std::vector<CardRest>& before, const std::vector<CardRest>& after);

  const std::deque<CardType>& types_;
  Forms forms_;
  int64_t requests_ = 0;
  std::unordered_map<const Node*, NodeRest> rests_;
  int64_t free_parts_ = 0;
  Shapes shapes_;
  uint64_t version_ = 0;
};

}  // namespace vdcu::dcu
