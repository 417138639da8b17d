// Finds cards for a request, or says why there are none.
//
// Promises: the same inventory, however it was built, and the same request give the same answer;
// at most 4 slices a card, none on a card in MIG mode, a whole card only where nothing else is;
// a slice whose sharing is kNamespace, asked for or there, is never on a card with one of another
// namespace; percent is rounded up to whole units of the card; a slice without memory gets all of
// the card's, one without units all units; the node filter is asked as rarely as can be: for nodes
// whose cards fit and that have room beside them, best first, until one passes; with
// kFragmentationAware until eight of each type of card have.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "dcu/assignment.h"
#include "dcu/inventory.h"
#include "dcu/units.h"

namespace vdcu::dcu {

// Not empty, all on one node: a pod's containers. Two whole cards are two whole slices.
// Units, percent and memory below 1 count as 1.
struct Request {
  std::vector<SliceRequest> slices;
  Policy policy = Policy::kBinPack;
  std::string ns = {};                // that asks
  Sharing share = Sharing::kCluster;  // the node's own may be stricter
  NodeNeeds node = {};                // what it takes beside cards
};

// Nothing: the node is fit. Else why not, as one countable phrase ("node has taint x").
using NodeFilter = std::function<std::optional<std::string>(const std::string& node)>;

struct Placement {
  std::string node;
  std::vector<Assignment> assignments;  // one for each of the request's slices, in their order
};

// Why nothing fits: nodes and cards, counted by reason; the most frequent first, then by text.
struct FitError {
  using Counts = std::vector<std::pair<std::string, int>>;

  int nodes = 0;
  Counts node_reasons;
  int cards = 0;  // of the nodes whose cards did not fit
  Counts card_reasons;

  // "0/3 nodes fit: 2 too little card memory (most free 1024 MiB), 1 node has taint x; 16 cards:
  // 10 too little memory, 6 too few compute units"
  std::string Message() const;
  // Of a single node: "too little card memory (most free 1024 MiB); 8 cards: 8 too little memory".
  std::string NodeMessage() const;
};

using Answer = std::variant<Placement, FitError>;

// Over all nodes. One without room for what the request takes beside cards (Inventory::SetRoom) is
// out; the filter is asked of it only to say why, when none is left.
Answer Allocate(const Inventory& inventory, const Request& request, const NodeFilter& filter);

// Only on these nodes (in the policy's order, not the list's). Whether they have room beside cards
// is the filter's to say.
Answer AllocateOn(const Inventory& inventory, const Request& request,
                  const std::vector<std::string>& nodes, const NodeFilter& filter);

// The verdict on one node: the cards and units that it would give, or why it fits none.
Answer AllocateOnNode(const Inventory& inventory, const Request& request, const std::string& node,
                      const NodeFilter& filter);

// How well the node suits the policy: of the nodes that fit a request Allocate takes the one with
// the highest score, of the same the one with the lower name. BinPack: fewer free units score
// higher; Spread: more. From 0 to kHighestScore. Nothing: no such node has reported.
// FragmentationAware has no score that holds for all requests: it scores as BinPack does.
inline constexpr int kHighestScore = kMaxCardsPerNode * kMaxComputeUnits;
std::optional<int> ScoreOf(const Inventory& inventory, const std::string& node, Policy policy);

}  // namespace vdcu::dcu
