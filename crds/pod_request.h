// What a pod asks for: hygon.com/dcunum, dcumem (MiB or GiB, see MemoryUnit), dcucores (percent of
// a card), or the same as hcunum, hcumem, hcucores; limits first, else requests.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crds/memory_unit.h"
#include "dcu/assignment.h"
#include "kclient/core/pod.h"

namespace vdcu::crds {

// The names of what is asked for. There are two sets of them, for the same cards.
struct ResourceNames {
  std::string_view count;   // "hygon.com/dcunum": cards; a device plugin registers it
  std::string_view memory;  // of a card, counted as MemoryUnit says
  std::string_view cores;   // percent of a card's units
};
inline constexpr std::array<ResourceNames, 2> kResourceNames{{
    {"hygon.com/dcunum", "hygon.com/dcumem", "hygon.com/dcucores"},
    {"hygon.com/hcunum", "hygon.com/hcumem", "hygon.com/hcucores"},
}};

// Resources that stand for a part of a card and are in no node's allocatable: node fit must not
// look for them.
bool IsPartResource(std::string_view resource);
// Any resource of ours.
bool IsDcuResource(std::string_view resource);

// Whether the pod names any of them, right or wrong; also of one that is bound.
bool AsksForCards(const kclient::Pod& pod);

// What one container asks for: one slice, or `cards` whole cards.
struct ContainerRequest {
  std::string container;
  dcu::SliceRequest slice;
  int cards = 1;  // > 1 only for whole cards

  friend bool operator==(const ContainerRequest&, const ContainerRequest&) = default;
};

struct PodRequest {
  std::vector<ContainerRequest> containers;  // in the pod's order, only those that ask
  std::string partition;                     // annotation vdcu.io/partition; empty: none is named
  std::optional<dcu::Policy> policy;         // annotation vdcu.io/policy
  dcu::Sharing share = dcu::Sharing::kCluster;  // annotation vdcu.io/share

  bool empty() const { return containers.empty(); }
};

// Needs pod.scheduling. Errors: kInvalid, naming container, resource,
// value and what would be right: dcumem or dcucores without dcunum, dcunum > 1 with dcumem or
// dcucores, both families in one container, an init container that asks, cores above 100, memory
// below 64 MiB (2 where GiB were meant) or above 1 TiB (a quantity such as 2Gi), an unknown policy
// or sharing; a partition named while not exactly one container asks for exactly one card, or
// together with a size, a selector of cards or a sharing, which the partition has itself; more than
// one node can have: 64 whole cards, 256 slices, 64 names of cards in an annotation, of 128
// characters each.
base::Result<PodRequest> ParsePodRequest(const kclient::Pod& pod,
                                         MemoryUnit memory = MemoryUnit::kMi);

// The reserved partition that the pod names; empty: none.
std::string_view NamedPartition(const kclient::ObjectMeta& pod);
// The one that it was bound for, as its binding has written it down; empty: none. What the pod
// names may be edited later, and this may be copied into another pod: it names its pod's UID.
std::string_view BoundPartition(const kclient::ObjectMeta& pod);
std::string BoundPartitionText(std::string_view partition, std::string_view pod_uid);

}  // namespace vdcu::crds
