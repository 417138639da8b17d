#include "controller/open_calls.h"

#include <algorithm>

namespace vdcu::controller {

void OpenCalls::Try(base::Duration most, const Step& step) {
  if (step(false)) return;
  calls_.push_back({loop_.clock().Now() + most, step});
  Arm();
}

void OpenCalls::Look() {
  const base::TimePoint now = loop_.clock().Now();
  // A step may add one, at the end.
  for (auto it = calls_.begin(); it != calls_.end();) {
    it = it->step(now >= it->until) ? calls_.erase(it) : std::next(it);
  }
  Arm();
}

void OpenCalls::Arm() {
  if (calls_.empty()) return timer_->Stop();
  const auto first = std::min_element(
      calls_.begin(), calls_.end(), [](const Call& a, const Call& b) { return a.until < b.until; });
  timer_->Start(std::max(first->until - loop_.clock().Now(), base::Duration(0)));
}

}  // namespace vdcu::controller
