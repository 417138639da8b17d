// What follows from what fails: for how long it is not tried again, and what the object says of it.
// A request has one setback for all the writes that it takes to place it, from the first that fails
// until it is placed; any other write has its own.
//
// Promises: each failure in a row doubles the wait, up to a minute, spread over [1/2, 1] of itself,
// from 5 ms where the same may work at once (a lost answer, a server with too much to do), from
// 250 ms where a rule refused it; where the watch is about to show why a change was refused, the
// wait is a second at most. It is never shorter than the server asks for, up to five minutes. What
// a rule refuses is reported at once, anything else when it has lasted for five seconds.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/error.h"
#include "kclient/write.h"

namespace vdcu::kclient {

struct Setback {
  int failures = 0;           // in a row
  int failed_binds = 0;       // of them
  base::TimePoint since{};    // the first of those that came one upon the other
  base::TimePoint until{};    // nothing is tried before
  base::TimePoint bind_at{};  // no binding before, whatever else has failed since; none has: 0
  std::string wall;           // the time of the last, as in objects
  std::string error;          // the last, for the log
  // What the object shall say: reason and message of a condition; empty: nothing (yet).
  std::string reason;
  std::string message;

  bool Holds(base::TimePoint now) const { return now < until; }
};

// The same again is refused again until somebody changes something.
bool IsAgainstARule(base::ErrorCode code);

// The object of the write has changed, is gone or exists: the watch shows what is true.
bool WatchDecides(base::ErrorCode code);

// What fails: a write, with the reason that its object gives where a rule refuses it.
struct FailedWrite {
  const Write& write;
  std::string_view reason;  // "BindRefused"
};

// `before`, or null, after one more failure. `random` in [0, 1).
Setback AfterFailure(const Setback* before, const FailedWrite& failed, const base::Error& error,
                     double random, const base::Instant& at);
// The same of what is no write: it has only to wait.
Setback AfterFailure(const Setback* before, const base::Error& error, double random,
                     const base::Instant& at);

// By key. One that has been over for ten minutes is forgotten.
template <class K>
class Setbacks {
 public:
  void Set(const K& key, Setback setback, base::TimePoint now) {
    if (now >= sweep_at_) {
      std::erase_if(setbacks_,
                    [&](const auto& item) { return item.second.until + kRemembered < now; });
      sweep_at_ = now + kSweepInterval;
    }
    setbacks_.insert_or_assign(key, std::move(setback));
  }
  // Null: there is none.
  const Setback* Find(const K& key) const {
    const auto found = setbacks_.find(key);
    return found == setbacks_.end() ? nullptr : &found->second;
  }
  void Forget(const K& key) { setbacks_.erase(key); }

 private:
  static constexpr base::Duration kRemembered{10 * 60'000};
  static constexpr base::Duration kSweepInterval{60'000};

  std::map<K, Setback> setbacks_;
  base::TimePoint sweep_at_{};
};

}  // namespace vdcu::kclient
