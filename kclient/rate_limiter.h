// How long a key that failed waits before it is tried again: 5 ms, doubled with each failure in a
// row, 60 s at most, spread over [1/2, 1] of itself so that keys that failed together come apart.
#pragma once

#include <string>
#include <unordered_map>
#include <utility>

#include "base/backoff.h"
#include "base/random.h"

namespace vdcu::kclient {

class RateLimiter {
 public:
  static constexpr base::Backoff kDefault{base::Duration(5), base::Duration(60'000)};

  explicit RateLimiter(base::Random random, base::Backoff backoff = kDefault)
      : random_(std::move(random)), backoff_(backoff) {}

  // Counts a failure of `key` and returns the delay that it earns.
  base::Duration When(const std::string& key) {
    return backoff_.Delay(++failures_[key], random_());
  }
  void Forget(const std::string& key) { failures_.erase(key); }
  int Failures(const std::string& key) const {
    const auto found = failures_.find(key);
    return found == failures_.end() ? 0 : found->second;
  }

 private:
  base::Random random_;
  base::Backoff backoff_;
  std::unordered_map<std::string, int> failures_;  // since the last Forget; never 0
};

}  // namespace vdcu::kclient
