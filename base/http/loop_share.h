// The part of the loop's time that HTTP has: a fifth, counted in microseconds.
//
// What others had earns credit, up to what a short burst of requests takes; the turns of HTTP spend
// it. While there is credit they follow one another at once, so that an exchange that takes several
// is not held up.
#pragma once

#include <algorithm>
#include <chrono>

namespace vdcu::base {

class LoopShare {
 public:
  using Time = std::chrono::microseconds;  // since any moment, monotonic

  // A turn begins.
  void Begin(Time now) {
    credit_ = std::min(kMostCredit, credit_ + (now - since_) / kOthers);
    since_ = now;
  }
  // It ends. Returns for how long others have the loop first; 0: the next turn may follow.
  Time End(Time now) {
    credit_ -= now - since_;
    since_ = now;
    return std::max(-credit_ * kOthers, Time(0));
  }

 private:
  static constexpr int kOthers = 4;  // parts of five
  static constexpr Time kMostCredit{5'000};

  Time credit_ = kMostCredit;
  Time since_{0};  // when the turn began, or the last one ended
};

}  // namespace vdcu::base
