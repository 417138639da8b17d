#include "dcu/node_tree.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <limits>

namespace vdcu::dcu {
namespace {

struct Key {
  int free_units;
  std::string_view name;

  friend auto operator<=>(const Key&, const Key&) = default;
};

Key KeyOf(const NodeEntry* entry) { return {entry->free_units, entry->name}; }

void Pull(NodeEntry* entry) {
  entry->best = entry->own;
  if (entry->left) entry->best.Raise(entry->left->best);
  if (entry->right) entry->best.Raise(entry->right->best);
}

// Left: keys below `key`; right: the others.
void Split(NodeEntry* tree, const Key& key, NodeEntry** left, NodeEntry** right) {
  if (!tree) {
    *left = *right = nullptr;
    return;
  }
  if (KeyOf(tree) < key) {
    Split(tree->right, key, &tree->right, right);
    *left = tree;
  } else {
    Split(tree->left, key, left, &tree->left);
    *right = tree;
  }
  Pull(tree);
}

// All keys of `left` are below all of `right`.
NodeEntry* Join(NodeEntry* left, NodeEntry* right) {
  if (!left) return right;
  if (!right) return left;
  if (left->priority > right->priority) {
    left->right = Join(left->right, right);
    Pull(left);
    return left;
  }
  right->left = Join(left, right->left);
  Pull(right);
  return right;
}

NodeEntry* Put(NodeEntry* tree, NodeEntry* entry) {
  if (!tree || tree->priority < entry->priority) {
    Split(tree, KeyOf(entry), &entry->left, &entry->right);
    Pull(entry);
    return entry;
  }
  NodeEntry*& child = KeyOf(entry) < KeyOf(tree) ? tree->left : tree->right;
  child = Put(child, entry);
  Pull(tree);
  return tree;
}

NodeEntry* Remove(NodeEntry* tree, const NodeEntry* entry) {
  if (tree == entry) return Join(tree->left, tree->right);
  NodeEntry*& child = KeyOf(entry) < KeyOf(tree) ? tree->left : tree->right;
  child = Remove(child, entry);
  Pull(tree);
  return tree;
}

// The lowest key that may fit and is at least (or, with `after`, above) `key`.
const NodeEntry* Lowest(const NodeEntry* tree, const Key& key, bool after, const Ask& ask) {
  if (!tree || !tree->best.MayFit(ask)) return nullptr;
  const bool in_range = after ? key < KeyOf(tree) : key <= KeyOf(tree);
  if (!in_range) return Lowest(tree->right, key, after, ask);
  if (const NodeEntry* found = Lowest(tree->left, key, after, ask)) return found;
  if (tree->own.MayFit(ask)) return tree;
  return Lowest(tree->right, key, after, ask);
}

// The most free units, below `below`, of a node that may fit; -1: none.
int MostFreeUnits(const NodeEntry* tree, int below, const Ask& ask) {
  if (!tree || !tree->best.MayFit(ask)) return -1;
  if (tree->free_units >= below) return MostFreeUnits(tree->left, below, ask);
  const int right = MostFreeUnits(tree->right, below, ask);
  if (right >= 0) return right;
  if (tree->own.MayFit(ask)) return tree->free_units;
  return MostFreeUnits(tree->left, below, ask);
}

// The first, by name, of those with the most free units below `below`.
const NodeEntry* Emptiest(const NodeEntry* root, int below, const Ask& ask) {
  const int free_units = MostFreeUnits(root, below, ask);
  return free_units < 0 ? nullptr : Lowest(root, {free_units, ""}, false, ask);
}

uint32_t Mix(std::string_view name) {
  const uint64_t hash = std::hash<std::string_view>()(name);
  return static_cast<uint32_t>((hash * 0x9e3779b97f4a7c15) >> 32);
}

}  // namespace

// Class 0 below 256 MiB, then four classes for each power of two.
int Offer::MemoryClass(MiB memory) {
  if (memory.value < 256) return 0;
  const int exponent = std::bit_width(static_cast<uint64_t>(memory.value)) - 1;
  const int quarter = static_cast<int>((memory.value >> (exponent - 2)) & 3);
  return std::min(1 + (exponent - 8) * 4 + quarter, kClasses - 1);
}

void Offer::AddCard(int free_units, MiB free_memory, bool untouched) {
  const auto value = static_cast<uint8_t>(free_units);
  const int last = MemoryClass(free_memory);
  for (int c = 0; c <= last; ++c) units[c] = std::max(units[c], value);
  if (untouched) untouched_units = std::max(untouched_units, value);
}

void Offer::Raise(const Offer& other) {
  for (int c = 0; c < kClasses; ++c) units[c] = std::max(units[c], other.units[c]);
  untouched_units = std::max(untouched_units, other.untouched_units);
  whole_cards = std::max(whole_cards, other.whole_cards);
  room = {std::max(room.cpu, other.room.cpu), std::max(room.memory, other.room.memory)};
}

bool Offer::MayFit(const Ask& ask) const {
  if (!ask.node.FitInto(room)) return false;
  if (ask.whole_cards > 0) return whole_cards >= ask.whole_cards;
  if (ask.all_memory) return untouched_units >= ask.units;
  return units[MemoryClass(ask.memory)] >= ask.units;
}

void NodeTree::Insert(NodeEntry* entry) {
  entry->priority = Mix(entry->name);
  entry->left = entry->right = nullptr;
  root_ = Put(root_, entry);
}

void NodeTree::Erase(NodeEntry* entry) { root_ = Remove(root_, entry); }

const NodeEntry* NodeTree::First(const Ask& ask, Policy policy) const {
  if (policy == Policy::kSpread) return Emptiest(root_, std::numeric_limits<int>::max(), ask);
  return Lowest(root_, {0, ""}, false, ask);
}

const NodeEntry* NodeTree::Next(const NodeEntry* entry, const Ask& ask, Policy policy) const {
  const NodeEntry* next = Lowest(root_, KeyOf(entry), true, ask);
  if (policy != Policy::kSpread) return next;
  if (next && next->free_units == entry->free_units) return next;
  return Emptiest(root_, entry->free_units, ask);
}

}  // namespace vdcu::dcu
