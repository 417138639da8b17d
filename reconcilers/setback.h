// What follows from writes that fail: for how long nothing more is tried, and what the object says
// of it. A request (a pod or a reserved partition) has one setback for all that it takes to place
// it, from the first write that fails until it is bound or assigned; any other write has its own.
//
// Promises: each failure in a row doubles the wait, up to a minute, spread over [1/2, 1] of itself,
// from 5 ms where the same may work at once (a conflict, a lost answer, a server with too much to
// do), from 250 ms where a rule refused it; it is never shorter than the server asks for, up to
// five minutes. What a rule refuses is told at once, anything else when it has lasted for five
// seconds.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "reconcilers/plan.h"

namespace vdcu::reconcilers {

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

// `before`, or null, after the write has failed. `random` in [0, 1).
Setback AfterFailure(const Setback* before, const PlannedWrite& planned, const base::Error& error,
                     double random, const Instant& at);

// By key. One that has been over for ten minutes is forgotten.
class Setbacks {
 public:
  void Set(const std::string& key, Setback setback, base::TimePoint now);
  const Setback* Find(std::string_view key) const;  // null: there is none
  void Forget(std::string_view key);

 private:
  std::map<std::string, Setback, std::less<>> setbacks_;
  base::TimePoint sweep_at_{};
};

}  // namespace vdcu::reconcilers
