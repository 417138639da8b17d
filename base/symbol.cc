#include "base/symbol.h"

#include <cstdint>
#include <cstring>
#include <new>
#include <vector>

namespace vdcu::base {

// The text stands right behind it, in the same allocation.
struct Symbol::Shared {
  Shared* next;  // in the same bucket
  uint32_t users;
  uint32_t size;

  std::string_view text() const { return {reinterpret_cast<const char*>(this + 1), size}; }
};

// A hash table of its own, because std::unordered_set would double what a short text costs.
class Symbol::Pool {
 public:
  // Never destroyed: symbols may be static.
  static Pool& Get() {
    static auto* const pool = new Pool;
    return *pool;
  }

  Shared* Use(std::string_view text) {
    Shared*& bucket = BucketOf(text);
    for (Shared* shared = bucket; shared; shared = shared->next) {
      if (shared->text() != text) continue;
      ++shared->users;
      return shared;
    }
    void* memory = ::operator new(sizeof(Shared) + text.size());
    bucket = new (memory) Shared{bucket, 1, static_cast<uint32_t>(text.size())};
    std::memcpy(bucket + 1, text.data(), text.size());
    Shared* made = bucket;
    if (++count_ > 2 * buckets_.size()) Grow();
    return made;
  }

  void Free(Shared* shared) {
    Shared** link = &BucketOf(shared->text());
    while (*link != shared) link = &(*link)->next;
    *link = shared->next;
    --count_;
    ::operator delete(shared);
  }

 private:
  Shared*& BucketOf(std::string_view text) {
    return buckets_[std::hash<std::string_view>()(text) & (buckets_.size() - 1)];
  }

  void Grow() {
    const std::vector<Shared*> old =
        std::exchange(buckets_, std::vector<Shared*>(2 * buckets_.size(), nullptr));
    for (Shared* shared : old) {
      while (shared) {
        Shared* const next = shared->next;
        Shared*& bucket = BucketOf(shared->text());
        shared->next = std::exchange(bucket, shared);
        shared = next;
      }
    }
  }

  std::vector<Shared*> buckets_ = std::vector<Shared*>(256, nullptr);  // a power of two of them
  size_t count_ = 0;
};

Symbol::Symbol(std::string_view text) : shared_(text.empty() ? nullptr : Pool::Get().Use(text)) {}

Symbol::Symbol(const Symbol& other) noexcept : shared_(other.shared_) {
  if (shared_) ++shared_->users;
}

Symbol::~Symbol() {
  if (shared_ && --shared_->users == 0) Pool::Get().Free(shared_);
}

std::string_view Symbol::view() const { return shared_ ? shared_->text() : std::string_view(); }

}  // namespace vdcu::base
