// Finds cards for a request, or says why there are none.
//
// Promises: the same inventory, however it was built, and the same request give the same answer;
// at most 4 slices a card, none on a card in MIG mode, a whole card only where nothing else is;
// a slice whose sharing is kNamespace, asked for or there, is never on a card with one of another
// namespace; percent is rounded up to whole units of the card; a slice without memory gets all of
// the card's, one without units all units; the node filter is asked as rarely as can be: for nodes
// whose cards fit, best first, until one passes.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "dcu/assignment.h"
#include "dcu/inventory.h"

namespace vdcu::dcu {

// Not empty, all on one node: a pod's containers. Two whole cards are two whole slices.
// Units, percent and memory below 1 count as 1.
struct Request {
  std::vector<SliceRequest> slices;
  Policy policy = Policy::kBinPack;
  std::string ns = {};                // that asks
  Sharing share = Sharing::kCluster;  // the node's own may be stricter
};

// Nothing: the node is fit. Else why not, as one countable phrase ("node has taint x").
using NodeFilter = std::function<std::optional<std::string>(const std::string& node)>;

struct Placement {
  std::string node;
  std::vector<Assignment> assignments;  // one for each of the request's slices, in their order
};

// Why nothing fits: nodes and cards, counted by reason; the most frequent first, then by text.
struct Refusal {
  using Counts = std::vector<std::pair<std::string, int>>;

  int nodes = 0;
  Counts node_reasons;
  int cards = 0;  // of the nodes whose cards did not fit
  Counts card_reasons;

  // "0/3 nodes fit: 2 too little card memory (most free 1024 MiB), 1 node has taint x; 16 cards:
  // 10 too little memory, 6 too few compute units"
  std::string Message() const;
};

using Answer = std::variant<Placement, Refusal>;

// Over all nodes.
Answer Allocate(const Inventory& inventory, const Request& request, const NodeFilter& filter);

// Only on these nodes (in the policy's order, not the list's).
Answer AllocateOn(const Inventory& inventory, const Request& request,
                  const std::vector<std::string>& nodes, const NodeFilter& filter);

}  // namespace vdcu::dcu
