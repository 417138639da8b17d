// All that decisions are made from: what the watches have shown, with our own writes laid over it
// from their start until the watch shows them or they fail. Values only: no I/O, no clock, no logs.
//
// Promises: a change costs the work of what it touches; a slice counts as taken from the moment its
// create or assignment is sent until the watch shows that its object is gone; what a change
// concerns is told by TakeDirty (keys to reconcile) and TakeImproved (nodes that have more room, or
// other properties, than before); it keeps what it is shown, so that an informer need not keep it
// too. Ownership: pointers returned hold until the next change.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/symbol.h"
#include "crds/dcunode.h"
#include "crds/vdcupartition.h"
#include "dcu/inventory.h"
#include "kclient/core/affinity.h"
#include "kclient/core/quota.h"
#include "kclient/core/uid.h"
#include "kclient/core/volume.h"
#include "reconcilers/anti_affinity.h"
#include "reconcilers/doubts.h"
#include "reconcilers/entries.h"
#include "reconcilers/key_index.h"
#include "reconcilers/namespace_holdings.h"
#include "reconcilers/node_fit.h"
#include "reconcilers/node_ledger.h"
#include "reconcilers/packed.h"
#include "reconcilers/plan.h"
#include "reconcilers/pod_topology.h"
#include "reconcilers/table.h"

namespace vdcu::reconcilers {

// Among the namespaces of TakeEased: where pods are has changed for who minds them.
inline constexpr std::string_view kPodsMoved = "/pods";

class Cluster {
 public:
  explicit Cluster(Settings settings);
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  // What the watches show; null is "not there".
  void OnPod(const std::shared_ptr<const kclient::Pod>& old_pod,
             const std::shared_ptr<const kclient::Pod>& new_pod);
  void OnPartition(const std::shared_ptr<const crds::VdcuPartition>& old_object,
                   const std::shared_ptr<const crds::VdcuPartition>& new_object,
                   base::TimePoint now);
  // A list is asked for; what was stored until then will be shown.
  void OnPartitionsListBegin();
  void OnPodsListBegin();
  // All that there were in this resourceVersion are shown.
  void OnPartitionsListed(std::string_view version);
  void OnPodsListed();
  void OnNode(const std::shared_ptr<const kclient::Node>& old_node,
              const std::shared_ptr<const kclient::Node>& new_node, base::TimePoint now);
  void OnDcuNode(const std::shared_ptr<const crds::DcuNode>& old_node,
                 const std::shared_ptr<const crds::DcuNode>& new_node, base::TimePoint now);
  // A daemon has renewed the Lease of its node.
  void OnRenewed(std::string_view node, base::TimePoint now) { doubts_.OnRenewed(node, now); }
  void OnClaim(const std::shared_ptr<const kclient::PersistentVolumeClaim>& old_claim,
               const std::shared_ptr<const kclient::PersistentVolumeClaim>& new_claim);
  void OnVolume(const std::shared_ptr<const kclient::PersistentVolume>& old_volume,
                const std::shared_ptr<const kclient::PersistentVolume>& new_volume);
  void OnNamespace(const std::shared_ptr<const kclient::Namespace>& old_namespace,
                   const std::shared_ptr<const kclient::Namespace>& new_namespace);
  void OnQuota(const std::shared_ptr<const kclient::ResourceQuota>& old_quota,
               const std::shared_ptr<const kclient::ResourceQuota>& new_quota);

  // Our own writes: from their start, and when they end.
  void Assume(const Assumption& assumption, base::TimePoint now);
  void Settle(const Assumption& assumption, Outcome outcome, base::TimePoint now);

  // A write of the request, by its workqueue key, has failed. It is forgotten when the request is
  // bound, assigned or gone.
  void SetBack(const Key& request, Setback setback, base::TimePoint now);
  // Null: none has failed.
  const Setback* FindSetback(const Key& request) const { return setbacks_.Find(request); }

  // What a plan notes, when it has been made.
  void Take(const Note& note, base::TimePoint now);
  // Lets nodes be tried whose time has run out, and returns when that of the next one does.
  std::optional<base::TimePoint> ExpireSilent(base::TimePoint now);
  bool IsSilent(const std::string& node, base::TimePoint now) const;

