// All cards of the cluster and what is granted on them, kept up to date change by change.
//
// Promises: the state depends on what was set, not on the order of the calls; a change costs the
// work of one node, never of all; slices may come before their node or card and outlive it: they
// count whenever the card is there.
// Ownership: pointers to nodes and cards hold until the next change.
#pragma once

#include <deque>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/symbol.h"
#include "dcu/assignment.h"
#include "dcu/card.h"
#include "dcu/demand.h"
#include "dcu/device.h"
#include "dcu/node_tree.h"
#include "dcu/worth.h"

namespace vdcu::dcu {

struct NodeOptions {
  std::set<std::string> unschedulable_devices;  // uuids
  MiB memory_reserve;                           // of each card, kept from slices
  std::vector<int> occupied_vdevs;              // numbers that are nobody's to give
  bool ready = false;                           // the node's daemon has reported and is alive
  Sharing share = Sharing::kCluster;            // kNamespace: of new slices
};

struct Node {
  using Entries = std::vector<std::unique_ptr<NodeEntry>>;

  std::string name;
  bool reported = false;  // false: only slices name it
  bool ready = false;
  Sharing share = Sharing::kCluster;
  std::vector<Card> cards;  // by uuid
  Entries entries;          // of a ready node: one for each type among the usable cards
  std::vector<int> occupied_vdevs;
  NodeNeeds free = kUnlimited;  // what the node has left beside cards

  static constexpr NodeNeeds kUnlimited{int64_t{1} << 50, MiB{int64_t{1} << 50}};

  const Card* FindCard(std::string_view uuid) const;
  // The `count` lowest numbers that no slice of the node has and that are not occupied, ascending.
  std::vector<int> LowestFreeVdevs(size_t count) const;
};

class Inventory {
 public:
  Inventory() { slices_.max_load_factor(2); }  // buckets cost memory, and ids compare fast
  Inventory(const Inventory&) = delete;
  Inventory& operator=(const Inventory&) = delete;

  void SetNode(const std::string& name, const std::vector<Device>& devices,
               const NodeOptions& options);
  void RemoveNode(const std::string& name);
  // What the node, which has reported, has left beside cards; unlimited before that is said.
  void SetRoom(const std::string& name, const NodeNeeds& free);

  // Replaces the slice of that id, wherever it was. Slices that overlap count as their union.
  // `ns`: the namespace that has it; empty: not known.
  void SetSlice(std::string_view id, const Assignment& assignment, std::string_view ns = {});
  // Was it there?
  bool RemoveSlice(std::string_view id);
  bool HasSlice(std::string_view id) const { return slices_.contains(base::Symbol(id)); }

  // Null: no such node has reported.
  const Node* Find(const std::string& name) const;
  size_t node_count() const { return reported_nodes_; }
  size_t slice_count() const { return slices_.size(); }
  // Whether any node or slice, now or before, keeps namespaces from sharing a card.
  bool TellsNamespacesApart() const { return tells_namespaces_apart_; }
  // Also nodes that only slices name: look at Node::reported.
  const std::unordered_map<std::string, Node>& nodes() const { return nodes_; }

  // `count` more requests for these slices exist, granted or not, or less: for
  // Policy::kFragmentationAware. The first, and one of a new kind, costs a look at all nodes.
  void AddDemand(const std::vector<SliceRequest>& slices, const NodeNeeds& needs, int count);
  // Null: nothing is asked for, as far as is known.
  const Worth* worth() const { return worth_ && worth_->anything_asked() ? worth_.get() : nullptr; }

  // For the allocator.
  const std::deque<CardType>& types() const { return types_; }
  const NodeTree& TreeOf(const CardType& type) const { return trees_[type.id]; }
  // Nodes that may have that card (by hash); each still has to be looked at.
  std::vector<const Node*> NodesWithCard(const std::string& uuid) const;

 private:
  Node& NodeOf(const std::string& name);
  const CardType* InternType(const std::string& model, int compute_units);
  Card MakeCard(const Device& device, const NodeOptions& options);
  Card& CardOf(Node& node, std::string_view uuid);
  void ReplaceCards(Node& node, std::vector<Card> cards);
  void Unlink(Slice& slice);
  void Reindex(Node& node);
  void DropIfEmpty(Node& node);

  std::unordered_map<std::string, Node> nodes_;
  std::unordered_map<base::Symbol, Slice> slices_;
  std::unordered_multimap<size_t, Node*> nodes_by_card_;  // by hash of uuid, reported cards
  std::deque<CardType> types_;                            // addresses are kept by cards
  std::vector<NodeTree> trees_;                           // by CardType::id
  std::set<std::string> reasons_;                         // addresses are kept by cards
  size_t reported_nodes_ = 0;
  bool tells_namespaces_apart_ = false;
  std::unique_ptr<Worth> worth_;
};

}  // namespace vdcu::dcu
