// Slices that are kept for pods which another scheduler places: offered to it, or waiting for it to
// ask again. By the pod's UID, in memory only: a new leader starts with none.
//
// Promises: a hold counts in the inventory as a slice does, and so against everybody, until it is
// dropped; none outlives its time; where one is dropped the node has more room.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "dcu/assignment.h"
#include "reconcilers/view/rooms.h"

namespace vdcu::reconcilers {

struct Hold {
  // Whether the pod has to say that there is a slice, so that its scheduler asks again.
  enum class Nudge { kNone, kDue, kSent };

  std::string pod;                           // key
  std::vector<dcu::Assignment> assignments;  // all on one node, for each partition that it needs
  base::TimePoint until{};
  Nudge nudge = Nudge::kNone;

  const std::string& node() const { return assignments.front().node; }
};

class Holds {
 public:
  explicit Holds(Rooms& rooms) : rooms_(rooms) {}
  Holds(const Holds&) = delete;
  Holds& operator=(const Holds&) = delete;

  // In place of the one that the pod has.
  void Set(const std::string& pod_uid, Hold hold);
  // Returns what was there.
  std::optional<Hold> Drop(std::string_view pod_uid);
  void SetNudge(std::string_view pod_uid, Hold::Nudge nudge);
  // Drops those whose time is over; returns when that of the next one is.
  std::optional<base::TimePoint> Expire(base::TimePoint now);

  const Hold* Find(std::string_view pod_uid) const;  // null: none
  size_t size() const { return holds_.size(); }
  template <class Visit>
  void ForEach(const Visit& visit) const {
    for (const auto& [uid, hold] : holds_) visit(uid, hold);
  }

 private:
  Rooms& rooms_;
  std::map<std::string, Hold, std::less<>> holds_;
};

}  // namespace vdcu::reconcilers
