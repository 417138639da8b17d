// Which pods of ours say that they belong to which group, and of which groups some wait.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "kclient/core/pod.h"
#include "reconcilers/view/key_index.h"

namespace vdcu::reconcilers {

// "namespace/group" of a pod of that scheduler; empty: it is in none.
std::string GroupKeyOf(const kclient::Pod& pod, std::string_view scheduler);

class Groups {
 public:
  // The pod says so, and does not any more. An empty group is none.
  void Add(const std::string& group_key, const std::string& pod_key, bool waits);
  void Remove(std::string_view group_key, const std::string& pod_key);

  const std::set<std::string>& PodsOf(std::string_view group_key) const {
    return Find(pods_, group_key);
  }
  // Empty: of none. Where nobody of it waits there is nothing to do for a group.
  std::string_view Of(std::string_view pod_key) const;
  bool AnyWaits(std::string_view group_key) const { return waiting_.contains(group_key); }

 private:
  KeyIndex pods_;                                          // group key -> pod keys
  KeyIndex waiting_;                                       // of them those that have no node
  std::map<std::string, std::string, std::less<>> group_;  // by pod key
};

}  // namespace vdcu::reconcilers
