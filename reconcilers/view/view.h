// All that decisions are made from: what the watches have shown, with our own writes laid over it.
// Const: whoever decides changes nothing here. Values only: no I/O, no clock, no logs.
//
// Ownership: what is returned by pointer or reference to shared values stays what it was;
// inventory, ledger, doubts, keepers and topology hold until the next change.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "kclient/engine/setback.h"
#include "reconcilers/view/claims.h"
#include "reconcilers/view/commits.h"
#include "reconcilers/view/dcu_nodes.h"
#include "reconcilers/view/entries.h"
#include "reconcilers/view/evictions.h"
#include "reconcilers/view/groups.h"
#include "reconcilers/view/holds.h"
#include "reconcilers/view/lines.h"
#include "reconcilers/view/namespaces.h"
#include "reconcilers/view/objects.h"
#include "reconcilers/view/plans.h"
#include "reconcilers/view/pod_topology.h"
#include "reconcilers/view/priorities.h"
#include "reconcilers/view/rooms.h"
#include "reconcilers/view/silence.h"
#include "reconcilers/view/volumes.h"

namespace vdcu::reconcilers {

class View {
 public:
  struct Parts {
    const Settings& settings;
    const Namespaces& namespaces;
    const Volumes& volumes;
    const Lines& lines;
    const Groups& groups;
    const Priorities& priorities;
    const Rooms& rooms;
    const Silence& silence;
    const kclient::Setbacks<Key>& setbacks;
    const DcuNodes& dcu_nodes;
    const Holds& holds;
    const Claims& claims;
    const Evictions& evictions;
    const Commits& commits;
    const Plans& plans;
    const Objects& objects;
  };

  explicit View(Parts parts) : parts_(parts) {}
  View(const View&) = delete;
  View& operator=(const View&) = delete;

  const Settings& settings() const { return parts_.settings; }

  // Pods of ours: those that ask for cards, those of our scheduler, and those that name a
  // partition. Null: not there.
  PodEntryPtr FindPod(std::string_view key) const { return parts_.objects.FindPod(key); }
  // Also one that is none of ours.
  PodEntryPtr FindAnyPod(std::string_view key) const { return parts_.objects.FindAnyPod(key); }
  PodEntryPtr FindPodByUid(std::string_view uid) const { return parts_.objects.FindPodByUid(uid); }
  PartitionEntryPtr FindPartition(std::string_view key) const {
    return parts_.objects.FindPartition(key);
  }
  // Those made for the pod, by key.
  std::vector<PartitionEntryPtr> PartitionsOfPod(std::string_view pod_uid) const {
    return parts_.objects.PartitionsOfPod(pod_uid);
  }
  // Keys of the pods that were bound for the partition, and of those that wait and name it.
  const std::set<std::string>& PodsNaming(std::string_view partition_key) const {
    return parts_.lines.PodsNaming(partition_key);
  }
  // Keys of our pods that say that they are of the group.
  const std::set<std::string>& PodsOfGroup(std::string_view group_key) const {
    return parts_.groups.PodsOf(group_key);
  }
  // Of those that wait for the partition, who came first and may have it when it was last looked
  // at; null: none.
  PodEntryPtr HeadOf(std::string_view partition_key) const;
  // Null: none of the request's writes has failed.
  const Setback* FindSetback(const Key& request) const { return parts_.setbacks.Find(request); }
  // What is kept for the pod of another scheduler, and what that has asked for; null: nothing.
  const Holds& holds() const { return parts_.holds; }
  const Hold* FindHold(std::string_view pod_uid) const { return parts_.holds.Find(pod_uid); }
  // Rooms that pods wait for where others end for them, and who was asked to go for that.
  const Claims& claims() const { return parts_.claims; }
  const Evictions& evictions() const { return parts_.evictions; }
  const Priorities& priorities() const { return parts_.priorities; }
  const Commit* FindCommit(std::string_view pod_uid) const { return parts_.commits.Find(pod_uid); }
  // The cards that were found for it on that node; null: none.
  const Plans::Cards* FindPlan(std::string_view pod_uid, std::string_view node) const {
    return parts_.plans.Find(pod_uid, node);
  }
  size_t pod_count() const { return parts_.objects.pods().size(); }
  size_t partition_count() const { return parts_.objects.partitions().size(); }

  const dcu::Inventory& inventory() const { return parts_.rooms.inventory(); }
  const NodeLedger& ledger() const { return parts_.rooms.ledger(); }
  // Keys of the partitions that are assigned there.
  const std::vector<base::Symbol>& PartitionsOn(std::string_view node) const {
    return parts_.rooms.PartitionsOn(node);
  }
  bool IsSilent(const std::string& node, base::TimePoint now) const {
    return parts_.silence.IsSilent(node, now);
  }
  const DcuNodes& dcu_nodes() const { return parts_.dcu_nodes; }

  // Where the pod's volumes can be reached. Errors: kInvalid, saying what about a claim keeps the
  // pod from being placed.
  base::Result<VolumeAffinities> VolumesOf(const kclient::Pod& pod) const {
    return parts_.volumes.Of(pod);
  }
  // Which namespaces may have slices of the cards that this one's requests are given, as far as the
  // settings and the namespace say. Errors: kInvalid, where that is not known.
  base::Result<dcu::Sharing> SharingOf(std::string_view ns) const {
    return parts_.namespaces.SharingOf(ns, parts_.settings.share);
  }
  // Whether requests of two namespaces that ask for the same may be answered differently.
  bool TellsNamespacesApart() const { return parts_.objects.TellsNamespacesApart(); }
  // Which pods on nodes keep this waiting one away, and where it may go beside all that are there.
  std::vector<Keeper> KeepersOf(const kclient::Pod& pod) const;
  PodTopology TopologyOf(const kclient::Pod& pod) const;

  // Whether quotas of the namespace bound its cards, and which has no room for these requests, with
  // what they would be given.
  bool IsBounded(std::string_view ns) const { return parts_.rooms.IsBounded(ns); }
  std::optional<std::string> WhyOverQuota(const std::string& ns,
                                          const std::vector<dcu::SliceRequest>& asked,
                                          const std::vector<dcu::Assignment>& given) const;

 private:
  const Parts parts_;
};

}  // namespace vdcu::reconcilers
