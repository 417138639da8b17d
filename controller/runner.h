// What the executor carries out for a leader: the plans of the reconcilers, with the cluster that
// they decide from told of each write, and the placer's decisions between them.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/loop.h"
#include "base/random.h"
#include "controller/latencies.h"
#include "controller/metrics.h"
#include "kclient/api.h"
#include "kclient/engine/decider.h"
#include "kclient/engine/executor.h"
#include "kclient/event_recorder.h"
#include "reconcilers/adoption.h"
#include "reconcilers/partition.h"
#include "reconcilers/placer.h"
#include "reconcilers/view/cluster.h"

namespace vdcu::controller {

class Runner : private kclient::Decider {
 public:
  static constexpr size_t kMostInFlight = 32;

  struct Parts {
    base::Loop& loop;
    kclient::Client& client;
    reconcilers::Cluster& cluster;
    kclient::EventRecorder& events;
    Metrics& metrics;
    std::function<bool()> may_write;          // leadership
    std::function<void()> on_change = [] {};  // the cluster may have changed
  };

  Runner(Parts parts, base::Random random);
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  // Nothing is decided before: all informers must have listed.
  void Start() { executor_.Start(); }
  // The cluster has changed: what that concerns is reconciled in a later turn.
  void OnChange() { executor_.Wake(); }
  // Starts no more writes; `done` runs when none is in flight.
  void Drain(std::function<void()> done) { executor_.Drain(std::move(done)); }

  size_t in_flight() const { return executor_.in_flight(); }
  // Those that are counted when somebody asks.
  void UpdateMetrics() const;

 private:
  std::vector<kclient::Key> TakeChanged(size_t most) override;
  bool HasChanged() const override { return parts_.cluster.HasDirty(); }
  kclient::WorkPlan Reconcile(const kclient::Key& key) override;
  std::optional<Placement> Place() override;
  void OnNotPlaced(const kclient::Key& request) override { untold_.insert(request); }
  const kclient::Setback* FindSetback(const kclient::Key& request) const override {
    return parts_.cluster.view().FindSetback(request);
  }
  void SetBack(const kclient::PlannedTask& failed, const base::Error& error,
               const kclient::Setback& after) override;
  bool MayWrite() const override { return parts_.may_write(); }
  void OnWritten(const kclient::Write& write, const base::Status& status,
                 base::Duration took) override;
  void OnRefused(const kclient::PlannedTask& task, const kclient::Setback& setback) override;

  void NoteWait(const kclient::Key& key, const reconcilers::Plan& plan);
  void NoteSteps(const kclient::Key& key, const reconcilers::Plan& plan);
  std::optional<Placement> PlaceAsked();
  void Note(const reconcilers::Plan& plan, base::TimePoint now);
  kclient::WorkPlan WorkOf(reconcilers::Plan plan);
  kclient::PlannedTask TaskOf(reconcilers::PlannedWrite planned);
  base::TimePoint Now() const { return parts_.loop.clock().Now(); }
  reconcilers::PartitionInstant Instant() const;

  Parts parts_;
  reconcilers::Placer placer_;
  std::map<kclient::Key, reconcilers::Wait> waits_;  // of requests that the placer does not have
  Latencies latencies_;
  std::set<reconcilers::Turn> asked_;  // pods whose node is given: they go first
  std::set<kclient::Key> untold_;      // requests whose report failed: the placer says it again
  base::TimerPtr expiry_timer_;        // armed for the end of the next silence or hold
  kclient::Executor executor_;
};

}  // namespace vdcu::controller
