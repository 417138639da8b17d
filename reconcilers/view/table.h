// What is known of the objects of one kind, by "namespace/name": a row is open while something is
// going on with its object, and packed while it is at rest.
//
// Promises: a row reads the same whether it is packed or open; an entry is never edited, only
// replaced, so what was found stays what it was for as long as anybody has it. Entry has: Packed,
// the small form; std::optional<Packed> Pack() const, nothing where that cannot hold all; and
// static Entry Unpack(const Packed&, std::string_view key).
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
  Table() { packed_.max_load_factor(2); }

  // Null: no such row.
  Ptr Find(std::string_view key) const {
    const base::Symbol symbol(key);
    if (const auto open = open_.find(symbol); open != open_.end()) return open->second;
    const auto packed = packed_.find(symbol);
    if (packed == packed_.end()) return nullptr;
    return std::make_shared<const Entry>(Entry::Unpack(packed->second, key));
  }
  size_t size() const { return open_.size() + packed_.size(); }

  // Packed where it can be.
  void Set(std::string_view key, Entry entry) {
    const base::Symbol symbol(key);
    if (auto packed = entry.Pack()) {
      packed_[symbol] = std::move(*packed);
      open_.erase(symbol);
    } else {
      open_[symbol] = std::make_shared<const Entry>(std::move(entry));
      packed_.erase(symbol);
    }
  }
  // Nothing where there is no such row.
  template <class Edit>
  void Change(std::string_view key, const Edit& edit) {
    const Ptr found = Find(key);
    if (!found) return;
    Entry entry = *found;
    edit(entry);
    Set(key, std::move(entry));
  }
  void Erase(std::string_view key) {
    const base::Symbol symbol(key);
    open_.erase(symbol);
    packed_.erase(symbol);
  }

  template <class Visit>
  void ForEachOpen(const Visit& visit) const {
    for (const auto& [key, entry] : open_) visit(key.view(), *entry);
  }
  template <class VisitOpen, class VisitPacked>
  void ForEach(const VisitOpen& visit_open, const VisitPacked& visit_packed) const {
    ForEachOpen(visit_open);
    for (const auto& [key, packed] : packed_) visit_packed(key.view(), packed);
  }
  template <class Visit>
  void ForEachKey(const Visit& visit) const {
    for (const auto& [key, entry] : open_) visit(key.view());
    for (const auto& [key, packed] : packed_) visit(key.view());
  }

 private:
  // A key is in one of them at most.
  std::unordered_map<base::Symbol, Ptr> open_;
  std::unordered_map<base::Symbol, typename Entry::Packed> packed_;
};

}  // namespace vdcu::reconcilers
