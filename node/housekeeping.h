// What nothing tells of, to be looked at now and then: the cards in sysfs, what is in the way of
// our files on the disk, and memory that is to be given back.
//
// Promises: the state has each scan that differs from the one before; what is in the way is logged
// once; memory is trimmed once after each time of work.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "node/node_state.h"

namespace vdcu::node {

class Housekeeping {
 public:
  Housekeeping(const base::Root& host, const base::Clock& clock, NodeState& state)
      : host_(host), clock_(clock), state_(state) {}

  // The first look, in this order. What was published before says since when a card is unhealthy.
  void FindCards();
  void RepairDisk();
  // Each further one.
  void Look();

  // Keys have been processed since the last look.
  void NoteWork() { worked_ = true; }

 private:
  void TakeScan(Scan scan, const std::vector<dcu::Device>& known);
  void LogNewProblems(const std::vector<std::string>& problems) const;
  void LogDisk();
  void TrimWhenQuiet();

  const base::Root& host_;
  const base::Clock& clock_;
  NodeState& state_;
  DiskState logged_;
  bool worked_ = true;
  bool trim_is_due_ = false;  // it has worked since the last trim
};

}  // namespace vdcu::node
