// Which reports may be sent now: writes that only tell people something, as why a pod waits.
//
// Promises: one at a time for each object; its text changes after kReportEvery at the earliest; no
// more than kMost are under way, so that writes that place always have room; when there are too
// many, namespaces take turns.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "kclient/engine/key.h"

namespace vdcu::kclient {

class Reports {
 public:
  static constexpr size_t kMost = 16;
  static constexpr base::Duration kReportEvery{5'000};

  // `what` is the report, the same for all of an object; `key` decides anew what it says.
  struct Report {
    std::string what;
    Key key;
  };

  // Nothing: it is under way from now on. Else it was not begun, and its key has to try again:
  // after that time, or, where that is 0, when End or TakeTurns returns it.
  std::optional<base::Duration> Begin(const Report& report, base::TimePoint now);
  // Whether it is `stored` now. Returns the key of another report of the object that waited for it.
  std::optional<Key> End(std::string_view what, bool stored);
  // Keys that waited for room, as many as there is room for.
  std::vector<Key> TakeTurns();

 private:
  void Forget(base::TimePoint now);
  Key TakeTurn();

  // Under way -> the key of one that waits for its end: without a resourceVersion as precondition
  // either of two at once might be the last.
  std::map<std::string, std::optional<Key>, std::less<>> under_way_;
  std::unordered_map<std::string, base::TimePoint> begun_;  // when each was begun, of late
  base::TimePoint forget_at_{};
  std::map<std::string, std::set<Key>> waiting_;  // by namespace; none is empty
  std::string last_turn_;                         // namespace
};

}  // namespace vdcu::kclient
