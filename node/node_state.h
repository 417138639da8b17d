// All that the daemon knows of its node. Whoever decides reads it, and is told nothing: what
// changes a part of it notes that in `changes`.
#pragma once

#include <optional>
#include <string>

#include "crds/dcunode.h"
#include "crds/vdcupartition.h"
#include "kclient/core/node.h"
#include "kclient/store.h"
#include "node/changes.h"
#include "node/holdings.h"
#include "node/node_pod.h"
#include "node/scan.h"

namespace vdcu::node {

// The kubelet of this node, as far as others must know it.
class Kubelet {
 public:
  virtual ~Kubelet() = default;
  // Whether it would give out devices of all resources: it fails a pod for good that comes before.
  virtual bool Admits() const = 0;
  // Why a container that holds a slice can never be started again; nothing: it can.
  virtual std::optional<Refusal> DeviceLost(const crds::PodRef& container) const = 0;
  // Whether a process of the pod is left; if so, the pod is noted when none is.
  virtual bool WaitForEnd(const std::string& pod_uid) = 0;
};

struct NodeState {
  std::string node;  // its name
  Changes& changes;
  // As the watches show them.
  const kclient::Store<crds::VdcuPartition>& partitions;  // of this node
  const kclient::Store<NodePod>& pods;                    // of this node
  const kclient::Store<crds::DcuNode>& dcunodes;          // this node's
  const kclient::Store<kclient::Node>* nodes = nullptr;   // this Node, only to advertise
  Holdings& holdings;                                     // cards, slices and their files
  Scan scan = {};                                         // the last one
  Kubelet* kubelet = nullptr;                             // none: no kubelet runs here
  std::string serving_since = "";  // RFC 3339: since when the kubelet gives out devices

  // As the kubelet's; where none runs nothing speaks against a pod.
  bool admits() const { return kubelet == nullptr || kubelet->Admits(); }
  std::optional<Refusal> DeviceLost(const crds::PodRef& container) const {
    return kubelet == nullptr ? std::nullopt : kubelet->DeviceLost(container);
  }
  bool WaitForEnd(const std::string& pod_uid) const {
    return kubelet != nullptr && kubelet->WaitForEnd(pod_uid);
  }
};

}  // namespace vdcu::node
