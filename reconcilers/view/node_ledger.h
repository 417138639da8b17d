// What each node has and what its pods take of it, as the kubelet will count when it admits a pod.
// Kept up to date change by change.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/symbol.h"
#include "kclient/core/node.h"
#include "kclient/core/pod.h"
#include "reconcilers/view/packed.h"

namespace vdcu::reconcilers {

struct NodeLoad {
  base::Symbol name;
  std::optional<PackedNode> node;  // nothing: only pods name it
  std::vector<std::pair<base::Symbol, int64_t>> used;
  int pods = 0;
  std::vector<kclient::HostPort> ports;

  int64_t Used(std::string_view resource) const;
  // Of the Node, which there is: what is left of what it has.
  int64_t Free(std::string_view resource) const;
  // Of the Node, which there is.
  std::optional<std::string_view> Label(std::string_view key) const {
    return node->Label(key, name.view());
  }
};

// Whether a pod that takes the room of `before` leaves any of it when it takes that of `after`
// instead: it was resized, say.
bool LeavesRoom(const kclient::Pod& before, const kclient::Pod& after);

class NodeLedger {
 public:
  void SetNode(const kclient::Node& node);
  void RemoveNode(const std::string& name);

  // Counts the pod on the node; and takes it off again: the same pod, as it was counted.
  void Add(const kclient::Pod& pod, std::string_view node) { Count(pod, node, +1); }
  void Take(const kclient::Pod& pod, std::string_view node) { Count(pod, node, -1); }

  // nullptr: no Node of that name.
  const NodeLoad* Find(std::string_view name) const;
  size_t node_count() const;
  template <class Visit>
  void ForEachNode(const Visit& visit) const {
    for (const auto& [name, load] : nodes_) {
      if (load.node) visit(name.view());
    }
  }

 private:
  NodeLoad& LoadOf(const base::Symbol& node);
  void Count(const kclient::Pod& pod, std::string_view node, int sign);

  std::unordered_map<base::Symbol, NodeLoad> nodes_;
};

}  // namespace vdcu::reconcilers
