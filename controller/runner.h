// Carries out what the reconcilers decide: keys from the queue to plans, plans to writes. The only
// place that retries, and that logs a failure.
//
// Promises: a key's plan is finished before the key is reconciled again; requests are placed by
// priority when all keys that wait have been reconciled, and in each pass some of them although
// there are always keys, once all that was there at the start has been looked at; no more than
// kMostInFlight writes are under way, and of these reports have a part (controller/reports.h); a
// write is only started while MayWrite says so; what has failed is not tried again before its
// setback is over, whatever is reconciled meanwhile (reconcilers/setback.h).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/loop.h"
#include "base/random.h"
#include "controller/metrics.h"
#include "controller/reports.h"
#include "kclient/api.h"
#include "kclient/event_recorder.h"
#include "kclient/workqueue.h"
#include "reconcilers/cluster.h"
#include "reconcilers/partition.h"
#include "reconcilers/placer.h"
#include "reconcilers/setback.h"

namespace vdcu::controller {

class Runner {
 public:
  static constexpr size_t kMostInFlight = 32;

  struct Parts {
    base::Loop& loop;
    kclient::Client& client;
    reconcilers::Cluster& cluster;
    kclient::EventRecorder& events;
    Metrics& metrics;
    std::function<bool()> may_write;  // leadership
  };

  Runner(Parts parts, base::Random random);
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  // Nothing is decided before: all informers must have listed.
  void Start();
  // The cluster has changed: what that concerns is reconciled in a later turn.
  void OnChange();
  // Starts no more writes; `done` runs when none is in flight.
  void Drain(std::function<void()> done);

  size_t in_flight() const { return calls_.size(); }

 private:
  struct Failure {
    size_t place = 0;  // in the plan
    reconcilers::PlannedWrite planned;
    base::Error error;
  };
  struct Batch {
    std::string key;
    bool queued = false;  // the key is the queue's, and must be Done
    size_t left = 0;      // writes without an answer
    bool failed = false;
    std::optional<Failure> failure;      // of a request's writes, the one that says most
    std::vector<std::string> asking;     // keys that find out what became of those
    std::vector<kclient::Event> events;  // recorded when all writes have succeeded
  };
  using BatchPtr = std::shared_ptr<Batch>;

  void Pass();
  bool HasRoom() const { return calls_.size() < kMostInFlight; }
  void Reconcile(const std::string& key);
  bool PlaceSome();
  void Execute(const std::string& key, bool queued, reconcilers::Plan plan);
  bool IsHeldBack(Batch& batch, const reconcilers::PlannedWrite& planned);
  void ComeBack(Batch& batch, base::Duration after);
  void Start(const BatchPtr& batch, const reconcilers::PlannedWrite& planned, size_t place);
  void OnAnswer(uint64_t id, const BatchPtr& batch, const reconcilers::PlannedWrite& planned,
                size_t place, base::TimePoint started, const base::Status& status);
  void OnFailure(Batch& batch, const reconcilers::PlannedWrite& planned, size_t place,
                 const base::Error& error);
  static bool SaysMore(const Failure& a, const Failure& b);
  void SetBackRequest(const Failure& failure);
  void SetBackWrite(Batch& batch, const reconcilers::PlannedWrite& planned,
                    const base::Error& error);
  void Tell(const reconcilers::PlannedWrite& planned, const reconcilers::Setback& setback);
  void Finish(Batch& batch);
  reconcilers::PartitionInstant Instant() const;

  Parts parts_;
  base::Random random_;
  kclient::WorkQueue queue_;
  reconcilers::Placer placer_;
  // Of writes that are no request's, by what they are.
  reconcilers::Setbacks setbacks_;
  std::set<std::string> untold_;  // keys of requests whose report failed: the placer says it again
  Reports reports_;
  base::TimerPtr pass_timer_;
  base::TimerPtr silent_timer_;  // armed for when the next silent node may be tried again
  bool started_ = false;
  bool all_seen_ = false;          // that was there at the start
  std::function<void()> drained_;  // set: no write is started any more
  uint64_t next_call_ = 0;
  std::map<uint64_t, kclient::CallPtr> calls_;
};

// What an answer says about whether the write happened.
reconcilers::Outcome OutcomeOf(const reconcilers::Assumption& assumption,
                               const base::Status& status);

}  // namespace vdcu::controller
