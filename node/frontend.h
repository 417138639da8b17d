// One way in which a node's kubelet gives containers what this node holds for them: as the device
// plugin does (node/plugin), or a DRA driver. A node has any number of them over the same holdings.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/loop.h"
#include "kclient/api.h"
#include "kclient/event.h"
#include "node/kubelet/cgroups.h"
#include "node/kubelet/pod_resources.h"
#include "node/metrics.h"
#include "node/node_state.h"
#include "node/stages.h"

namespace vdcu::node {

class Frontend {
 public:
  virtual ~Frontend() = default;

  // What is held is known and on disk: the kubelet may ask.
  virtual void Begin() = 0;
  // The state is other than it was, in this.
  virtual void Update(const Noted& noted) = 0;
  // Repairs what no notification tells of; now and then.
  virtual void Check() = 0;

  // As Kubelet's, for what this front gives out.
  virtual bool Admits() const = 0;
  virtual std::optional<Refusal> DeviceLost(const crds::PodRef& container) const = 0;
  // Runs `done` in a later turn, when no call of the kubelet's is being answered, or after `most`.
  virtual void Drain(base::Duration most, std::function<void()> done) = 0;
  // Why the kubelet cannot use it, a sentence each.
  virtual std::vector<std::string> NotReady() const = 0;
};

// What the daemon lends a front; all of it outlives the front. A front notes in the state's changes
// what it learns: that it serves, tokens, pods whose containers have lost a device or found it.
struct Lent {
  base::Loop& loop;
  kclient::Client& client;
  const base::Root& host;
  const NodeState& state;
  kubelet::PodResources& pod_resources;
  const kubelet::Cgroups& cgroups;
  Metrics& metrics;
  Stages& stages;
  std::function<void(kclient::Event)> tell;
};

using MakeFrontend = std::function<std::unique_ptr<Frontend>(const Lent& lent)>;

}  // namespace vdcu::node
