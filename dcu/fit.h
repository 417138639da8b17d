// Can one node serve a request, with which of its cards, and if not, why not, card by card.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "dcu/allocator.h"

namespace vdcu::dcu {

// Of one card for one slice, in the order in which they are looked for.
enum class CardVerdict : uint8_t {
  kFits,
  kOtherModel,
  kOtherUuid,
  kMig,
  kUnhealthy,
  kCordoned,
  kUnits,
  kMemory,
  kInUse,
  kShared,  // has slices that it may not stand beside
  kNoPipe,
  kNotTogether,  // would fit if the request had no other slice
};

// One slice of a request, made ready for many cards.
struct Need {
  const SliceRequest* slice = nullptr;
  size_t index = 0;             // in the request
  bool same_as_before = false;  // asks what the need before it asks
  bool whole = false;
  MiB memory;               // at least 1; not looked at when all_memory
  bool all_memory = false;  // of a card that has none used
  std::vector<int> units;   // by CardType::id, at least 1; kNotSelected: not one of its models
  int most_units = 0;       // of the types that there are

  static constexpr int kNotSelected = -1;
};

// What is left of a card while slices are being put on it.
struct Room {
  const Card* card = nullptr;
  CuMask units;
  int free_units = 0;
  MiB memory;
  uint8_t pipes = 0;
  uint8_t slots = 0;       // slices that may still come
  bool unused = false;     // no slice
  bool shared = false;     // with a namespace that the request's may not share it with
  bool untouched = false;  // no memory used
};

// Whether cards of the model may serve a request of that selector.
bool SelectsModel(const DeviceSelector& selector, const std::string& model);
// Units that the slice asks of a card of `card_units`, at least 1.
int UnitsAsked(const SliceRequest& slice, int card_units);

class Fit {
 public:
  Fit(const Inventory& inventory, const Request& request);

  // The hardest to place first: whole cards, then most units, then most memory.
  const std::vector<Need>& needs() const { return needs_; }

  std::optional<Way> Place(const Node& node);

  // Ways to serve the request on this node, one for each card that makes a difference; of several
  // slices the way of Place alone. One after the other, each with a part for each slice; they hold
  // until the next call.
  std::span<const CardPart> Ways(const Node& node);

  // One for each slice of the request, in its order.
  std::vector<Assignment> Assignments(const Node& node, const Way& way) const;

  struct Explanation {
    const Need* need = nullptr;         // the first that no card fits; the first if each has one
    std::vector<CardVerdict> verdicts;  // of the reported cards, in the node's order
  };
  // Needs a node where Place found nothing. The explanation holds until the next call.
  const Explanation& Explain(const Node& node);

 private:
  void OpenRooms(const Node& node);
  bool HasEnoughRooms() const;
  bool Search(size_t depth, std::vector<bool> tried);
  std::vector<size_t> Candidates(const Need& need, const std::vector<bool>& tried) const;
  static CardPart Take(const Need& need, Room& room);
  Sharing SharingOn(const Node& node) const { return Stricter(share_, node.share); }

  std::vector<Need> needs_;
  const base::Symbol ns_;
  const Sharing share_;
  Policy policy_;
  bool by_uuid_ = false;  // does any need select cards by uuid?

  // Of the node that is looked at.
  std::vector<Room> rooms_;
  Way way_;                     // by Need::index
  std::vector<CardPart> ways_;  // one after the other
  int steps_left_ = 0;

  int steps_in_all_ = 0;
  Explanation explanation_;
};

}  // namespace vdcu::dcu
