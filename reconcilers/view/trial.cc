#include "reconcilers/view/trial.h"

#include <algorithm>

namespace vdcu::reconcilers {

void Trial::Lay(const PodEntryPtr& pod, const std::vector<dcu::Assignment>& slices) {
  rooms_.Lay(*pod->pod, slices);
  Charge(pod->pod->meta.key(), base::Symbol(slices.front().node));
  laid_.push_back({pod, slices});
}

void Trial::Outrank(int priority, std::string_view pod_uid) {
  claims_.ForEach([&](const std::string& uid, const Claim& claim) {
    if (uid != pod_uid && claim.pod->priority >= priority) return;
    rooms_.Unclaim(*claim.pod, claim.assignments);
    outranked_.push_back(&claim);
  });
}

void Trial::Hide(const Occupant& there) {
  rooms_.Hide(there);
  if (there.pod) Charge(there.pod->meta.key(), {});
  hidden_.push_back(&there);
}

void Trial::Unhide(const Occupant& there) {
  rooms_.Unhide(there);
  if (there.pod) Charge(there.pod->meta.key(), base::Symbol(there.node));
  std::erase(hidden_, &there);
}

void Trial::UnhideAll() {
  while (!hidden_.empty()) Unhide(*hidden_.back());
}

Trial::~Trial() {
  UnhideAll();
  while (!laid_.empty()) {
    const Laid& last = laid_.back();
    rooms_.Lift(*last.pod->pod, last.slices);
    Charge(last.pod->pod->meta.key(), last.pod->charged);
    laid_.pop_back();
  }
  for (const Claim* claim : outranked_) rooms_.Claim(*claim->pod, claim->assignments);
}

// Where it is counted by pods that mind others.
void Trial::Charge(const std::string& pod_key, const base::Symbol& node) {
  objects_.EditPod(pod_key, [&](PodEntry& entry) { entry.charged = node; });
}

}  // namespace vdcu::reconcilers
