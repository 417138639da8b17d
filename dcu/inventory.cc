#include "dcu/inventory.h"

#include <algorithm>
#include <functional>
#include <tuple>

namespace vdcu::dcu {
namespace {

MiB NotNegative(MiB memory) { return std::max(memory, MiB{0}); }

size_t HashOf(std::string_view uuid) { return std::hash<std::string_view>()(uuid); }

void FillSlice(const Assignment& from, std::string_view ns, Slice& slice) {
  slice.ns = base::Symbol(ns);
  slice.share = from.share;
  slice.units = from.units;
  slice.memory = NotNegative(from.memory);
  slice.whole = from.whole_card();
  slice.vdev = from.vdev.value_or(-1);
  const int pipe = from.pipe.value_or(-1);
  slice.pipe = static_cast<int8_t>(pipe >= 0 && pipe < kMaxSlicesPerCard ? pipe : -1);
}

bool SameGrant(const Slice& a, const Slice& b) {
  return a.units == b.units && a.memory == b.memory && a.whole == b.whole && a.vdev == b.vdev &&
         a.pipe == b.pipe && a.ns == b.ns && a.share == b.share;
}

bool ByUuid(const Card& card, std::string_view uuid) { return card.uuid < uuid; }

bool SameUuids(const std::vector<Card>& a, const std::vector<Card>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Card& x, const Card& y) {
    return x.uuid == y.uuid && x.reported == y.reported;
  });
}

NodeEntry& EntryOf(Node::Entries& entries, int type) {
  for (auto& entry : entries) {
    if (entry->type == type) return *entry;
  }
  entries.push_back(std::make_unique<NodeEntry>());
  entries.back()->type = type;
  return *entries.back();
}

// What a node's usable cards offer; not yet in any tree.
Node::Entries MakeEntries(const Node& node) {
  Node::Entries entries;
  int free_units = 0;
  uint16_t whole_cards = 0;
  for (const Card& card : node.cards) {
    if (!card.usable()) continue;
    NodeEntry& entry = EntryOf(entries, card.type->id);
    if (card.unused()) ++whole_cards;
    if (card.FreePipes() == 0) continue;
    const int units = card.free_units;
    const MiB memory = card.FreeMemory();
    free_units += units;
    if (units > 0 && memory.value > 0) {
      entry.own.AddCard(units, memory, card.used_memory.value == 0);
    }
  }
  for (auto& entry : entries) {
    entry->node = &node;
    entry->name = node.name;
    entry->free_units = free_units;
    entry->own.whole_cards = whole_cards;
    entry->own.room = node.free;
  }
  return entries;
}

bool SameEntries(const Node::Entries& a, const Node::Entries& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x->type == y->type && x->free_units == y->free_units && x->own == y->own;
  });
}

}  // namespace

const Card* Node::FindCard(std::string_view uuid) const {
  const auto found = std::lower_bound(cards.begin(), cards.end(), uuid, ByUuid);
  return found != cards.end() && found->uuid == uuid ? &*found : nullptr;
}

std::vector<int> Node::LowestFreeVdevs(size_t count) const {
  std::vector<int> used = occupied_vdevs;
  for (const Card& card : cards) {
    for (const Slice* slice = card.slices; slice; slice = slice->next) used.push_back(slice->vdev);
  }
  std::sort(used.begin(), used.end());
  std::vector<int> free;
  for (int vdev = 0; free.size() < count; ++vdev) {
    if (!std::binary_search(used.begin(), used.end(), vdev)) free.push_back(vdev);
  }
  return free;
}

Node& Inventory::NodeOf(const std::string& name) {
  const auto [found, is_new] = nodes_.try_emplace(name);
  if (is_new) found->second.name = name;
  return found->second;
}

