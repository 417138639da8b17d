#include "reconcilers/view/trial.h"

namespace vdcu::reconcilers {

void Trial::Lay(const PodEntryPtr& pod, const std::vector<dcu::Assignment>& slices) {
  rooms_.Lay(*pod->pod, slices);
  Charge(pod, base::Symbol(slices.front().node));
  laid_.push_back({pod, slices});
}

Trial::~Trial() {
  while (!laid_.empty()) {
    const Laid& last = laid_.back();
    rooms_.Lift(*last.pod->pod, last.slices);
    Charge(last.pod, last.pod->charged);
    laid_.pop_back();
  }
}

// Where it is counted by pods that mind others.
void Trial::Charge(const PodEntryPtr& pod, const base::Symbol& node) {
  objects_.EditPod(pod->pod->meta.key(), [&](PodEntry& entry) { entry.charged = node; });
}

}  // namespace vdcu::reconcilers
