// What a VDCUPartition's conditions say of the spec that it has now. Those of an earlier generation
// are about an assignment that was taken away: they say nothing.
#pragma once

#include <string_view>

#include "crds/vdcupartition.h"

namespace vdcu::reconcilers {

// nullptr: absent, or of an earlier generation.
inline const kclient::Condition* FindCurrent(const crds::VdcuPartition& partition,
                                             std::string_view type) {
  const auto* condition = kclient::FindCondition(partition.status.conditions, type);
  const bool current =
      condition != nullptr && condition->observed_generation >= partition.meta.generation;
  return current ? condition : nullptr;
}

inline bool IsTrue(const crds::VdcuPartition& partition, std::string_view type) {
  const auto* condition = FindCurrent(partition, type);
  return condition != nullptr && condition->status == "True";
}

inline bool IsFalse(const crds::VdcuPartition& partition, std::string_view type) {
  const auto* condition = FindCurrent(partition, type);
  return condition != nullptr && condition->status == "False";
}

}  // namespace vdcu::reconcilers
