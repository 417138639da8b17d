// Which pods are placed together or not at all: annotations vdcu.io/group (its name, within the
// namespace) and vdcu.io/group-size (how many pods it has). Kueue's pair says the same: label
// kueue.x-k8s.io/pod-group-name, annotation kueue.x-k8s.io/pod-group-total-count.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "kclient/core/pod.h"

namespace vdcu::crds {

inline constexpr std::string_view kGroupAnnotation = "vdcu.io/group";
inline constexpr std::string_view kGroupSizeAnnotation = "vdcu.io/group-size";
inline constexpr std::string_view kKueueSizeAnnotation = "kueue.x-k8s.io/pod-group-total-count";

// So many creates are sent at once, and one look of the placer is at all of them.
inline constexpr int kMaxGroupSize = 256;

struct PodGroup {
  std::string name;
  int size = 0;

  friend bool operator==(const PodGroup&, const PodGroup&) = default;
};

// As the pod says it, right or wrong; empty: it is in no group.
std::string_view GroupName(const kclient::ObjectMeta& pod);

// Nothing: it is in no group. Errors: kInvalid, naming the annotation, its value and what would be
// right: a name that is no label's value, a size that is no whole number from 1 to kMaxGroupSize,
// one of the two without the other, a pair that differs from Kueue's, a reserved partition named
// beside it.
base::Result<std::optional<PodGroup>> ParsePodGroup(const kclient::ObjectMeta& pod);

}  // namespace vdcu::crds