const CardType* Inventory::InternType(const std::string& model, int compute_units) {
  for (const CardType& type : types_) {
    if (type.compute_units == compute_units && type.model == model) return &type;
  }
  types_.push_back({static_cast<int>(types_.size()), model, compute_units, 0});
  trees_.emplace_back();
  return &types_.back();
}

Card Inventory::MakeCard(const Device& device, const NodeOptions& options) {
  Card card;
  card.uuid = base::Symbol(device.uuid);
  card.pci_bus_id = base::Symbol(device.pci_bus_id);
  card.type = InternType(device.model, std::clamp(device.compute_units, 0, kMaxComputeUnits));
  if (!device.healthy) {
    const std::string& reason = device.reason.empty() ? "Unknown" : device.reason;
    card.reason = &*reasons_.insert(reason).first;
  }
  card.memory = NotNegative(device.memory);
  card.sliceable = NotNegative(device.memory - NotNegative(options.memory_reserve));
  card.mode = device.mode;
  card.reported = true;
  card.cordoned = options.unschedulable_devices.contains(device.uuid);
  card.Recount();
  return card;
}

void Inventory::SetNode(const std::string& name, const std::vector<Device>& devices,
                        const NodeOptions& options) {
  Node& node = NodeOf(name);
  std::vector<Card> cards;
  cards.reserve(devices.size());
  for (const Device& device : devices) cards.push_back(MakeCard(device, options));
  std::sort(cards.begin(), cards.end(), [](const Card& a, const Card& b) {
    return std::tie(a.uuid, a.pci_bus_id) < std::tie(b.uuid, b.pci_bus_id);
  });
  const auto same = [](const Card& a, const Card& b) { return a.uuid == b.uuid; };
  cards.erase(std::unique(cards.begin(), cards.end(), same), cards.end());
  if (!node.reported) ++reported_nodes_;
  node.reported = true;
  node.ready = options.ready;
  node.occupied_vdevs = options.occupied_vdevs;
  node.share = options.share;
  tells_namespaces_apart_ |= options.share == Sharing::kNamespace;
  ReplaceCards(node, std::move(cards));
  Reindex(node);
}

void Inventory::RemoveNode(const std::string& name) {
  const auto found = nodes_.find(name);
  if (found == nodes_.end() || !found->second.reported) return;
  Node& node = found->second;
  node.reported = node.ready = false;
  node.free = Node::kUnlimited;
  --reported_nodes_;
  ReplaceCards(node, {});
  Reindex(node);
  DropIfEmpty(node);
}

void Inventory::SetSlice(std::string_view id, const Assignment& assignment, std::string_view ns) {
  Slice wanted;
  FillSlice(assignment, ns, wanted);
  tells_namespaces_apart_ |= assignment.share == Sharing::kNamespace;
  const auto [found, is_new] = slices_.try_emplace(base::Symbol(id));
  Slice& slice = found->second;
  if (!is_new) {
    const bool same_place =
        slice.node->name == assignment.node && slice.card->uuid == assignment.device;
    if (same_place && SameGrant(slice, wanted)) return;
    Unlink(slice);
  }
  Node& node = NodeOf(assignment.node);
  Card& card = CardOf(node, assignment.device);
  slice = wanted;
  slice.node = &node;
  slice.card = &card;
  slice.next = card.slices;
  card.slices = &slice;
  card.Recount();
  Reindex(node);
}

bool Inventory::RemoveSlice(std::string_view id) {
  const auto found = slices_.find(base::Symbol(id));
  if (found == slices_.end()) return false;
  Unlink(found->second);
  slices_.erase(found);
  return true;
}

const Node* Inventory::Find(const std::string& name) const {
  const auto found = nodes_.find(name);
  return found != nodes_.end() && found->second.reported ? &found->second : nullptr;
}

std::vector<const Node*> Inventory::NodesWithCard(const std::string& uuid) const {
  std::vector<const Node*> nodes;
  const auto [first, last] = nodes_by_card_.equal_range(HashOf(uuid));
  for (auto it = first; it != last; ++it) nodes.push_back(it->second);
  return nodes;
}

