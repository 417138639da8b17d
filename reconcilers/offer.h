// What another scheduler is answered that asks where a pod may go: one node, with exact cards, or
// why not.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "dcu/assignment.h"
#include "reconcilers/view/plans.h"
#include "reconcilers/view/view.h"

namespace vdcu::reconcilers {

struct Offer {
  std::vector<std::string> nodes;              // empty: none
  std::map<std::string, std::string> refused;  // why not, by node; only where none is offered
  std::vector<dcu::Assignment> held;           // what is to be kept for the pod
};

// Of the nodes that fit otherwise. A pod that has slices already is offered their node; one that
// asks for no card all of them. Of what is held for the pod nothing may count any more.
Offer OfferNode(const View& view, const PodEntry& entry, const std::vector<std::string>& nodes,
                base::TimePoint now);

// Of one node, for a scheduler that has put these other pods there in its own books (Volcano's
// session): what those will get there counts, too. Nothing that is held for the pod does.
struct NodeVerdict {
  std::string why;        // empty: it fits
  bool for_good = false;  // whichever pods are evicted there
  // The cards for it, and for those beside it that have none yet, by the pod's UID.
  std::map<std::string, Plans::Cards> plans;
};
NodeVerdict JudgeNode(const View& view, const PodEntry& entry, const std::string& node,
                      const std::vector<std::string>& beside, base::TimePoint now);

// Of the nodes those where the pod would fit if the pods of these UIDs were gone.
using Victims = std::map<std::string, std::set<std::string, std::less<>>>;  // by node
std::vector<std::string> NodesWithRoomAfter(const View& view, const PodEntry& entry,
                                            const Victims& victims, base::TimePoint now);

}  // namespace vdcu::reconcilers
