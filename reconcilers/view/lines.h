// Who has, or waits for, which reserved partition, and who is the head of each line.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "kclient/core/pod.h"
#include "reconcilers/view/key_index.h"

namespace vdcu::reconcilers {

// Higher priority first, then the older, then by key.
bool GoesBefore(const kclient::Pod& a, const kclient::Pod& b);

class Lines {
 public:
  // The pod was bound for the partition, or waits and names it; and does not any more. An empty
  // partition is none.
  void Add(const std::string& partition_key, const std::string& pod_key);
  void Remove(std::string_view partition_key, const std::string& pod_key);
  const std::set<std::string>& PodsNaming(std::string_view partition_key) const {
    return Find(naming_, partition_key);
  }

  // Of those that wait for the partition, who came first and may have it when it was last looked
  // at; empty: nobody.
  std::string HeadOf(std::string_view partition_key) const;
  // Returns who was the head before and is not any more; empty: nobody.
  std::string SetHead(const std::string& partition_key, const std::string& pod_key);

  bool Concerns(std::string_view partition_key) const {
    return naming_.contains(partition_key) || heads_.contains(partition_key);
  }
  template <class Visit>
  void ForEach(const Visit& visit) const {
    for (const auto& [partition_key, pods] : naming_) visit(partition_key);
  }

 private:
  KeyIndex naming_;                                        // partition key -> pod keys
  std::map<std::string, std::string, std::less<>> heads_;  // by partition key
};

}  // namespace vdcu::reconcilers
