#include "reconcilers/view/groups.h"

#include "crds/pod_group.h"

namespace vdcu::reconcilers {

std::string GroupKeyOf(const kclient::Pod& pod, std::string_view scheduler) {
  if (pod.scheduler_name != scheduler) return "";
  const std::string_view name = crds::GroupName(pod.meta);
  return name.empty() ? "" : pod.meta.ns + "/" + std::string(name);
}

void Groups::Add(const std::string& group_key, const std::string& pod_key, bool waits) {
  if (group_key.empty()) return;
  pods_[group_key].insert(pod_key);
  if (waits) waiting_[group_key].insert(pod_key);
  group_.insert_or_assign(pod_key, group_key);
}

void Groups::Remove(std::string_view group_key, const std::string& pod_key) {
  if (group_key.empty()) return;
  EraseFrom(pods_, group_key, pod_key);
  EraseFrom(waiting_, group_key, pod_key);
  group_.erase(pod_key);
}

std::string_view Groups::Of(std::string_view pod_key) const {
  const auto found = group_.find(pod_key);
  return found == group_.end() ? std::string_view() : found->second;
}

}  // namespace vdcu::reconcilers
