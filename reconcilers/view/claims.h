// Rooms that pods of ours wait for on nodes where others end for them: by the UID of who waits. In
// memory only: a new leader finds them again from status.nominatedNodeName and from who is ending
// there (reconcilers/preemptor.h).
//
// Promises: a claim counts on its node as the pod would, cards and all else, against everybody but
// those of a higher priority (Trial::Outrank), until it is dropped; the node that it leaves has
// more room.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dcu/assignment.h"
#include "kclient/core/pod.h"
#include "reconcilers/view/rooms.h"

namespace vdcu::reconcilers {

struct Claim {
  std::shared_ptr<const kclient::Pod> pod;   // who waits
  std::vector<dcu::Assignment> assignments;  // what it would get, all on one node
  bool told = false;                         // our write that the pod's status names the node

  const std::string& node() const { return assignments.front().node; }
};

class Claims {
 public:
  explicit Claims(Rooms& rooms) : rooms_(rooms) {}
  Claims(const Claims&) = delete;
  Claims& operator=(const Claims&) = delete;

  // In place of the one that the pod has.
  void Set(Claim claim);
  void Drop(std::string_view pod_uid);
  void SetTold(std::string_view pod_uid, bool told);

  const Claim* Find(std::string_view pod_uid) const;  // null: none
  bool empty() const { return claims_.empty(); }
  template <class Visit>
  void ForEach(const Visit& visit) const {
    for (const auto& [uid, claim] : claims_) visit(uid, claim);
  }

 private:
  Rooms& rooms_;
  std::map<std::string, Claim, std::less<>> claims_;
};

}  // namespace vdcu::reconcilers
