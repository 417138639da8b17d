// A token bucket for each key: `burst` at once, then one each `refill`.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <unordered_map>

#include "base/clock.h"

namespace vdcu::kclient {

class TokenBuckets {
 public:
  TokenBuckets(int burst, base::Duration refill) : burst_(burst), refill_(refill) {}

  // Whether there was a token for `key`; it is gone then.
  bool Take(const std::string& key, base::TimePoint now) {
    if (full_at_.size() >= kMostKeys) ForgetFull(now);
    base::TimePoint& full_at = full_at_.try_emplace(key, now).first->second;
    const base::TimePoint full_after = std::max(full_at, now) + refill_;
    if (full_after - now > burst_ * refill_) return false;
    full_at = full_after;
    return true;
  }

 private:
  static constexpr size_t kMostKeys = 4096;

  // A bucket that nobody remembers is a full one; where even that leaves too many, all are.
  void ForgetFull(base::TimePoint now) {
    std::erase_if(full_at_, [now](const auto& entry) { return entry.second <= now; });
    if (full_at_.size() >= kMostKeys) full_at_.clear();
  }

  const int burst_;
  const base::Duration refill_;
  std::unordered_map<std::string, base::TimePoint> full_at_;  // when the bucket is full again
};

}  // namespace vdcu::kclient
