// What is asked for, as the inventory needs it for Policy::kFragmentationAware: of each request
// that exists, granted or waiting, its slices and what its pod takes of a node beside them.
//
// Promise: nothing is kept before Begin, as it costs memory for each request.
#pragma once

#include <unordered_map>
#include <vector>

#include "dcu/assignment.h"
#include "dcu/demand.h"
#include "kclient/engine/key.h"
#include "reconcilers/view/rooms.h"

namespace vdcu::reconcilers {

class Demands {
 public:
  explicit Demands(Rooms& rooms) : rooms_(rooms) {}

  bool begun() const { return begun_; }
  // From now on: all that there is must be set once.
  void Begin() { begun_ = true; }
  // Instead of what the request asked for until now; no slices: it is none any more.
  void Set(const kclient::Key& request, std::vector<dcu::SliceRequest> slices,
           const dcu::NodeNeeds& needs);

 private:
  struct Asked {
    std::vector<dcu::SliceRequest> slices;
    dcu::NodeNeeds needs;

    friend bool operator==(const Asked&, const Asked&) = default;
  };

  Rooms& rooms_;
  bool begun_ = false;
  std::unordered_map<kclient::Key, Asked, kclient::HashOfKey> asked_;
};

// What the pod takes of its node beside cards.
dcu::NodeNeeds NeedsOf(const kclient::Pod& pod);

}  // namespace vdcu::reconcilers
