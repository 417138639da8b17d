// Our own writes, laid over what is shown from their start until the watch shows them or they fail.
//
// Promises: a slice counts as taken from the moment its create or assignment is sent until the
// watch shows that its object is gone; what a list does not show although it was committed before
// is void.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "kclient/engine/setback.h"
#include "reconcilers/plan.h"
#include "reconcilers/view/claims.h"
#include "reconcilers/view/dcu_nodes.h"
#include "reconcilers/view/evictions.h"
#include "reconcilers/view/holds.h"
#include "reconcilers/view/objects.h"

namespace vdcu::reconcilers {

class Overlay {
 public:
  struct Parts {
    const Settings& settings;
    Objects& objects;
    DcuNodes& dcu_nodes;
    Holds& holds;
    Claims& claims;
    Evictions& evictions;
    kclient::Setbacks<Key>& setbacks;
    Changes& changes;
  };

  explicit Overlay(Parts parts)
      : settings_(parts.settings),
        objects_(parts.objects),
        dcu_nodes_(parts.dcu_nodes),
        holds_(parts.holds),
        claims_(parts.claims),
        evictions_(parts.evictions),
        setbacks_(parts.setbacks),
        changes_(parts.changes) {}

  // From their start, and when they end. What fails is not marked dirty here: its request is set
  // back.
  void Assume(const Assumption& assumption, base::TimePoint now);
  void Settle(const Assumption& assumption, Outcome outcome, base::TimePoint now);
  // A write of the request has failed. It is forgotten when the request is
  // bound, assigned or gone.
  void SetBack(const Key& request, Setback setback, base::TimePoint now);

  // A list is asked for; what was stored until then will be shown. And all that there were in this
  // resourceVersion are shown.
  void OnPodsListBegin();
  void OnPodsListed();
  void OnPartitionsListBegin();
  void OnPartitionsListed(std::string_view version);

  // What counts when the watch shows the partition; and when it shows that it is gone. Nothing: no
  // create of ours is behind it.
  PartitionEntry WithShown(const std::string& key,
                           const std::shared_ptr<const crds::VdcuPartition>& shown,
                           base::TimePoint now) const;
  std::optional<PartitionEntry> BroughtForward(const std::string& key) const;

 private:
  void AssumeOne(const AssumeCreated& created, base::TimePoint now);
  void AssumeOne(const AssumeAssigned& assigned, base::TimePoint now);
  void AssumeOne(const AssumeWritten& written, base::TimePoint now);
  void AssumeOne(const AssumeBound& bound, base::TimePoint now);
  void AssumeOne(const AssumeReported& reported, base::TimePoint now);
  void AssumeOne(const AssumeDoubted& doubted, base::TimePoint now);
  void AssumeOne(const AssumeTainted& tainted, base::TimePoint now);
  void AssumeOne(const AssumeNudged& nudged, base::TimePoint now);
  void AssumeOne(const AssumeEvicted& evicted, base::TimePoint now);
  void AssumeOne(const AssumeNominated& nominated, base::TimePoint now);
  void SettleOne(const AssumeCreated& created, Outcome outcome, base::TimePoint now);
  void SettleOne(const AssumeAssigned& assigned, Outcome outcome, base::TimePoint now);
  void SettleOne(const AssumeWritten& written, Outcome outcome, base::TimePoint now);
  void SettleOne(const AssumeBound& bound, Outcome outcome, base::TimePoint now);
  void SettleOne(const AssumeReported& reported, Outcome outcome, base::TimePoint now);
  void SettleOne(const AssumeDoubted& doubted, Outcome outcome, base::TimePoint now);
  void SettleOne(const AssumeTainted& tainted, Outcome outcome, base::TimePoint now);
  void SettleOne(const AssumeNudged& nudged, Outcome outcome, base::TimePoint now);
  void SettleOne(const AssumeEvicted& evicted, Outcome outcome, base::TimePoint now);
  void SettleOne(const AssumeNominated& nominated, Outcome outcome, base::TimePoint now);
  PodEntryPtr FindShown(std::string_view pod_key, std::string_view uid) const;
  bool WasDeletedUnseen(const PartitionEntry& entry) const;
  void Withdraw(const std::string& key);
  void Unassume(const PodEntry& bound);

  const Settings& settings_;
  Objects& objects_;
  DcuNodes& dcu_nodes_;
  Holds& holds_;
  Claims& claims_;
  Evictions& evictions_;
  kclient::Setbacks<Key>& setbacks_;
  Changes& changes_;
  std::string partitions_listed_;  // resourceVersion of their last list
  // What had been committed and was not shown when the list under way began, by key: our creates
  // and assignments, and the UIDs of pods that we have bound.
  std::map<std::string, std::shared_ptr<const crds::VdcuPartition>> committed_before_list_;
  std::map<std::string, std::string> bound_before_list_;
};

}  // namespace vdcu::reconcilers
