// A value that is held once, however many have it: what many objects have alike.
//
// Promises: it has the size of a pointer; equal values are one, freed with the last Interned that
// has it; the value never changes. T has an order (<).
#pragma once

#include <compare>
#include <cstddef>
#include <map>
#include <utility>

namespace vdcu::base {

template <class T>
class Interned {
 public:
  Interned() : Interned(T()) {}
  explicit Interned(T value) : shared_(&*Pool().try_emplace(std::move(value), 0).first) {
    ++shared_->second;
  }
  Interned(const Interned& other) noexcept : shared_(other.shared_) { ++shared_->second; }
  Interned& operator=(Interned other) noexcept {
    std::swap(shared_, other.shared_);
    return *this;
  }
  ~Interned() {
    if (--shared_->second == 0) Pool().erase(Pool().find(shared_->first));
  }

  friend bool operator==(const Interned& a, const Interned& b) { return a.shared_ == b.shared_; }
  friend auto operator<=>(const Interned& a, const Interned& b) { return *a <=> *b; }

  const T& operator*() const { return shared_->first; }
  const T* operator->() const { return &shared_->first; }

  // How many different values there are.
  static size_t pool_size() { return Pool().size(); }

 private:
  using Users = std::map<T, size_t>;

  // Never destroyed: values may be static.
  static Users& Pool() {
    static auto* const pool = new Users;
    return *pool;
  }

  typename Users::value_type* shared_;
};

}  // namespace vdcu::base
