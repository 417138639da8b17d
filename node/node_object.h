// This node's own objects: its DCUNode, and with --advertise the resources of its Node.
//
// Promises: the DCUNode is made if it does not exist and written only where it differs; a change of
// nothing but the number of slices in use waits up to two seconds, so that a burst of placements
// costs one write; a Node's resources are written only where they are absent or other.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/loop.h"
#include "crds/dcunode.h"
#include "kclient/core/node.h"
#include "kclient/store.h"
#include "node/holdings.h"
#include "node/runner.h"

namespace vdcu::node {

class NodeObject {
 public:
  // `add` puts the DCUNode's key into the queue.
  NodeObject(std::string node, const kclient::Store<crds::DcuNode>& store, const Holdings& holdings,
             base::Loop& loop, std::function<void()> add);

  void SetScan(std::string driver_version, std::vector<std::string> problems);
  // Once, before all else: what tells that this daemon lives.
  void SetHeartbeat(crds::Heartbeat heartbeat) { heartbeat_ = heartbeat; }
  // Where a kubelet tells: since when it gives out this daemon's devices.
  void SetServingSince(std::string time) { serving_since_ = std::move(time); }
  // serves: the kubelet, where there is one, would give out devices now.
  Work Process(bool serves);
  // Whether the API has had, since the start, what this node holds.
  bool published() const { return published_; }

 private:
  const std::string node_;
  const kclient::Store<crds::DcuNode>& store_;
  const Holdings& holdings_;
  base::Loop& loop_;
  const std::function<void()> add_;
  const base::TimerPtr use_timer_;
  bool use_is_due_ = false;  // the timer has fired since the last write
  std::string driver_version_;
  std::vector<std::string> problems_;
  crds::Heartbeat heartbeat_ = crds::Heartbeat::kNone;
  std::string serving_since_;
  bool published_ = false;
};

// The patch that makes the Node offer `slots` of each resource; none where it does, or where there
// is no such Node.
Work Advertise(const kclient::Store<kclient::Node>& store, const std::string& node,
               const std::vector<std::string>& resources, size_t slots);

}  // namespace vdcu::node