Card& Inventory::CardOf(Node& node, std::string_view uuid) {
  auto place = std::lower_bound(node.cards.begin(), node.cards.end(), uuid, ByUuid);
  if (place != node.cards.end() && place->uuid == uuid) return *place;
  Card card;
  card.uuid = base::Symbol(uuid);
  card.type = InternType("", 0);
  place = node.cards.insert(place, std::move(card));
  for (Card& moved : node.cards) {
    for (Slice* slice = moved.slices; slice; slice = slice->next) slice->card = &moved;
  }
  return *place;
}

// Takes `cards` (sorted) as what the node reports; cards that still have slices stay, unreported.
void Inventory::ReplaceCards(Node& node, std::vector<Card> cards) {
  for (Card& old : node.cards) {
    if (!old.slices) continue;
    auto place = std::lower_bound(cards.begin(), cards.end(), old.uuid, ByUuid);
    if (place == cards.end() || place->uuid != old.uuid) {
      Card kept;
      kept.uuid = old.uuid;
      kept.type = InternType("", 0);
      place = cards.insert(place, std::move(kept));
    }
    place->slices = old.slices;
    place->Recount();
  }
  if (!SameUuids(node.cards, cards)) {
    for (const Card& old : node.cards) {
      const auto [first, last] = nodes_by_card_.equal_range(HashOf(old.uuid));
      const auto entry =
          std::find_if(first, last, [&](const auto& pair) { return pair.second == &node; });
      if (old.reported && entry != last) nodes_by_card_.erase(entry);
    }
    for (const Card& card : cards) {
      if (card.reported) nodes_by_card_.emplace(HashOf(card.uuid), &node);
    }
  }
  for (const Card& old : node.cards) types_[old.type->id].reported_cards -= old.reported;
  node.cards = std::move(cards);
  for (Card& card : node.cards) {
    types_[card.type->id].reported_cards += card.reported;
    for (Slice* slice = card.slices; slice; slice = slice->next) slice->card = &card;
  }
}

void Inventory::Unlink(Slice& slice) {
  Node& node = *slice.node;
  Card& card = *slice.card;
  Slice** link = &card.slices;
  while (*link != &slice) link = &(*link)->next;
  *link = slice.next;
  card.Recount();
  if (!card.reported && !card.slices) {
    node.cards.erase(node.cards.begin() + (&card - node.cards.data()));
    for (Card& moved : node.cards) {
      for (Slice* rest = moved.slices; rest; rest = rest->next) rest->card = &moved;
    }
  }
  Reindex(node);
  DropIfEmpty(node);
}

void Inventory::SetRoom(const std::string& name, const NodeNeeds& free) {
  const auto found = nodes_.find(name);
  if (found == nodes_.end() || found->second.free == free) return;
  found->second.free = free;
  Reindex(found->second);
}

void Inventory::AddDemand(const std::vector<SliceRequest>& slices, const NodeNeeds& needs,
                          int count) {
  if (!worth_) {
    worth_ = std::make_unique<Worth>(types_);
    for (const auto& [name, node] : nodes_) worth_->SetNode(node);
  }
  worth_->AddDemand(slices, needs, count);
}

void Inventory::Reindex(Node& node) {
  if (worth_) worth_->SetNode(node);
  Node::Entries entries;
  if (node.ready) entries = MakeEntries(node);
  if (SameEntries(node.entries, entries)) return;
  for (auto& old : node.entries) trees_[old->type].Erase(old.get());
  node.entries = std::move(entries);
  for (auto& entry : node.entries) trees_[entry->type].Insert(entry.get());
}

void Inventory::DropIfEmpty(Node& node) {
  if (node.reported || !node.cards.empty()) return;
  if (worth_) worth_->RemoveNode(node);
  nodes_.erase(std::string(node.name));
}

}  // namespace vdcu::dcu
