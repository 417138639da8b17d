// A card of the inventory and the slices on it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/symbol.h"
#include "dcu/assignment.h"
#include "dcu/cu_mask.h"
#include "dcu/device.h"
#include "dcu/units.h"

namespace vdcu::dcu {

struct Card;
struct Node;

// Cards alike, held once for the cluster.
struct CardType {
  int id = 0;  // 0, 1, 2, ... in order of first sight
  std::string model;
  int compute_units = 0;
  int reported_cards = 0;  // 0: a type of the past
};

struct Slice {
  Card* card = nullptr;
  Node* node = nullptr;
  Slice* next = nullptr;  // on the same card
  CuMask units;
  MiB memory;
  base::Symbol ns;  // empty: not known, and so another than any
  int vdev = -1;
  int8_t pipe = -1;
  bool whole = false;
  Sharing share = Sharing::kCluster;
};

struct Card {
  base::Symbol uuid;
  base::Symbol pci_bus_id;
  const CardType* type = nullptr;
  const std::string* reason = nullptr;  // why it is not healthy; null: it is
  MiB memory;
  MiB sliceable;  // memory less the node's reserve
  Mode mode = Mode::kVdcu;
  bool reported = false;  // false: only slices name it
  bool cordoned = false;

  // The union of the slices on it, and what it takes to judge the card without looking at them.
  bool taken_whole = false;
  bool kept_apart = false;  // one of them shares the card with no other namespace
  uint8_t used_pipes = 0;   // bits 0..3
  uint32_t slice_count = 0;
  CuMask used_units;
  int free_units = 0;
  MiB used_memory;
  Slice* slices = nullptr;

  bool healthy() const { return reason == nullptr; }
  // May anything be granted here, room aside?
  bool usable() const { return reported && healthy() && !cordoned && mode == Mode::kVdcu; }
  bool unused() const { return slice_count == 0; }
  CuMask FreeUnits() const;
  MiB FreeMemory() const;
  uint8_t FreePipes() const;  // bits 0..3; none when no further slice may be put on the card
  // Whether a slice of this namespace would break what it, or one on the card, says of its sharing.
  bool IsSharedAgainst(const base::Symbol& ns, Sharing share) const;

  // The union anew, from `slices`. Needs the type.
  void Recount();
};

// What a slice of a request would get of a card.
struct CardPart {
  const Card* card = nullptr;
  CuMask units;
  MiB memory;
  int pipe = -1;  // -1: the whole card
};

// What a request would get of a node: a part for each of its slices, in their order.
using Way = std::vector<CardPart>;

}  // namespace vdcu::dcu
