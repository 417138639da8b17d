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

// One decision: tries nodes until one takes the request, and remembers why the filter refused some.
class Decision {
 public:
  Decision(const Inventory& inventory, const Request& request, const NodeFilter& filter)
      : fit_(inventory, request), filter_(filter) {}

  Fit& fit() { return fit_; }

  std::optional<Placement> Try(const Node& node) {
    auto assignments = fit_.Place(node);
    if (!assignments) return std::nullopt;
    std::optional<std::string> unfit;
    if (filter_) unfit = filter_(node.name);
    if (!unfit) return Placement{node.name, std::move(*assignments)};
    filtered_.emplace(&node, std::move(*unfit));
    return std::nullopt;
  }

  // Needs a node that Try has refused, or would.
  void Explain(const Node& node, Tally& tally) {
    if (!node.ready) return tally.AddNode("node not ready: its daemon does not report");
    const auto filtered = filtered_.find(&node);
    if (filtered != filtered_.end()) return tally.AddNode(filtered->second);
    tally.AddCards(node, fit_.Explain(node));
  }

 private:
  Fit fit_;
  const NodeFilter& filter_;
  std::unordered_map<const Node*, std::string> filtered_;
};

// What the index is asked for: a slice that the node must have room for, whatever else is asked.
Ask AskFor(const Need& need, const std::vector<Need>& needs, const CardType& type) {
  Ask ask;
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
  Candidates(const Inventory& inventory, const std::vector<Need>& needs, Policy policy)
      : policy_(policy) {
    const Need& need = needs.front();
    for (const CardType& type : inventory.types()) {
      if (need.units[type.id] == Need::kNotSelected) continue;
      Cursor cursor{&inventory.TreeOf(type), AskFor(need, needs, type), type.id, nullptr};
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

// Where some slice names its cards: the nodes that have one of them, so that no other is looked at.
std::optional<std::vector<const Node*>> NodesByUuid(const Inventory& inventory,
                                                    const Request& request) {
  for (const SliceRequest& slice : request.slices) {
    if (slice.devices->uuids.empty()) continue;
    std::vector<const Node*> nodes;
    for (const std::string& uuid : slice.devices->uuids) {
      const auto with_card = inventory.NodesWithCard(uuid);
      nodes.insert(nodes.end(), with_card.begin(), with_card.end());
    }
    SortNodes(nodes, request.policy);
    return nodes;
  }
  return std::nullopt;
}

std::optional<Placement> TryAll(Decision& decision, const std::vector<const Node*>& nodes) {
  for (const Node* node : nodes) {
    if (auto placement = decision.Try(*node)) return placement;
  }
  return std::nullopt;
}

// Of each type of card so many nodes are rated, the fullest first.
constexpr int kMostRated = 8;

// The best of the nodes that it is shown, by what is left of them.
class Rated {
 public:
  Rated(const Inventory& inventory, const Request& request, const NodeFilter& filter)
      : request_(request), filter_(filter), fit_(inventory, request), rating_(*inventory.worth()) {}

  // Whether the node fits.
  bool Rate(const Node& node) {
    auto ways = fit_.Ways(node);
    if (ways.empty() || (filter_ && filter_(node.name))) return false;
    const NodeRest rest = NodeRest::Of(node);
    const double before = rating_.Of(rest);
    for (auto& way : ways) {
      NodeRest after = rest;
      after.Take(way, request_.node);
      const double loss = before - rating_.Of(after);
      if (best_ && loss >= loss_ - 1e-9) continue;
      best_ = Placement{node.name, std::move(way)};
      loss_ = loss;
    }
    return true;
  }
  std::optional<Placement> Take() { return std::move(best_); }
  const std::vector<Need>& needs() const { return fit_.needs(); }

 private:
  const Request& request_;
  const NodeFilter& filter_;
  Fit fit_;
  Worth::Rating rating_;
  std::optional<Placement> best_;
  double loss_ = 0;
};

std::optional<Placement> TryRated(const Inventory& inventory, const Request& request,
                                  const NodeFilter& filter,
                                  const std::optional<std::vector<const Node*>>& named) {
  Rated rated(inventory, request, filter);
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
    return rated.Take();
  }
  Candidates candidates(inventory, rated.needs(), Policy::kBinPack);
  while (const Node* node = candidates.Next(left)) rate(*node);
  return rated.Take();
}

std::optional<Placement> TryIndexed(Decision& decision, const Inventory& inventory, Policy policy) {
  Candidates candidates(inventory, decision.fit().needs(), policy);
  while (const Node* node = candidates.Next()) {
    if (auto placement = decision.Try(*node)) return placement;
  }
  return std::nullopt;
}

}  // namespace

Answer Allocate(const Inventory& inventory, const Request& request, const NodeFilter& filter) {
  const auto named = NodesByUuid(inventory, request);
  const bool rates = request.policy == Policy::kFragmentationAware && inventory.worth() != nullptr;
  if (rates) {
    if (auto placement = TryRated(inventory, request, filter, named)) return std::move(*placement);
  }
  Decision decision(inventory, request, filter);
  auto placement =
      named ? TryAll(decision, *named) : TryIndexed(decision, inventory, request.policy);
  if (placement) return std::move(*placement);
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
  if (request.policy == Policy::kFragmentationAware && inventory.worth() != nullptr) {
    if (auto placement = TryRated(inventory, request, filter, known)) return std::move(*placement);
  }
  if (auto placement = TryAll(decision, known)) return std::move(*placement);
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
