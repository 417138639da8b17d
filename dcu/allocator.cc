#include "dcu/allocator.h"

#include <algorithm>
#include <unordered_map>

#include "dcu/fit.h"
#include "dcu/tally.h"

namespace vdcu::dcu {
namespace {

int FreeUnits(const Node& node) {
  return node.entries.empty() ? 0 : node.entries.front()->free_units;
}

int Score(const Node& node, Policy policy) {
  const int free_units = FreeUnits(node);
  return policy == Policy::kSpread ? free_units : kHighestScore - free_units;
}

bool Before(const Node& a, const Node& b, Policy policy) {
  const int left = Score(a, policy);
  const int right = Score(b, policy);
  return left == right ? a.name < b.name : left > right;
}

void SortNodes(std::vector<const Node*>& nodes, Policy policy) {
  std::sort(nodes.begin(), nodes.end(),
            [policy](const Node* a, const Node* b) { return Before(*a, *b, policy); });
  nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
}

std::string WhyNoRoom(const NodeNeeds& needs, const NodeNeeds& free) {
  return needs.cpu > free.cpu ? "node has too little cpu" : "node has too little memory";
}

// One decision: tries nodes, and remembers why the filter refused some.
class Decision {
 public:
  Decision(const Inventory& inventory, const Request& request, const NodeFilter& filter)
      : request_(request), fit_(inventory, request), filter_(filter) {}

  const Request& request() const { return request_; }
  Fit& fit() { return fit_; }

  // Whether the node is fit, cards aside.
  bool Passes(const Node& node) {
    if (!filter_) return true;
    if (filtered_.contains(&node)) return false;
    auto unfit = filter_(node.name);
    if (unfit) filtered_.emplace(&node, std::move(*unfit));
    return !unfit;
  }

  std::optional<Placement> Try(const Node& node) {
    const auto way = fit_.Place(node);
    if (!way || !Passes(node)) return std::nullopt;
    return Give(node, *way);
  }

  Placement Give(const Node& node, const Way& way) const {
    return {node.name, fit_.Assignments(node, way)};
  }

  // Needs a node that was tried, or that has no room beside its cards.
  void Explain(const Node& node, Tally& tally) {
    if (!node.ready) return tally.AddNode("node not ready: its daemon does not report");
    const bool has_room = request_.node.FitInto(node.free);
    if (!has_room && fit_.Place(node) && Passes(node)) {
      return tally.AddNode(WhyNoRoom(request_.node, node.free));
    }
    const auto filtered = filtered_.find(&node);
    if (filtered != filtered_.end()) return tally.AddNode(filtered->second);
    tally.AddCards(node, fit_.Explain(node));
  }

 private:
  const Request& request_;
  Fit fit_;
  const NodeFilter& filter_;
  std::unordered_map<const Node*, std::string> filtered_;
};

// What the index is asked for: a slice that the node must have room for, whatever else is asked,
// and what the request takes beside cards.
Ask AskFor(const std::vector<Need>& needs, const CardType& type, const NodeNeeds& node) {
  const Need& need = needs.front();
  Ask ask;
  ask.node = node;
  if (need.whole) {
    ask.whole_cards = static_cast<int>(
        std::count_if(needs.begin(), needs.end(), [](const Need& each) { return each.whole; }));
    return ask;
  }
  ask.units = need.units[type.id];
  ask.memory = need.memory;
  ask.all_memory = need.all_memory;
  return ask;
}

// The nodes of all types of card that a need selects, merged in the policy's order.
class Candidates {
 public:
  Candidates(const Inventory& inventory, const std::vector<Need>& needs, const NodeNeeds& node,
             Policy policy)
      : policy_(policy) {
    for (const CardType& type : inventory.types()) {
      if (needs.front().units[type.id] == Need::kNotSelected) continue;
      Cursor cursor{&inventory.TreeOf(type), AskFor(needs, type, node), type.id, nullptr};
      cursor.at = cursor.tree->First(cursor.ask, policy);
      if (cursor.at) cursors_.push_back(cursor);
    }
  }

  // The next of the types of which there are nodes left to rate.
  const Node* Next(const std::vector<int>& left) {
    std::erase_if(cursors_, [&](const Cursor& cursor) { return left[cursor.type] <= 0; });
    return Next();
  }
  // Null: no more.
  const Node* Next() {
    const Node* best = nullptr;
    for (const Cursor& cursor : cursors_) {
      if (cursor.at && (!best || Before(*cursor.at->node, *best, policy_))) best = cursor.at->node;
    }
    for (Cursor& cursor : cursors_) {
      if (cursor.at && cursor.at->node == best) {
        cursor.at = cursor.tree->Next(cursor.at, cursor.ask, policy_);
      }
    }
    return best;
  }

 private:
  struct Cursor {
    const NodeTree* tree;
    Ask ask;
    int type;
    const NodeEntry* at;
  };

