// Who waits for cards, counted by why. For metrics: the reasons are few and never change.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace vdcu::reconcilers {

enum class WaitReason {
  kNew,        // not tried yet, or everything is tried anew
  kCards,      // no node's cards have room for it
  kNodes,      // nodes whose cards have room are not fit for it
  kQuota,      // of its namespace
  kVolumes,    // what its volumes, or its namespace, allow is not known
  kPartition,  // the reserved partition that it names is not its own yet
  kRefused,    // the API server refuses what it takes, or does not answer
  kGroup,      // not all pods of its group are there yet
  kInvalid,    // as it is it will never be placed
};

inline constexpr std::pair<WaitReason, std::string_view> kWaitReasons[] = {
    {WaitReason::kNew, "new"},         {WaitReason::kCards, "cards"},
    {WaitReason::kNodes, "nodes"},     {WaitReason::kQuota, "quota"},
    {WaitReason::kVolumes, "volumes"}, {WaitReason::kPartition, "partition"},
    {WaitReason::kRefused, "refused"}, {WaitReason::kGroup, "group"},
    {WaitReason::kInvalid, "invalid"},
};

struct Wait {
  WaitReason reason = WaitReason::kNew;
  std::string since;  // RFC 3339, whole seconds
  size_t count = 1;   // of a group: its pods that wait
};

struct Waiters {
  size_t count = 0;
  std::string oldest;  // since when the first has waited; empty: nobody does
};
using WaitCounts = std::map<WaitReason, Waiters>;

inline void Count(WaitCounts& counts, const Wait& wait) {
  Waiters& waiters = counts[wait.reason];
  if (waiters.count == 0 || wait.since < waiters.oldest) waiters.oldest = wait.since;
  waiters.count += wait.count;
}

}  // namespace vdcu::reconcilers
