// What is known of the objects of one kind, by "namespace/name": a row is open while something is
// going on with its object, and packed while it is at rest.
//
// Promises: a row reads the same whether it is packed or open; an open one stays where it is until
// it is packed or erased. Entry has: Packed, the small form; std::optional<Packed> Pack() const,
// nothing where that cannot hold all; and static Entry Unpack(const Packed&, std::string_view key).
#pragma once

#include <memory>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/symbol.h"

namespace vdcu::reconcilers {

template <class Entry>
class Table {
 public:
  using Ptr = std::shared_ptr<const Entry>;

  // Two rows a bucket: half the memory of one, and keys compare by address.
  Table() { rows_.max_load_factor(2); }

  // An entry while it is changed; packed again at the end where it can be. One at a time of a row.
  class Opened {
   public:
    Opened(Table& table, base::Symbol key)
        : table_(table), key_(std::move(key)), entry_(table.OpenRow(key_)) {}
    Opened(const Opened&) = delete;
    Opened& operator=(const Opened&) = delete;
    ~Opened() { table_.PackRow(key_); }

    Entry& operator*() const { return entry_; }
    Entry* operator->() const { return &entry_; }

   private:
    Table& table_;
    const base::Symbol key_;
    Entry& entry_;
  };

  // Of an open row the entry itself, else a copy. Null: no such row.
  Ptr Find(std::string_view key) const {
    const auto found = rows_.find(base::Symbol(key));
    if (found == rows_.end()) return nullptr;
    const Row& row = found->second;
    if (row.open) return Ptr(Ptr(), row.open.get());
    return std::make_shared<const Entry>(Entry::Unpack(row.packed, key));
  }
  bool Contains(std::string_view key) const { return rows_.contains(base::Symbol(key)); }
  size_t size() const { return rows_.size(); }

  // Makes the row where there is none.
  Opened Open(std::string_view key) { return Opened(*this, base::Symbol(key)); }
  void Erase(std::string_view key) { rows_.erase(base::Symbol(key)); }

  template <class Visit>
  void ForEachOpen(const Visit& visit) const {
    for (const auto& [key, row] : rows_) {
      if (row.open) visit(key.view(), *row.open);
    }
  }
  template <class VisitOpen, class VisitPacked>
  void ForEach(const VisitOpen& visit_open, const VisitPacked& visit_packed) const {
    for (const auto& [key, row] : rows_) {
      row.open ? visit_open(key.view(), *row.open) : visit_packed(key.view(), row.packed);
    }
  }
  template <class Visit>
  void ForEachKey(const Visit& visit) const {
    for (const auto& [key, row] : rows_) visit(key.view());
  }

 private:
  struct Row {
    typename Entry::Packed packed;  // of no meaning while open
    std::unique_ptr<Entry> open;
  };

  Entry& OpenRow(const base::Symbol& key) {
    const auto [found, is_new] = rows_.try_emplace(key);
    Row& row = found->second;
    if (row.open) return *row.open;
    row.open = std::make_unique<Entry>(is_new ? Entry() : Entry::Unpack(row.packed, key));
    row.packed = {};
    return *row.open;
  }
  void PackRow(const base::Symbol& key) {
    const auto found = rows_.find(key);
    if (found == rows_.end()) return;
    Row& row = found->second;
    auto packed = row.open->Pack();
    if (!packed) return;
    row.packed = std::move(*packed);
    row.open = nullptr;
  }

  std::unordered_map<base::Symbol, Row> rows_;
};

}  // namespace vdcu::reconcilers
