// What each node has and what its pods take of it, as the kubelet will count when it admits a pod.
// Kept up to date change by change.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "kclient/core/node.h"
#include "kclient/core/pod.h"

namespace vdcu::reconcilers {

struct NodeLoad {
  std::shared_ptr<const kclient::Node> node;  // null: only pods name it
  kclient::ResourceList used;
  int pods = 0;
  std::vector<kclient::HostPort> ports;
};

class NodeLedger {
 public:
  void SetNode(std::shared_ptr<const kclient::Node> node);
  void RemoveNode(const std::string& name);

  // Counts the pod on the node (empty: on none), wherever it was counted before.
  void Charge(const std::string& pod_uid, std::shared_ptr<const kclient::Pod> pod,
              const std::string& node);
  // Where the pod is counted; empty: nowhere.
  const std::string& ChargedNode(const std::string& pod_uid) const;

  // nullptr: no Node of that name.
  const NodeLoad* Find(std::string_view name) const;

 private:
  struct Charged {
    std::shared_ptr<const kclient::Pod> pod;
    std::string node;
  };
  void Count(const Charged& charged, int sign);

  std::map<std::string, NodeLoad, std::less<>> nodes_;
  std::unordered_map<std::string, Charged> charged_;  // by pod UID
};

}  // namespace vdcu::reconcilers
