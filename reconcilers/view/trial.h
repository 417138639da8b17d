// The cluster as it could be, while a decision is made: with pods laid over nodes and cards as if
// they were there, so that what one is given the next cannot have; without pods that are there;
// without the claims of less important ones.
//
// Promise: when it ends everything is as it was before, and nothing has been noted as changed.
// Ownership: nothing else may change the cluster while it lives.
#pragma once

#include <string_view>
#include <vector>

#include "dcu/assignment.h"
#include "reconcilers/view/claims.h"
#include "reconcilers/view/objects.h"
#include "reconcilers/view/rooms.h"

namespace vdcu::reconcilers {

class Trial {
 public:
  Trial(Rooms& rooms, Objects& objects, const Claims& claims)
      : rooms_(rooms), objects_(objects), claims_(claims) {}
  Trial(const Trial&) = delete;
  Trial& operator=(const Trial&) = delete;
  ~Trial();

  // A pod of ours that takes no room yet, with these slices, all of one node.
  void Lay(const PodEntryPtr& pod, const std::vector<dcu::Assignment>& slices);
  // Claims of pods of a lower priority, and the one of this pod, count no more. At most once.
  void Outrank(int priority, std::string_view pod_uid);
  // Something that is there counts no more, and counts again; and all that was hidden.
  void Hide(const Occupant& there);
  void Unhide(const Occupant& there);
  void UnhideAll();

 private:
  struct Laid {
    PodEntryPtr pod;
    std::vector<dcu::Assignment> slices;
  };

  void Charge(const std::string& pod_key, const base::Symbol& node);

  Rooms& rooms_;
  Objects& objects_;
  const Claims& claims_;
  std::vector<Laid> laid_;
  std::vector<const Occupant*> hidden_;
  std::vector<const Claim*> outranked_;
};

}  // namespace vdcu::reconcilers
