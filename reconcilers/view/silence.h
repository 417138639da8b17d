// Nodes whose daemons did not prepare a slice in time.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "base/clock.h"
#include "reconcilers/view/entries.h"

namespace vdcu::reconcilers {

class Silence {
 public:
  explicit Silence(const Settings& settings) : settings_(settings) {}

  // The node is not tried again for twice the time that it had to prepare a slice; doubled up to
  // `avoid` each time that it is silent again.
  void Note(const std::string& node, base::TimePoint now);
  // It has prepared a slice. Returns whether it was silent.
  bool End(const std::string& node) { return nodes_.erase(node) != 0; }
  // Calls `over(node)` for each whose time has run out, once; returns when that of the next one
  // does.
  template <class Visit>
  std::optional<base::TimePoint> Expire(base::TimePoint now, const Visit& over);

  bool IsSilent(const std::string& node, base::TimePoint now) const {
    const auto found = nodes_.find(node);
    return found != nodes_.end() && now < found->second.until;
  }

 private:
  struct Row {
    base::TimePoint until;
    base::Duration length{0};
    bool over = false;  // the node is being tried again
  };

  const Settings& settings_;
  std::map<std::string, Row> nodes_;
};

template <class Visit>
std::optional<base::TimePoint> Silence::Expire(base::TimePoint now, const Visit& over) {
  std::optional<base::TimePoint> next;
  for (auto it = nodes_.begin(); it != nodes_.end();) {
    Row& row = it->second;
    if (now < row.until) {
      next = next ? std::min(*next, row.until) : row.until;
    } else if (!std::exchange(row.over, true)) {
      over(it->first);
    }
    // Nobody has tried it since, or it would have spoken or be silent again.
    const bool forgotten = now >= row.until + settings_.avoid + settings_.prepare_timeout;
    it = forgotten ? nodes_.erase(it) : std::next(it);
  }
  return next;
}

}  // namespace vdcu::reconcilers
