// Carries out what the reconcilers decide: keys from the queue to plans, plans to writes. The only
// place that retries, and that logs a failure.
//
// Promises: a key's plan is finished before the key is reconciled again; requests are placed, by
// priority, only when all keys that wait have been reconciled; no more than kMostInFlight writes
// are under way; a write is only started while MayWrite says so.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/loop.h"
#include "base/random.h"
#include "controller/metrics.h"
#include "kclient/api.h"
#include "kclient/event_recorder.h"
#include "kclient/workqueue.h"
#include "reconcilers/cluster.h"
#include "reconcilers/partition.h"
#include "reconcilers/placer.h"

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
  struct Batch {
    std::string key;
    bool queued = false;  // the key is the queue's, and must be Done
    size_t left = 0;      // writes without an answer
    bool failed = false;
    base::Duration retry_after{0};       // asked for by the server
    std::vector<kclient::Event> events;  // recorded when all writes have succeeded
  };
  using BatchPtr = std::shared_ptr<Batch>;

  void Pass();
  bool HasRoom() const { return calls_.size() < kMostInFlight; }
  void Reconcile(const std::string& key);
  void Execute(const std::string& key, bool queued, reconcilers::Plan plan);
  void Start(const BatchPtr& batch, const reconcilers::PlannedWrite& planned);
  void OnAnswer(uint64_t id, const BatchPtr& batch, const reconcilers::PlannedWrite& planned,
                base::TimePoint started, const base::Status& status);
  void Finish(Batch& batch);
  void LogFailure(const kclient::Write& write, const base::Error& error) const;
  reconcilers::PartitionInstant Instant() const;

  Parts parts_;
  kclient::WorkQueue queue_;
  reconcilers::Placer placer_;
  base::TimerPtr pass_timer_;
  base::TimerPtr silent_timer_;  // armed for when the next silent node may be tried again
  bool started_ = false;
  bool trimmed_ = false;  // the heap, once all that was there at the start has been looked at
  std::function<void()> drained_;  // set: no write is started any more
  uint64_t next_call_ = 0;
  std::map<uint64_t, kclient::CallPtr> calls_;
};

// What an answer says about whether the write happened.
reconcilers::Outcome OutcomeOf(const reconcilers::Assumption& assumption,
                               const base::Status& status);

}  // namespace vdcu::controller
