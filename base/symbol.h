// A text that is held once, however many have it: names that are in many objects and indices.
//
// Promises: it has the size of a pointer; equal texts share one allocation, which is freed with the
// last Symbol that has it; to copy, move, compare for equality and hash costs the same for any
// length. Ordered as its text is. Making one from a text costs a look-up.
#pragma once

#include <compare>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace vdcu::base {

class Symbol {
 public:
  Symbol() = default;  // ""
  explicit Symbol(std::string_view text);
  Symbol(const Symbol& other) noexcept;
  Symbol(Symbol&& other) noexcept : shared_(std::exchange(other.shared_, nullptr)) {}
  Symbol& operator=(Symbol other) noexcept {
    std::swap(shared_, other.shared_);
    return *this;
  }
  ~Symbol();

  bool empty() const { return shared_ == nullptr; }
  // Holds as long as any Symbol of this text.
  std::string_view view() const;
  operator std::string_view() const { return view(); }  // NOLINT(google-explicit-constructor)
  std::string str() const { return std::string(view()); }
  size_t Hash() const { return std::hash<const void*>()(shared_); }

  friend bool operator==(const Symbol& a, const Symbol& b) { return a.shared_ == b.shared_; }
  friend bool operator==(const Symbol& a, std::string_view b) { return a.view() == b; }
  friend auto operator<=>(const Symbol& a, const Symbol& b) { return a.view() <=> b.view(); }
  friend auto operator<=>(const Symbol& a, std::string_view b) { return a.view() <=> b; }

 private:
  struct Shared;
  class Pool;

  Shared* shared_ = nullptr;  // null: ""
};

}  // namespace vdcu::base

template <>
struct std::hash<vdcu::base::Symbol> {
  size_t operator()(const vdcu::base::Symbol& symbol) const noexcept { return symbol.Hash(); }
};
