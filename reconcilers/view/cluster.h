// The cluster as decisions see it: owns the parts of the view, and is what tells them of changes.
//
// Promises: a change costs the work of what it touches; what a change concerns comes with
// TakeDirty (keys to reconcile) and with the changes (nodes that have more room, or other
// properties, than before).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reconcilers/plan.h"
#include "reconcilers/view/overlay.h"
#include "reconcilers/view/shown.h"
#include "reconcilers/view/trial.h"
#include "reconcilers/view/view.h"

namespace vdcu::reconcilers {

class Cluster {
 public:
  explicit Cluster(Settings settings) : settings_(std::move(settings)) {}
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  const View& view() const { return view_; }
  Changes& changes() { return changes_; }
  Shown& shown() { return shown_; }  // the informers' sink

  // A list is asked for; and all that there were in this resourceVersion are shown.
  void OnPartitionsListBegin() { overlay_.OnPartitionsListBegin(); }
  void OnPartitionsListed(std::string_view version) { overlay_.OnPartitionsListed(version); }
  void OnPodsListBegin() { overlay_.OnPodsListBegin(); }
  void OnPodsListed() { overlay_.OnPodsListed(); }
  // A daemon has renewed the Lease of its node.
  void OnRenewed(std::string_view node, base::TimePoint now) { dcu_nodes_.OnRenewed(node, now); }

  // See Overlay.
  void Assume(const Assumption& assumption, base::TimePoint now) {
    overlay_.Assume(assumption, now);
  }
  void Settle(const Assumption& assumption, Outcome outcome, base::TimePoint now) {
    overlay_.Settle(assumption, outcome, now);
  }
  void SetBack(const Key& request, Setback setback, base::TimePoint now) {
    overlay_.SetBack(request, std::move(setback), now);
  }
  // What a plan notes, when it has been made.
  void Take(const Note& note, base::TimePoint now);
  // Another scheduler asks for the pod, on that node.
  void Ask(const kclient::Pod& pod, const std::string& node, base::TimePoint now);
  // These slices are kept for the pod, as by SliceHeld, for so long; and these cards were found for
  // it on that node.
  void Keep(const SliceHeld& held, base::Duration length, base::TimePoint now);
  void NotePlan(std::string_view pod_uid, std::string_view node, Plans::Cards cards,
                base::TimePoint until) {
    plans_.Set(pod_uid, node, std::move(cards), until);
  }
  // Another scheduler is about to bind the pod to that node itself.
  void Prepare(const kclient::Pod& pod, const std::string& node, base::TimePoint now);
  // What was kept for the pod, if anything, is free.
  void DropHold(std::string_view pod_uid) { holds_.Drop(pod_uid); }
  // The pod waits for this room, which counts as taken, or does not any more.
  void Claim(const RoomClaimed& claimed);
  void DropClaim(std::string_view pod_uid) { claims_.Drop(pod_uid); }
  // Lets nodes be tried whose silence is over, and drops holds whose time is; returns when that of
  // the next one is.
  std::optional<base::TimePoint> Expire(base::TimePoint now);

  // For one decision.
  Trial BeginTrial() { return {rooms_, objects_, claims_}; }

  std::vector<Key> TakeDirty(size_t most = SIZE_MAX);
  bool HasDirty() const { return changes_.HasDirty(); }

 private:
  void TakeOne(const NodeSilent& silent, base::TimePoint now);
  void TakeOne(const PodRefused& refused, base::TimePoint now);
  void TakeOne(const PartitionRefused& refused, base::TimePoint now);
  void TakeOne(const MisnamingReported& reported, base::TimePoint now);
  void TakeOne(const LineSeen& seen, base::TimePoint now);
  void TakeOne(const SliceHeld& held, base::TimePoint now);
  void TakeOne(const SliceSought& sought, base::TimePoint now);
  void TakeOne(const CommitFailed& failed, base::TimePoint now);
  void TakeOne(const CommitReady& ready, base::TimePoint now);
  void TakeOne(const GroupComplete& complete, base::TimePoint now);
  void TakeOne(const RoomClaimed& claimed, base::TimePoint now);
  void TakeOne(const RoomUnclaimed& unclaimed, base::TimePoint now);

  // Each refers to those before it only.
  const Settings settings_;
  Namespaces namespaces_;
  Volumes volumes_;
  Lines lines_;
  Groups groups_;
  kclient::Setbacks<Key> setbacks_;  // by request
  Silence silence_{settings_};
  Arrivals arrivals_;
  Priorities priorities_;
  Evictions evictions_;
  Changes changes_{lines_, groups_, arrivals_};
  Rooms rooms_{changes_, settings_.memory_unit};
  Holds holds_{rooms_};
  Claims claims_{rooms_};
  Commits commits_;
  Plans plans_;
  DcuNodes dcu_nodes_{rooms_.ledger(), changes_, settings_.node_taint};
  Demands demands_{rooms_};
  Objects objects_{{settings_, namespaces_, lines_, groups_, arrivals_, priorities_, changes_,
                    rooms_, demands_, silence_, setbacks_}};
  Overlay overlay_{
      {settings_, objects_, dcu_nodes_, holds_, claims_, evictions_, setbacks_, changes_}};
  Shown shown_{{settings_, namespaces_, volumes_, changes_, rooms_, holds_, claims_, evictions_,
                commits_, objects_, dcu_nodes_, overlay_, setbacks_}};
  const View view_{{settings_, namespaces_, volumes_, lines_, groups_, priorities_, rooms_,
                    silence_, setbacks_, dcu_nodes_, holds_, claims_, evictions_, commits_, plans_,
                    objects_}};
};

}  // namespace vdcu::reconcilers
