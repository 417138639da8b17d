// What has changed, for whoever has to look again: keys to reconcile, nodes and namespaces where
// there may be more room than before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/symbol.h"
#include "reconcilers/plan.h"
#include "reconcilers/view/arrivals.h"
#include "reconcilers/view/groups.h"
#include "reconcilers/view/lines.h"

namespace vdcu::reconcilers {

// Among the namespaces of TakeEased: where pods are has changed for who minds them.
inline constexpr std::string_view kPodsMoved = "/pods";

class Changes {
 public:
  Changes(const Lines& lines, const Groups& groups, const Arrivals& arrivals)
      : lines_(lines), groups_(groups), arrivals_(arrivals) {}

  // And its group: what concerns one concerns all.
  void MarkPod(std::string_view key) {
    MarkPodAlone(key);
    const std::string_view group = groups_.Of(key);
    if (groups_.AnyWaits(group)) MarkGroup(group);
  }
  void MarkPodAlone(std::string_view key) { Mark(pods_, key); }
  void MarkGroup(std::string_view key) { Mark(pod_groups_, key); }
  void MarkPartition(std::string_view key) { Mark(partitions_, key); }
  void MarkDcuNode(std::string_view name) { Mark(dcu_nodes_, name); }
  // Those who wait for the partition, if anybody does.
  void MarkLine(std::string_view partition_key) {
    if (lines_.Concerns(partition_key)) Mark(partition_lines_, partition_key);
  }
  // It has more room than before, or other properties.
  void Improve(const std::string& node);
  // A pod that may be evicted has come to it.
  void Offer(std::string_view node) { offered_.emplace(node); }
  // Its quotas, or what it holds, may leave more room than before.
  void Ease(std::string_view ns);
  // Nodes or cards have come, gone or changed: what was said of all of them does not hold any more.
  void Reshape() { reshaped_ = true; }

  // Keys to reconcile, at most so many. While all is dirty there are none: mark all there is first.
  std::vector<Key> TakeDirty(size_t most);
  bool HasDirty() const {
    return all_dirty_ || !dcu_nodes_.empty() || !partitions_.empty() || !partition_lines_.empty() ||
           !pods_.empty() || !pod_groups_.empty();
  }
  size_t dirty_count() const {
    return dcu_nodes_.size() + partitions_.size() + partition_lines_.size() + pods_.size() +
           pod_groups_.size();
  }
  // All is dirty until this is called first, and not noted one by one.
  bool TakeAllDirty() { return std::exchange(all_dirty_, false); }
  bool TakeReshaped() { return std::exchange(reshaped_, false); }
  std::set<std::string> TakeImproved() { return std::exchange(improved_, {}); }
  std::set<std::string> TakeOffered() { return std::exchange(offered_, {}); }
  std::set<std::string> TakeEased() { return std::exchange(eased_, {}); }

 private:
  void Mark(std::set<base::Symbol>& dirty, std::string_view key) const {
    if (!all_dirty_) dirty.emplace(key);
  }

  const Lines& lines_;
  const Groups& groups_;
  const Arrivals& arrivals_;
  bool all_dirty_ = true;
  std::set<base::Symbol> dcu_nodes_;  // names
  std::set<base::Symbol> partitions_;
  std::set<base::Symbol> partition_lines_;  // keys of their partitions
  std::set<base::Symbol> pods_;
  std::set<base::Symbol> pod_groups_;  // "namespace/group"
  std::set<std::string> improved_;
  std::set<std::string> offered_;
  std::set<std::string> eased_;
  bool reshaped_ = false;
};

}  // namespace vdcu::reconcilers
