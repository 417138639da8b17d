#include "reconcilers/view/lines.h"

#include <tuple>

namespace vdcu::reconcilers {

bool GoesBefore(const kclient::Pod& a, const kclient::Pod& b) {
  const auto order = [](const kclient::Pod& pod) {
    return std::tuple<int, const std::string&, const std::string&, const std::string&>(
        -pod.priority, pod.meta.creation_timestamp, pod.meta.ns, pod.meta.name);
  };
  return order(a) < order(b);
}

void Lines::Add(const std::string& partition_key, const std::string& pod_key) {
  if (!partition_key.empty()) naming_[partition_key].insert(pod_key);
}

void Lines::Remove(std::string_view partition_key, const std::string& pod_key) {
  EraseFrom(naming_, partition_key, pod_key);
}

std::string Lines::HeadOf(std::string_view partition_key) const {
  const auto found = heads_.find(partition_key);
  return found == heads_.end() ? "" : found->second;
}

std::string Lines::SetHead(const std::string& partition_key, const std::string& pod_key) {
  std::string before = HeadOf(partition_key);
  if (before == pod_key) return "";
  heads_.erase(partition_key);
  if (!pod_key.empty()) heads_.emplace(partition_key, pod_key);
  return before;
}

}  // namespace vdcu::reconcilers
