// Carries out what a decider decides: keys from the queue to plans, plans to reads and writes. The
// only place that retries, and that logs a failure; the controller and each node's daemon run on
// one.
//
// Promises: a key's plan is finished before the key is reconciled again; no more than
// `most_in_flight` requests are under way, and of these reports have a part (reports.h); the
// decider places when all keys that wait have been reconciled, and in each pass a part although
// there are always keys, once all that was there at the start has been looked at; a write is only
// started while the decider may write; what has failed is not sent again before its setback is
// over, whatever is reconciled meanwhile, and its success ends that (setback.h); a pass is bounded,
// so that the loop stays responsive.
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
#include "kclient/api.h"
#include "kclient/engine/decider.h"
#include "kclient/engine/plan.h"
#include "kclient/engine/reports.h"
#include "kclient/engine/setback.h"
#include "kclient/engine/workqueue.h"
#include "kclient/event_recorder.h"

namespace vdcu::kclient {

class Executor {
 public:
  struct Parts {
    base::Loop& loop;
    Client& client;
    EventRecorder& events;
    Decider& decider;
  };

  Executor(Parts parts, size_t most_in_flight, base::Random random);
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  // Until then keys only gather.
  void Start();
  void Add(const Key& key) { queue_.Add(key); }
  // The decider has something new: it is asked in a later turn.
  void Wake();
  // Starts nothing more; `done` runs when nothing is under way.
  void Drain(std::function<void()> done);
  // Drops what is under way.
  void Stop();

  size_t in_flight() const { return calls_.size(); }
  const WorkQueue& queue() const { return queue_; }

 private:
  struct Failure {
    size_t place = 0;  // in the plan
    base::Error error;
  };
  struct Batch {
    Key key;
    bool queued = false;  // the key is the queue's, and must be Done
    WorkPlan plan;
    size_t left = 0;                 // of the plan's writes, without an answer
    bool failed = false;             // events are not recorded
    std::optional<Failure> failure;  // of a request's writes, the one that says most
    std::vector<Key> asking;         // keys that find out what became of those
  };
  using BatchPtr = std::shared_ptr<Batch>;

  void Pass();
  bool HasRoom() const { return calls_.size() < most_in_flight_; }
  void Reconcile(const Key& key);
  bool PlaceSome();
  void Execute(const BatchPtr& batch);
  void Ask(const BatchPtr& batch);
  void OnRead(const BatchPtr& batch, const Answer& answer);
  bool IsHeldBack(Batch& batch, const PlannedTask& task);
  void ComeBack(Batch& batch, base::Duration after);
  void StartWrite(const BatchPtr& batch, size_t place);
  void OnAnswer(const BatchPtr& batch, size_t place, base::TimePoint started, const Answer& answer);
  void OnEnded(uint64_t id);
  void OnFailure(Batch& batch, size_t place, const base::Error& error);
  static bool SaysMore(const Failure& a, const Failure& b);
  void SetBackRequest(const Batch& batch, const Failure& failure);
  void SetBackWrite(Batch& batch, const PlannedTask& task, const base::Error& error);
  void SetBackKey(Batch& batch, const base::Error& error);
  void Finish(Batch& batch);
  base::Instant Instant() const;

  Parts parts_;
  const size_t most_in_flight_;
  base::Random random_;
  WorkQueue queue_;
  Setbacks<std::string> writes_;  // that are no request's, by what they are
  Setbacks<Key> keys_;            // whose plans failed otherwise
  Reports reports_;
  base::TimerPtr pass_timer_;
  bool started_ = false;
  bool all_seen_ = false;          // that was there at the start
  std::function<void()> drained_;  // set: nothing is started any more
  uint64_t next_call_ = 0;
  std::map<uint64_t, CallPtr> calls_;
};

}  // namespace vdcu::kclient
