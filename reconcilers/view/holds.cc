#include "reconcilers/view/holds.h"

#include <algorithm>
#include <utility>

namespace vdcu::reconcilers {

namespace {

// No key of a partition has two slashes.
std::string IdOf(std::string_view pod_uid, size_t place) {
  return "hold/" + std::string(pod_uid) + "/" + std::to_string(place);
}

std::string_view NamespaceOf(const Hold& hold) {
  return std::string_view(hold.pod).substr(0, hold.pod.find('/'));
}

}  // namespace

void Holds::Set(const std::string& pod_uid, Hold hold) {
  Drop(pod_uid);
  for (size_t i = 0; i < hold.assignments.size(); ++i) {
    rooms_.SetHold(IdOf(pod_uid, i), hold.assignments[i], NamespaceOf(hold));
  }
  holds_.insert_or_assign(pod_uid, std::move(hold));
}

std::optional<Hold> Holds::Drop(std::string_view pod_uid) {
  const auto found = holds_.find(pod_uid);
  if (found == holds_.end()) return {};
  Hold hold = std::move(found->second);
  holds_.erase(found);
  for (size_t i = 0; i < hold.assignments.size(); ++i) {
    rooms_.RemoveHold(IdOf(pod_uid, i), hold.node());
  }
  return hold;
}

void Holds::SetNudge(std::string_view pod_uid, Hold::Nudge nudge) {
  const auto found = holds_.find(pod_uid);
  if (found != holds_.end() && found->second.nudge != Hold::Nudge::kNone) {
    found->second.nudge = nudge;
  }
}

std::optional<base::TimePoint> Holds::Expire(base::TimePoint now) {
  std::vector<std::string> over;
  std::optional<base::TimePoint> next;
  for (const auto& [uid, hold] : holds_) {
    if (now >= hold.until) {
      over.push_back(uid);
    } else {
      next = std::min(next.value_or(hold.until), hold.until);
    }
  }
  for (const std::string& uid : over) Drop(uid);
  return next;
}

const Hold* Holds::Find(std::string_view pod_uid) const {
  const auto found = holds_.find(pod_uid);
  return found == holds_.end() ? nullptr : &found->second;
}

}  // namespace vdcu::reconcilers
