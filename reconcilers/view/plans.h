// Which cards of a node were found for the pod of another scheduler when that last asked about the
// two. Nothing is kept there for the pod: where it is placed on that node, it gets these cards if
// they still have room for it, so that what was found to fit in one order fits in any. By the pod's
// UID and the node, in memory only.
//
// Promises: none outlives its time; there are kMost at most, of which the oldest go first.
#pragma once

#include <cstddef>
#include <list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/symbol.h"

namespace vdcu::reconcilers {

class Plans {
 public:
  static constexpr size_t kMost = 20'000;
  using Cards = std::vector<base::Symbol>;  // uuids, for each partition that it needs

  // In place of the one that there is. `until` is never earlier than that of the call before.
  void Set(std::string_view pod_uid, std::string_view node, Cards cards, base::TimePoint until) {
    Place place{base::Symbol(pod_uid), base::Symbol(node)};
    if (const auto found = places_.find(place); found != places_.end()) Erase(found->second);
    if (plans_.size() == kMost) Erase(plans_.begin());
    plans_.push_back({place, std::move(cards), until});
    places_.emplace(std::move(place), std::prev(plans_.end()));
  }
  void Expire(base::TimePoint now) {
    while (!plans_.empty() && now >= plans_.front().until) Erase(plans_.begin());
  }

  // Null: there is none.
  const Cards* Find(std::string_view pod_uid, std::string_view node) const {
    const auto found = places_.find({base::Symbol(pod_uid), base::Symbol(node)});
    return found == places_.end() ? nullptr : &found->second->cards;
  }
  size_t size() const { return plans_.size(); }

 private:
  using Place = std::pair<base::Symbol, base::Symbol>;  // pod, node
  struct Plan {
    Place place;
    Cards cards;
    base::TimePoint until;
  };

  void Erase(std::list<Plan>::iterator plan) {
    places_.erase(plan->place);
    plans_.erase(plan);
  }

  std::list<Plan> plans_;  // the oldest first
  std::map<Place, std::list<Plan>::iterator> places_;
};

}  // namespace vdcu::reconcilers
