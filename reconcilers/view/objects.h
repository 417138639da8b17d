// What is known of pods and partitions: what the watches have shown, with our own writes laid over
// it. Whoever learns more replaces an entry; what that means for rooms and for whom it concerns is
// worked out here, from the entry before and the one after.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/symbol.h"
#include "kclient/core/uid.h"
#include "kclient/engine/setback.h"
#include "reconcilers/view/arrivals.h"
#include "reconcilers/view/changes.h"
#include "reconcilers/view/demands.h"
#include "reconcilers/view/entries.h"
#include "reconcilers/view/groups.h"
#include "reconcilers/view/key_index.h"
#include "reconcilers/view/lines.h"
#include "reconcilers/view/namespaces.h"
#include "reconcilers/view/priorities.h"
#include "reconcilers/view/rooms.h"
#include "reconcilers/view/silence.h"
#include "reconcilers/view/table.h"

namespace vdcu::reconcilers {

class Objects {
 public:
  struct Parts {
    const Settings& settings;
    const Namespaces& namespaces;
    Lines& lines;
    Groups& groups;
    Arrivals& arrivals;
    Priorities& priorities;
    Changes& changes;
    Rooms& rooms;
    Demands& demands;
    Silence& silence;
    kclient::Setbacks<Key>& setbacks;
  };

  explicit Objects(Parts parts);
  Objects(const Objects&) = delete;
  Objects& operator=(const Objects&) = delete;

  // Null: there is none. Of pods ours only: see View.
  PodEntryPtr FindPod(std::string_view key) const;
  PodEntryPtr FindPodByUid(std::string_view uid) const;
  PodEntryPtr FindAnyPod(std::string_view key) const { return pods_.Find(key); }
  PartitionEntryPtr FindPartition(std::string_view key) const { return partitions_.Find(key); }
  // Those made for the pod, by key.
  std::vector<PartitionEntryPtr> PartitionsOfPod(std::string_view pod_uid) const;
  std::vector<base::Symbol> PartitionKeysOfPod(std::string_view pod_uid) const;
  const Table<PodEntry>& pods() const { return pods_; }
  const Table<PartitionEntry>& partitions() const { return partitions_; }

  // A pod of ours, as it is now; one that only takes room; and none any more.
  void SetPod(const std::string& key, PodEntry entry);
  void SetOtherPod(const std::string& key, const std::shared_ptr<const kclient::Pod>& pod);
  void ForgetPod(const std::string& key);
  void SetPartition(const std::string& key, PartitionEntry entry, base::TimePoint now);
  // Returns what was there; null: nothing. Forget has those looked at whom it concerns.
  std::shared_ptr<const crds::VdcuPartition> ErasePartition(const std::string& key);
  void ForgetPartition(const std::string& key);
  // The pod that the partition names takes its room where that is now.
  void RechargePodOf(const crds::VdcuPartition& partition);
  // Changes that are nobody else's concern.
  template <class Edit>
  void EditPod(std::string_view key, const Edit& edit) {
    pods_.Change(key, edit);
  }
  template <class Edit>
  void EditPartition(std::string_view key, const Edit& edit) {
    partitions_.Change(key, edit);
  }

  // The pod itself, the reserved partition that it has or names, and those that wait for it too.
  void MarkPod(const PodEntry& entry);
  // The partition itself, its pod, or the pods that wait for it.
  void MarkPartition(const std::string& key, const crds::VdcuPartition& object);
  void MarkAll();
  // Pods that wait; and those of a namespace ("": of all), with its partitions that wait for cards.
  void MarkWaitingPods();
  void MarkWaitingOf(std::string_view ns);
  // Pods of the namespace that wait, and all its partitions.
  void MarkAllOf(std::string_view ns);
  void MarkPodsWithClaim(std::string_view claim_key);
  void MarkPodsWithClaims();
  // All that mind pods: where those are, or how nodes are labelled, has changed.
  void MarkMinding();
  // Has requests of two namespaces told apart from now on, where anything does. Once for ever, so
  // that nobody can have all looked at again and again.
  void NoteSharing();
  bool TellsNamespacesApart() const { return tells_namespaces_apart_; }

 private:
  std::string NodeToCharge(const PodEntry& entry) const;
  void ReplacePod(const std::string& key, PodEntry entry, const std::string& node);
  void Recharge(std::string_view pod_key);
  void IndexPod(const std::string& key, const PodEntry& entry);
  void UnindexPod(const std::string& key, const PodEntry& entry);
  void IndexPartition(const std::string& key, const crds::VdcuPartition* before,
                      const crds::VdcuPartition* after);
  void PodMoved(const kclient::Pod& moved);
  void OfferPodOf(const crds::VdcuPartition& partition);
  // For Policy::kFragmentationAware, from when it is first asked for.
  void BeginDemands(dcu::Policy policy);
  void CountDemand(const std::string& pod_key, const PodEntry& entry);
  void CountDemand(const std::string& key, const crds::VdcuPartition* partition);
  void CountDemandOfPod(std::string_view uid);
  std::vector<dcu::SliceRequest> SlicesOf(const PodEntry& entry) const;
  bool IsBehind(const PodEntry& entry, const std::string& partition_key) const;

  const Parts parts_;
  Table<PodEntry> pods_;
  std::unordered_map<kclient::Uid, base::Symbol> pod_keys_;  // by UID, of our pods
  Table<PartitionEntry> partitions_;
  std::unordered_multimap<kclient::Uid, base::Symbol> partitions_of_pod_;  // pod UID -> keys
  KeyIndex pods_of_claim_;                      // claim key -> keys of waiting pods
  std::set<std::string, std::less<>> minding_;  // keys of waiting pods that MindsPods
  bool tells_namespaces_apart_ = false;
};

}  // namespace vdcu::reconcilers
