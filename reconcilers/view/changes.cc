#include "reconcilers/view/changes.h"

namespace vdcu::reconcilers {

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
  return keys;
}

}  // namespace vdcu::reconcilers