  const Settings& settings() const { return settings_; }
  const dcu::Inventory& inventory() const { return inventory_; }
  const NodeLedger& ledger() const { return ledger_; }
  const Doubts& doubts() const { return doubts_; }
  // Whether a write of ours to the DCUNode as it is shown has been sent, and may have been done.
  bool IsBeingDoubted(const crds::DcuNode& shown) const;
  // Of our pods.
  PodEntryPtr FindPod(std::string_view key) const;
  PodEntryPtr FindPodByUid(std::string_view uid) const;
  PartitionEntryPtr FindPartition(std::string_view key) const;
  // Those made for the pod, by key.
  std::vector<PartitionEntryPtr> PartitionsOfPod(std::string_view pod_uid) const;
  // Keys of the pods that were bound for the partition, and of those that wait and name it.
  const std::set<std::string>& PodsNaming(std::string_view partition_key) const;
  // Of those that wait for the partition, who came first and may have it when it was last looked
  // at; null: none.
  PodEntryPtr HeadOf(std::string_view partition_key) const;
  // Where the pod's volumes can be reached. Errors: kInvalid, saying what about a claim keeps the
  // pod from being placed.
  base::Result<VolumeAffinities> VolumesOf(const kclient::Pod& pod) const;
  // Which namespaces may have slices of the cards that this one's requests are given, as far as the
  // settings and the namespace say. Errors: kInvalid, where that is not known.
  base::Result<dcu::Sharing> SharingOf(std::string_view ns) const;
  // Whether requests of two namespaces that ask for the same may be answered differently.
  bool TellsNamespacesApart() const { return tells_namespaces_apart_; }
  // Which pods on nodes keep this waiting one away, and where it may go beside all that are there.
  // Holds until the next change.
  std::vector<Keeper> KeepersOf(const kclient::Pod& pod) const;
  PodTopology TopologyOf(const kclient::Pod& pod) const;

  // Whether quotas of the namespace bound its cards, and which has no room for these requests, with
  // what they would be given.
  bool IsBounded(std::string_view ns) const { return holdings_.IsBounded(ns); }
  std::optional<std::string> WhyOverQuota(const std::string& ns,
                                          const std::vector<dcu::SliceRequest>& asked,
                                          const std::vector<dcu::Assignment>& given) const;

  // What was shown last, other schedulers' pods too; null: not there.
  std::shared_ptr<const kclient::Pod> ShownPod(std::string_view key) const;
  std::shared_ptr<const crds::VdcuPartition> ShownPartition(std::string_view key) const;
  std::shared_ptr<const kclient::Node> ShownNode(std::string_view name) const;
  std::shared_ptr<const crds::DcuNode> ShownDcuNode(std::string_view name) const;
  const Table<PodEntry>& pods() const { return pods_; }
  const Table<PartitionEntry>& partitions() const { return partitions_; }
  const std::unordered_map<base::Symbol, PackedDcuNode>& dcu_nodes() const { return dcu_nodes_; }
  // How many DCUNodes there are of each status of their condition Ready ("" where it is absent).
  const std::map<std::string, size_t, std::less<>>& dcu_nodes_by_ready() const {
    return dcu_nodes_by_ready_;
  }

  std::vector<Key> TakeDirty(size_t most = SIZE_MAX);
  bool HasDirty() const {
    return all_dirty_ || !dirty_dcu_nodes_.empty() || !dirty_partitions_.empty() ||
           !dirty_lines_.empty() || !dirty_pods_.empty();
  }
  // Nodes or cards have come, gone or changed: what was said of all of them does not hold any more.
  bool TakeReshaped() { return std::exchange(reshaped_, false); }
  std::set<std::string> TakeImproved() { return std::exchange(improved_, {}); }
  // Namespaces whose quotas, or what they hold, may leave more room than before; and kPodsMoved.
  std::set<std::string> TakeEased() { return std::exchange(eased_, {}); }

 private:
  // Of a node's daemon, that it did not prepare a slice in time.
  struct Silence {
    base::TimePoint until;
    base::Duration length{0};
    bool over = false;  // the node is being tried again
  };

