// A Cluster as a test drives it: objects are shown, plans are assumed and settled, time is set.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "reconcilers/partition.h"
#include "reconcilers/placer.h"
#include "reconcilers/pod.h"
#include "reconcilers/reserved.h"
#include "tests/builders/builders.h"

namespace vdcu::reconcilers {

using builders::DcuNodePtr;
using builders::NodePtr;
using builders::PartitionPtr;
using builders::PodPtr;

// What waits for its cards in tests: a tenth of a card of MakeDcuNode.
inline const kclient::ResourceList kTenth{
    {"hygon.com/dcunum", 1}, {"hygon.com/dcumem", 1000}, {"hygon.com/dcucores", 10}};
inline const kclient::ResourceList kWhole{{"hygon.com/dcunum", 1}};

class ShownCluster {
 public:
  // `namespaces`: those of what is shown are there, too.
  explicit ShownCluster(Settings settings = Settings(), bool namespaces = true)
      : cluster(std::move(settings)), with_namespaces_(namespaces) {
    at.wall_time = *base::ParseTime("2026-01-01T01:00:00Z");
    at.wall = base::FormatTime(at.wall_time);
    at.now = base::TimePoint(base::Duration(1'000'000));
  }

  Cluster cluster;
  PartitionInstant at;

  void Show(const PodPtr& pod) {
    ShowNamespaceOf(pod->meta);
    cluster.shown().Set(std::exchange(pods_[pod->meta.key()], pod), pod, at.now);
  }
  void Show(const PartitionPtr& partition) {
    ShowNamespaceOf(partition->meta);
    auto& old = partitions_[partition->meta.key()];
    cluster.shown().Set(std::exchange(old, partition), partition, at.now);
  }
  void Show(const NodePtr& node) {
    cluster.shown().Set(std::exchange(nodes_[node->meta.name], node), node, at.now);
  }
  void Show(const DcuNodePtr& node) {
    cluster.shown().Set(std::exchange(dcu_nodes_[node->meta.name], node), node, at.now);
  }
  void Remove(const PodPtr& pod) {
    cluster.shown().Set(std::exchange(pods_[pod->meta.key()], nullptr), PodPtr(), at.now);
  }
  void Remove(const PartitionPtr& partition) {
    auto& old = partitions_[partition->meta.key()];
    cluster.shown().Set(std::exchange(old, nullptr), PartitionPtr(), at.now);
  }
  void Remove(const NodePtr& node) {
    cluster.shown().Set(std::exchange(nodes_[node->meta.name], nullptr), NodePtr(), at.now);
  }
  void ShowNamespace(const std::string& name, const std::string& share = "") {
    kclient::Namespace shown;
    shown.meta.name = name;
    if (!share.empty()) shown.meta.annotations.emplace(crds::kShareAnnotation, share);
    auto& old = namespaces_[name];
    const auto now = std::make_shared<const kclient::Namespace>(shown);
    cluster.shown().Set(std::exchange(old, now), now, at.now);
  }
  // A node whose daemon has reported so many cards.
  void ShowNode(const std::string& name, int cards) {
    Show(builders::MakeNode(name).Obj());
    Show(builders::MakeDcuNode(name).Cards(cards).Obj());
  }

  void Pass(base::Duration by) {
    at.now += by;
    at.wall_time += by;
    at.wall = base::FormatTime(at.wall_time);
  }
  Plan OfPod(const std::string& name) {
    return Noted(ReconcilePod(cluster.view(), "team-a/" + name, at));
  }
  Plan OfPartition(const PartitionPtr& partition) {
    return Noted(ReconcilePartition(cluster.view(), partition->meta.key(), at));
  }
  // As the runner does when the plan has been made.
  Plan Noted(Plan plan) {
    for (const Note& note : plan.notes) cluster.Take(note, at.now);
    return plan;
  }
  void Assume(const Plan& plan) {
    for (const auto& write : plan.writes) cluster.Assume(write.assumption, at.now);
  }
  void Settle(const Plan& plan, Outcome outcome) {
    for (const auto& write : plan.writes) cluster.Settle(write.assumption, outcome, at.now);
  }
  // As the runner does when the writes of the plan have failed with that.
  void SetBack(const Plan& plan, const base::Error& error) {
    for (const auto& planned : plan.writes) {
      const Key request = RequestKeyOf(planned.assumption);
      auto after = kclient::AfterFailure(cluster.view().FindSetback(request),
                                         {planned.write, RefusedReasonOf(planned.assumption)},
                                         error, 0.5, at);
      cluster.SetBack(request, std::move(after), at.now);
    }
  }
  // Keys that are to be reconciled, as texts: "pod/team-a/p".
  std::vector<std::string> TakeDirty() {
    std::vector<std::string> texts;
    for (const Key& key : cluster.TakeDirty()) texts.push_back(key.Text());
    return texts;
  }
  // All keys that are to be reconciled, those of the lines that are looked at meanwhile too.
  std::vector<std::string> TakeAllDirty() {
    std::vector<std::string> all;
    while (cluster.HasDirty()) {
      for (const std::string& key : TakeDirty()) {
        all.push_back(key);
        if (key.starts_with("line/")) Noted(ReconcileLine(cluster.view(), key.substr(5), at));
      }
    }
    return all;
  }
  bool TakesDirty(const std::string& key) {
    const auto dirty = TakeAllDirty();
    return std::find(dirty.begin(), dirty.end(), key) != dirty.end();
  }
  int UnitsTaken(const std::string& node, int card = 0) const {
    const dcu::Node* found = cluster.view().inventory().Find(node);
    return found == nullptr ? -1 : found->cards[card].used_units.Count();
  }

 private:
  void ShowNamespaceOf(const kclient::ObjectMeta& meta) {
    if (with_namespaces_ && !namespaces_.contains(meta.ns)) ShowNamespace(meta.ns);
  }

  const bool with_namespaces_;
  std::map<std::string, std::shared_ptr<const kclient::Namespace>> namespaces_;
  std::map<std::string, PodPtr> pods_;
  std::map<std::string, PartitionPtr> partitions_;
  std::map<std::string, NodePtr> nodes_;
  std::map<std::string, DcuNodePtr> dcu_nodes_;
};

// "delete vdcupartitions team-a/p", one for each write.
inline std::vector<std::string> Writes(const Plan& plan) {
  std::vector<std::string> writes;
  for (const auto& planned : plan.writes) writes.push_back(planned.write.Describe());
  return writes;
}
inline std::vector<std::string> Reasons(const Plan& plan) {
  std::vector<std::string> reasons;
  for (const auto& event : plan.events) reasons.push_back(event.reason);
  return reasons;
}

// The condition of a report on a pod or a partition.
inline nlohmann::json Reported(const Plan& plan) {
  if (plan.writes.size() != 1) return {};
  return plan.writes[0]
      .write.body.value("/status/conditions"_json_pointer, nlohmann::json())
      .back();
}

}  // namespace vdcu::reconcilers