  Policy policy_;
  std::vector<Cursor> cursors_;
};

// Where some slice names its cards: the nodes with room that have one of them, so that no other is
// looked at.
std::optional<std::vector<const Node*>> NodesByUuid(const Inventory& inventory,
                                                    const Request& request) {
  for (const SliceRequest& slice : request.slices) {
    if (slice.devices->uuids.empty()) continue;
    std::vector<const Node*> nodes;
    for (const std::string& uuid : slice.devices->uuids) {
      const auto with_card = inventory.NodesWithCard(uuid);
      nodes.insert(nodes.end(), with_card.begin(), with_card.end());
    }
    std::erase_if(nodes, [&](const Node* node) { return !request.node.FitInto(node->free); });
    SortNodes(nodes, request.policy);
    return nodes;
  }
  return std::nullopt;
}

// Of each type of card so many nodes are rated, the fullest first.
constexpr int kMostRated = 8;

// The best of the nodes that it is shown, by what is left of them.
class Rated {
 public:
  Rated(const Worth& worth, Decision& decision)
      : decision_(decision), rating_(worth, decision.request().node) {}

  // Whether the node fits.
  bool Rate(const Node& node) {
    const auto ways = decision_.fit().Ways(node);
    if (ways.empty() || !decision_.Passes(node)) return false;
    rating_.Open(node);
    const size_t parts = decision_.fit().needs().size();
    for (size_t first = 0; first < ways.size(); first += parts) {
      const auto way = ways.subspan(first, parts);
      const double loss = rating_.LossBy(way);
      if (node_ != nullptr && loss >= loss_ - 1e-9) continue;
      node_ = &node;
      way_.assign(way.begin(), way.end());
      loss_ = loss;
    }
    return true;
  }
  std::optional<Placement> Best() const {
    if (node_ == nullptr) return std::nullopt;
    return decision_.Give(*node_, way_);
  }

 private:
  Decision& decision_;
  Rating rating_;
  const Node* node_ = nullptr;  // the best
  Way way_;
  double loss_ = 0;
};

// `named`: no other nodes.
std::optional<Placement> TryRated(const Inventory& inventory, Decision& decision,
                                  const std::optional<std::vector<const Node*>>& named) {
  Rated rated(*inventory.worth(), decision);
  std::vector<int> left(inventory.types().size(), kMostRated);
  const auto rate = [&](const Node& node) {
    if (!rated.Rate(node)) return;
    for (const auto& entry : node.entries) --left[entry->type];
  };
  if (named) {
    const auto is_wanted = [&](const auto& entry) { return left[entry->type] > 0; };
    for (const Node* node : *named) {
      if (std::any_of(node->entries.begin(), node->entries.end(), is_wanted)) rate(*node);
    }
    return rated.Best();
  }
  Candidates candidates(inventory, decision.fit().needs(), decision.request().node,
                        Policy::kBinPack);
  while (const Node* node = candidates.Next(left)) rate(*node);
  return rated.Best();
}

std::optional<Placement> TryInOrder(const Inventory& inventory, Decision& decision,
                                    const std::optional<std::vector<const Node*>>& named) {
  if (named) {
    for (const Node* node : *named) {
      if (auto placement = decision.Try(*node)) return placement;
    }
    return std::nullopt;
  }
  const Request& request = decision.request();
  Candidates candidates(inventory, decision.fit().needs(), request.node, request.policy);
  while (const Node* node = candidates.Next()) {
    if (auto placement = decision.Try(*node)) return placement;
  }
  return std::nullopt;
}

std::optional<Placement> TryNodes(const Inventory& inventory, Decision& decision,
                                  const std::optional<std::vector<const Node*>>& named) {
  const bool rates = decision.request().policy == Policy::kFragmentationAware;
  return rates && inventory.worth() != nullptr ? TryRated(inventory, decision, named)
                                               : TryInOrder(inventory, decision, named);
}

}  // namespace

Answer Allocate(const Inventory& inventory, const Request& request, const NodeFilter& filter) {
  Decision decision(inventory, request, filter);
  if (auto placement = TryNodes(inventory, decision, NodesByUuid(inventory, request))) {
    return std::move(*placement);
  }
  Tally tally;
  for (const auto& [name, node] : inventory.nodes()) {
    if (node.reported) decision.Explain(node, tally);
  }
  return tally.Finish();
}

Answer AllocateOn(const Inventory& inventory, const Request& request,
                  const std::vector<std::string>& nodes, const NodeFilter& filter) {
  Decision decision(inventory, request, filter);
  Tally tally;
  std::vector<const Node*> known;
  for (const std::string& name : std::set<std::string>(nodes.begin(), nodes.end())) {
    if (const Node* node = inventory.Find(name)) {
      known.push_back(node);
    } else {
      tally.AddNode("node has reported no DCU cards");
    }
  }
  SortNodes(known, request.policy);
  if (auto placement = TryNodes(inventory, decision, known)) return std::move(*placement);
  for (const Node* node : known) decision.Explain(*node, tally);
  return tally.Finish();
}

Answer AllocateOnNode(const Inventory& inventory, const Request& request, const std::string& node,
                      const NodeFilter& filter) {
  return AllocateOn(inventory, request, {node}, filter);
}

std::optional<int> ScoreOf(const Inventory& inventory, const std::string& node, Policy policy) {
  const Node* found = inventory.Find(node);
  return found == nullptr ? std::nullopt : std::optional(Score(*found, policy));
}

}  // namespace vdcu::dcu
