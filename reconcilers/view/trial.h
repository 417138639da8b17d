// Pods laid over nodes and cards as if they were there, while a decision is made that needs room
// for several: what one is given the next cannot have.
//
// Promise: when it ends everything is as it was before, and nothing has been noted as changed.
// Ownership: nothing else may change the cluster while it lives.
#pragma once

#include <vector>

#include "dcu/assignment.h"
#include "reconcilers/view/objects.h"
#include "reconcilers/view/rooms.h"

namespace vdcu::reconcilers {

class Trial {
 public:
  Trial(Rooms& rooms, Objects& objects) : rooms_(rooms), objects_(objects) {}
  Trial(const Trial&) = delete;
  Trial& operator=(const Trial&) = delete;
  ~Trial();

  // A pod of ours that takes no room yet, with these slices, all of one node.
  void Lay(const PodEntryPtr& pod, const std::vector<dcu::Assignment>& slices);

 private:
  struct Laid {
    PodEntryPtr pod;
    std::vector<dcu::Assignment> slices;
  };

  void Charge(const PodEntryPtr& pod, const base::Symbol& node);

  Rooms& rooms_;
  Objects& objects_;
  std::vector<Laid> laid_;
};

}  // namespace vdcu::reconcilers
