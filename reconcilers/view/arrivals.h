// Pods of ours that are bound and that the kubelet of their node has not taken in yet, by node. One
// of them that has no slice looks again when there may be room.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "reconcilers/view/key_index.h"

namespace vdcu::reconcilers {

class Arrivals {
 public:
  void Add(const std::string& node, const std::string& pod_key) { on_[node].insert(pod_key); }
  void Remove(std::string_view node, const std::string& pod_key) { EraseFrom(on_, node, pod_key); }

  // Their keys.
  const std::set<std::string>& On(std::string_view node) const { return Find(on_, node); }
  template <class Visit>
  void ForEach(const Visit& visit) const {
    for (const auto& [node, pods] : on_) {
      for (const std::string& pod : pods) visit(pod);
    }
  }

 private:
  KeyIndex on_;
};

}  // namespace vdcu::reconcilers
