// All cards of the cluster and what is granted on them, kept up to date change by change.
//
// Promises: the state depends on what was set, not on the order of the calls; a change costs the
// work of one node, never of all; slices may come before their node or card and outlive it: they
// count whenever the card is there.
// Ownership: pointers to nodes and cards hold until the next change.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/symbol.h"
#include "dcu/assignment.h"
#include "dcu/device.h"
#include "dcu/node_tree.h"

namespace vdcu::dcu {

struct NodeOptions {
  std::set<std::string> unschedulable_devices;  // uuids
  MiB memory_reserve;                           // of each card, kept from slices
  std::vector<int> occupied_vdevs;              // numbers that are nobody's to give
  bool ready = false;                           // the node's daemon has reported and is alive
  Sharing share = Sharing::kCluster;            // kNamespace: of new slices
};

// Cards alike, held once for the cluster.
struct CardType {
  int id = 0;  // 0, 1, 2, ... in order of first sight
  std::string model;
  int compute_units = 0;
  int reported_cards = 0;  // 0: a type of the past
};

struct Card;

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

  // The union of the slices on it.
  bool taken_whole = false;
  uint8_t used_pipes = 0;  // bits 0..3
  uint32_t slice_count = 0;
  CuMask used_units;
  MiB used_memory;
  Slice* slices = nullptr;

  bool healthy() const { return reason == nullptr; }
  // May anything be granted here, room aside?
  bool usable() const { return reported && healthy() && !cordoned && mode == Mode::kVdcu; }
  bool unused() const { return slice_count == 0; }
  CuMask FreeUnits() const;
  MiB FreeMemory() const;
  uint8_t FreePipes() const;  // bits 0..3; none when no further slice may be put on the card
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
};

}  // namespace vdcu::dcu
