#include "reconcilers/view/changes.h"

namespace vdcu::reconcilers {

void Changes::Improve(const std::string& node) {
  improved_.insert(node);
  for (const std::string& pod : arrivals_.On(node)) MarkPod(pod);
}

void Changes::Ease(std::string_view ns) {
  eased_.emplace(ns);
  const std::string prefix = std::string(ns) + "/";
  arrivals_.ForEach([&](const std::string& pod) {
    if (pod.starts_with(prefix)) MarkPod(pod);
  });
}

std::vector<Key> Changes::TakeDirty(size_t most) {
  std::vector<Key> keys;
  const auto take = [&](std::set<base::Symbol>& dirty, std::string_view kind) {
    while (!dirty.empty() && keys.size() < most) {
      keys.push_back(MakeKey(kind, *dirty.begin()));
      dirty.erase(dirty.begin());
    }
  };
  take(dcu_nodes_, kDcuNode);
  take(partitions_, kPartition);
  take(partition_lines_, kLine);
  take(pods_, kPod);
  take(pod_groups_, kPodGroup);
  return keys;
}

}  // namespace vdcu::reconcilers
