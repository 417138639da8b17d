// What the node says about itself in its DCUNode.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "crds/dcunode.h"
#include "node/slice_files.h"
#include "node/slices.h"

namespace vdcu::node {

struct ReportInput {
  const std::vector<dcu::Device>& devices;
  const Slices& slices;
  std::string driver_version;
  std::vector<std::string> problems;  // cards that were left out; in the condition's message
  DiskState disk = {};                // likewise; not Ready where nothing can be kept
  crds::Heartbeat heartbeat = crds::Heartbeat::kNone;
  bool serves = true;              // the kubelet, where there is one, would give out devices now
  std::string serving_since = {};  // RFC 3339; where a kubelet tells
  std::string spec_unread = {};    // what of the DCUNode's spec cannot be read
};

// Lost slices (those with lost_since) are what is published as held. Ready becomes True where it
// serves, and else stays as it was before: what speaks against it the controller says. It does not
// while that says that the node is not Ready. Accepted=False stands there while the spec cannot be
// read.
crds::DcuNodeStatus BuildStatus(const ReportInput& input, const crds::DcuNodeStatus& before,
                                int64_t generation, base::WallTime now);

// Whether they are the same but for the number of slices in use, which changes with each placement.
bool OnlyUseDiffers(const crds::DcuNodeStatus& a, const crds::DcuNodeStatus& b);

}  // namespace vdcu::node
