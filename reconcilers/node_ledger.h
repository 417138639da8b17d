// What each node has and what its pods take of it, as the kubelet will count when it admits a pod.
// Kept up to date change by change.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/interned.h"
#include "base/symbol.h"
#include "kclient/core/node.h"
#include "kclient/core/pod.h"
#include "kclient/core/uid.h"

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

  // Counts the pod on the node, wherever it was counted before.
  void Charge(std::string_view pod_uid, const kclient::Pod& pod, std::string_view node);
  void Discharge(std::string_view pod_uid);
  // Where the pod is counted; empty: nowhere.
  std::string ChargedNode(std::string_view pod_uid) const;

  // nullptr: no Node of that name.
  const NodeLoad* Find(std::string_view name) const;

 private:
  // What a pod takes of its node.
  struct Share {
    kclient::ResourceList requests;
    std::vector<kclient::HostPort> ports;

    friend auto operator<=>(const Share&, const Share&) = default;
  };
  struct Charged {
    base::Interned<Share> share;
    base::Symbol node;
  };
  void Count(const Charged& charged, int sign);

  std::map<std::string, NodeLoad, std::less<>> nodes_;
  std::unordered_map<kclient::Uid, Charged> charged_;  // by pod UID
};

}  // namespace vdcu::reconcilers
