// Nodes ordered by (free units, name), where the next node that may fit is found in logarithmic
// time.
//
// A treap whose every subtree knows the best that its nodes offer (`Offer`), so that subtrees
// without a fit are skipped whole. An offer is exact in compute units, and of one node in what it
// has beside cards; it counts card memory in classes of at most a quarter's width: what it rules
// out never fits, what it lets through is checked again. Ownership: the entries are the caller's;
// an entry is in one tree at most and stays where it is.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "dcu/assignment.h"
#include "dcu/demand.h"
#include "dcu/units.h"

namespace vdcu::dcu {

struct Node;

// What is looked for: one slice of `units` and `memory`, or `whole_cards` unused cards; and room
// for `node` beside them.
struct Ask {
  int units = 0;
  MiB memory;
  bool all_memory = false;  // a card without used memory; `memory` is not looked at
  int whole_cards = 0;      // above 0: units and memory are not looked at
  NodeNeeds node = {};
};

// The best of a node, or of many: each figure on its own is reached by one of them.
struct Offer {
  static constexpr int kClasses = 64;

  // units[c]: most free units on one card whose free memory is in class c or above.
  std::array<uint8_t, kClasses> units{};
  uint8_t untouched_units = 0;  // the same on one card without used memory
  uint16_t whole_cards = 0;     // unused cards on one node
  NodeNeeds room;               // beside cards

  static int MemoryClass(MiB memory);
  void AddCard(int free_units, MiB free_memory, bool untouched);
  void Raise(const Offer& other);
  bool MayFit(const Ask& ask) const;
  friend bool operator==(const Offer&, const Offer&) = default;
};

struct NodeEntry {
  const Node* node = nullptr;
  std::string_view name;
  int type = 0;  // the tree it is for: CardType::id
  int free_units = 0;
  Offer own;

  // Kept by the tree.
  Offer best;
  uint32_t priority = 0;
  NodeEntry* left = nullptr;
  NodeEntry* right = nullptr;
};

class NodeTree {
 public:
  void Insert(NodeEntry* entry);
  void Erase(NodeEntry* entry);

  // The first that may fit, in the policy's order: Spread the emptiest first, the others the
  // fullest; of the same the lower name. Null: none.
  const NodeEntry* First(const Ask& ask, Policy policy) const;
  const NodeEntry* Next(const NodeEntry* entry, const Ask& ask, Policy policy) const;

 private:
  NodeEntry* root_ = nullptr;
};

}  // namespace vdcu::dcu
