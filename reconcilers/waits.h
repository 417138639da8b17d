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
  kInvalid,    // as it is it will never be placed
};

inline constexpr std::pair<WaitReason, std::string_view> kWaitReasons[] = {
    {WaitReason::kNew, "new"},         {WaitReason::kCards, "cards"},
    {WaitReason::kNodes, "nodes"},     {WaitReason::kQuota, "quota"},
    {WaitReason::kVolumes, "volumes"}, {WaitReason::kPartition, "partition"},
    {WaitReason::kRefused, "refused"}, {WaitReason::kInvalid, "invalid"},
};

struct Wait {
  WaitReason reason = WaitReason::kNew;
  std::string since;  // RFC 3339, whole seconds
};

struct Waiters {
  size_t count = 0;
  std::string oldest;  // since when the first has waited; empty: nobody does
};
using WaitCounts = std::map<WaitReason, Waiters>;

inline void Count(WaitCounts& counts, WaitReason reason, const std::string& since) {
  Waiters& waiters = counts[reason];
  if (waiters.count++ == 0 || since < waiters.oldest) waiters.oldest = since;
}

}  // namespace vdcu::reconcilers
