#include "reconcilers/view/claims.h"

#include <utility>

namespace vdcu::reconcilers {

// On the same node nothing is noted: who is told of an improvement may be the one who waits.
void Claims::Set(Claim claim) {
  const std::string uid = claim.pod->meta.uid;
  const auto old = claims_.find(uid);
  if (old != claims_.end() && old->second.node() != claim.node()) {
    Drop(uid);
  } else if (old != claims_.end()) {
    claim.told = old->second.told;
    rooms_.Unclaim(*old->second.pod, old->second.assignments);
  }
  rooms_.Claim(*claim.pod, claim.assignments);
  claims_.insert_or_assign(uid, std::move(claim));
}

void Claims::Drop(std::string_view pod_uid) {
  const auto found = claims_.find(pod_uid);
  if (found == claims_.end()) return;
  const Claim claim = std::move(found->second);
  claims_.erase(found);
  rooms_.Unclaim(*claim.pod, claim.assignments);
  rooms_.Improve(claim.node());
}

void Claims::SetTold(std::string_view pod_uid, bool told) {
  const auto found = claims_.find(pod_uid);
  if (found != claims_.end()) found->second.told = told;
}

const Claim* Claims::Find(std::string_view pod_uid) const {
  const auto found = claims_.find(pod_uid);
  return found == claims_.end() ? nullptr : &found->second;
}

}  // namespace vdcu::reconcilers
