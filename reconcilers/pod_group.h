// Pods that are placed together or not at all, until as many as the group has are there: nothing is
// made before all exist, all get their cards in one decision, and none is bound before every slice
// of them is Ready. What is wrong with the slice of one takes those of all back.
//
// Who comes when the group is complete (a pod that is made anew in place of one that has failed) is
// placed for itself. Which pods are there is told from the objects alone, so a leader that finds a
// part of them bound goes on with the rest.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reconcilers/own_partitions.h"
#include "reconcilers/partition.h"
#include "reconcilers/plan.h"
#include "reconcilers/view/view.h"

namespace vdcu::reconcilers {

struct GroupMember {
  PodEntryPtr entry;
  size_t needed = 0;  // partitions
  OwnPartitions slices;

  const kclient::Pod& pod() const { return *entry->pod; }
};

struct PodGroup {
  std::string name;
  size_t size = 0;   // as its oldest says
  size_t there = 0;  // are bound, or have succeeded
  // Could be placed, by name. Nobody is gated, or is being deleted.
  std::vector<GroupMember> waiting;
  // Say another size: why they cannot be placed.
  std::vector<std::pair<PodEntryPtr, std::string>> refused;

  bool complete() const { return there >= size; }
  bool exists() const { return there + waiting.size() >= size; }
  // "group train: …"
  std::string Tell(const std::string& what) const { return "group " + name + ": " + what; }
};

// `key` is "namespace/group".
PodGroup FindPodGroup(const View& view, std::string_view key);

// Whether the pod, which WaitsForUs, is of a group that is not complete: it is not placed, bound or
// told of anything but with all of them.
bool IsPlacedTogether(const View& view, const PodEntry& entry);

Plan ReconcilePodGroup(const View& view, std::string_view key, const PartitionInstant& at);

}  // namespace vdcu::reconcilers