  void TakeOne(const NodeSilent& silent, base::TimePoint now);
  void TakeOne(const PodRefused& refused, base::TimePoint now);
  void TakeOne(const PartitionRefused& refused, base::TimePoint now);
  void TakeOne(const MisnamingTold& told, base::TimePoint now);
  void TakeOne(const LineSeen& seen, base::TimePoint now);
  void SetHead(const std::string& partition_key, const std::string& pod_key);
  void AssumeOne(const AssumeCreated& created, base::TimePoint now);
  void AssumeOne(const AssumeAssigned& assigned, base::TimePoint now);
  void AssumeOne(const AssumeWritten& written, base::TimePoint now);
  void AssumeOne(const AssumeBound& bound, base::TimePoint now);
  void AssumeOne(const AssumeReported& reported, base::TimePoint now);
  void AssumeOne(const AssumeDoubted& doubted, base::TimePoint now);
  void SettleOne(const AssumeCreated& created, Outcome outcome, base::TimePoint now);
  void SettleOne(const AssumeAssigned& assigned, Outcome outcome, base::TimePoint now);
  void SettleOne(const AssumeWritten& written, Outcome outcome, base::TimePoint now);
  void SettleOne(const AssumeBound& bound, Outcome outcome, base::TimePoint now);
  void SettleOne(const AssumeReported& reported, Outcome outcome, base::TimePoint now);
  void SettleOne(const AssumeDoubted& doubted, Outcome outcome, base::TimePoint now);
  void ShowPod(const std::string& key, const std::shared_ptr<const kclient::Pod>& pod);
  void ShowOtherPod(const std::string& key, const std::shared_ptr<const kclient::Pod>& pod);
  void ForgetPod(const std::string& key);
  bool WasDeletedUnseen(const PartitionEntry& entry) const;
  void Withdraw(const std::string& key);
  void UnindexPod(const PodEntry& entry);
  void IndexReserved(const PodEntry& entry);
  void Unassume(const PodEntryPtr& found);
  std::string NodeToCharge(const PodEntry& entry) const;
  // The pod takes room on `node` (empty: nowhere), instead of where and as it did until now.
  void ReplacePod(const std::string& key, PodEntry entry, const std::string& node);
  void ChargeAntiAffinity(const kclient::Pod* before, const std::string& was,
                          const kclient::Pod& pod, const std::string& is);
  void ImproveAround(const std::string& node, const std::vector<kclient::PodAffinityTerm>& terms);
  const kclient::Labels& LabelsOfNamespace(std::string_view name) const;
  void MarkWaitingDirty();
  void NoteMinding(const std::string& key, const kclient::Pod& pod);
  void PodMoved(const kclient::Pod& moved);
  void LookAgain();
  void ReplacePartition(const std::string& key, PartitionEntry entry, base::TimePoint now);
  void PartitionChanged(const std::string& key, const crds::VdcuPartition* before,
                        const crds::VdcuPartition& object);
  void IndexPartition(const std::string& key, const crds::VdcuPartition& object);
  void UnindexPartition(const std::string& key, const crds::VdcuPartition& object);
  std::shared_ptr<const crds::VdcuPartition> ErasePartition(const std::string& key);
  // And has those looked at whom it concerns.
  void ForgetPartition(const std::string& key);
  bool BringForward(const std::string& key, base::TimePoint now);
  bool IsShown(std::string_view pod_key, std::string_view uid) const;  // this very pod
  void Improve(const std::string& node);
  void Ease(const std::string& ns);
  void NoteSharing();
  void MarkWaitingOf(std::string_view ns);
  void Recharge(std::string_view pod_key);
  void RefreshInventory(const std::string& node);
  void JudgeDaemon(const std::string& node, base::TimePoint now);
  void CountReady(const crds::DcuNode& node, int sign);
  void MarkPartitionDirty(const std::string& key, const crds::VdcuPartition& object);
  void RechargePodOf(const crds::VdcuPartition& partition);
  void MarkPodDirty(const PodEntry& entry);
  bool IsBehind(const PodEntry& entry, const std::string& partition_key) const;
  void MarkLine(std::string_view partition_key);
  void MarkDirtyPod(std::string_view key);
  void MarkDirtyPartition(std::string_view key);
  void MarkDirtyDcuNode(std::string_view name);
  const std::vector<base::Symbol>& PartitionsOn(std::string_view node) const;
  // Sorted.
  std::vector<base::Symbol> PartitionKeysOfPod(std::string_view uid) const;

  const Settings settings_;
  dcu::Inventory inventory_;
  NodeLedger ledger_;
  Table<PodEntry> pods_;
  std::unordered_map<kclient::Uid, base::Symbol> pod_keys_;  // by UID, of our pods
  Table<PartitionEntry> partitions_;
  std::string partitions_listed_;  // resourceVersion of their last list
  // What had been committed and was not shown when the list under way began, by key: our creates
  // and assignments, and the UIDs of pods that we have bound.
  std::map<std::string, std::shared_ptr<const crds::VdcuPartition>> committed_before_list_;
  std::map<std::string, std::string> bound_before_list_;
  std::unordered_multimap<kclient::Uid, base::Symbol> partitions_of_pod_;      // pod UID -> keys
  std::unordered_map<base::Symbol, std::vector<base::Symbol>> partitions_on_;  // node -> keys
  KeyIndex pods_naming_;                                       // partition key -> pod keys
  std::map<std::string, std::string, std::less<>> heads_;      // of its lines, by partition key
  std::unordered_map<base::Symbol, PackedDcuNode> dcu_nodes_;  // by name
  std::map<std::string, size_t, std::less<>> dcu_nodes_by_ready_;
  Doubts doubts_;                               // about those in dcu_nodes_
  std::map<std::string, std::string> doubted_;  // node -> version of its DCUNode that we write to
  std::map<std::string, std::shared_ptr<const kclient::PersistentVolumeClaim>, std::less<>> claims_;
  std::map<std::string, std::shared_ptr<const kclient::PersistentVolume>, std::less<>> volumes_;
  std::map<std::string, std::shared_ptr<const kclient::Namespace>, std::less<>> namespaces_;
  bool tells_namespaces_apart_ = false;
  AntiAffinity anti_affinity_;
  std::set<std::string, std::less<>> minding_;  // keys of waiting pods that MindsPods
  NamespaceHoldings holdings_;
  KeyIndex pods_of_claim_;                  // claim key -> keys of waiting pods
  std::map<std::string, Silence> silent_;   // by node
  kclient::Setbacks<Key> setbacks_;         // by request
  bool all_dirty_ = true;                   // until the first TakeDirty, and not noted one by one
  std::set<base::Symbol> dirty_dcu_nodes_;  // names
  std::set<base::Symbol> dirty_pods_;       // keys
  std::set<base::Symbol> dirty_partitions_;
  std::set<base::Symbol> dirty_lines_;  // keys of their partitions
  std::set<std::string> improved_;
  std::set<std::string> eased_;
  bool reshaped_ = false;
};

}  // namespace vdcu::reconcilers
