// A node's state with a disk below it, its kubelet being as a test says.
#pragma once

#include <memory>
#include <set>
#include <string>

#include "node/node_state.h"
#include "tests/node/builders.h"
#include "tests/node/temp_folder.h"

namespace vdcu::node {

class FakeKubelet : public Kubelet {
 public:
  bool Admits() const override { return admits; }
  std::optional<Refusal> DeviceLost(const crds::PodRef& container) const override {
    return lost.contains(container) ? std::optional(Refusal{"DeviceLost", "delete the pod"})
                                    : std::nullopt;
  }
  bool WaitForEnd(const std::string& pod_uid) override { return running.contains(pod_uid); }

  bool admits = true;
  std::set<crds::PodRef> lost;    // containers whose device it has lost
  std::set<std::string> running;  // UIDs of pods with processes
};

struct NodeWorld {
  void Put(const crds::VdcuPartition& partition) {
    partitions.Set(partition.meta.key(), std::make_shared<crds::VdcuPartition>(partition));
  }
  void Put(const NodePod& pod) { pods.Set(pod.meta.key(), std::make_shared<NodePod>(pod)); }

  TempFolder folder;
  base::Root root{folder.path()};
  RootFileOps files{root};
  Changes changes;
  Holdings holdings{SliceFiles(files), changes};
  kclient::Store<crds::VdcuPartition> partitions;
  kclient::Store<NodePod> pods;
  kclient::Store<crds::DcuNode> dcunodes;
  FakeKubelet kubelet;
  NodeState state{.node = "n",
                  .changes = changes,
                  .partitions = partitions,
                  .pods = pods,
                  .dcunodes = dcunodes,
                  .holdings = holdings,
                  .kubelet = &kubelet};
};

}  // namespace vdcu::node
