// Sends events about objects (events.k8s.io/v1): many callers, few and unimportant requests.
//
// Promises:
//  - The same event (object, type, reason, action, note) again within 6 minutes of its last becomes
//    a series: one object whose count is patched, at most every 30 s.
//  - Different notes with the same reason about one object: 25 at once, then one in 5 minutes, as
//    client-go's spam filter; more are dropped and counted.
//  - Bounded: above the queue's limit the oldest Normal event is dropped and counted, a Warning
//    only where nothing else waits.
//  - Low priority: an event is sent only while idle() says that little else is in flight, and four
//    at most are in flight.
//  - A failed event is tried twice more, with backoff, then dropped and counted.
//  - Flush sends what waits without waiting for idle(), and ends at its deadline at the latest.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "base/backoff.h"
#include "base/loop.h"
#include "base/random.h"
#include "base/result.h"
#include "kclient/api.h"
#include "kclient/event.h"
#include "kclient/token_buckets.h"

namespace vdcu::kclient {

struct EventRecorderConfig {
  std::string reporting_controller;  // qualified: "vdcu.io/controller"
  std::string reporting_instance;    // this process: its pod or host name
  std::function<bool()> idle;        // whether few enough other writes are in flight
  size_t most_waiting = 8192;        // of about a KiB each
};

class EventRecorder {
 public:
  struct Counts {
    uint64_t created = 0;
    uint64_t patched = 0;
    uint64_t dropped_spam = 0;    // over the rate of its object and reason
    uint64_t dropped_full = 0;    // over most_waiting
    uint64_t dropped_failed = 0;  // refused, or failed three times
  };

  EventRecorder(base::Loop& loop, Client& client, EventRecorderConfig config, base::Random random);
  ~EventRecorder();
  EventRecorder(const EventRecorder&) = delete;
  EventRecorder& operator=(const EventRecorder&) = delete;

  void Record(Event event);
  // `done` runs in a later turn, when nothing waits and nothing is in flight, or after `most`.
  void Flush(base::Duration most, std::function<void()> done);

  const Counts& counts() const { return counts_; }
  // Events that wait or are in flight.
  size_t pending() const { return queue_.size() + in_flight_; }

 private:
  // When to send at the earliest, and the order of queueing.
  using Slot = std::pair<base::TimePoint, uint64_t>;

  // One Event object, or one to be.
  struct Series {
    std::string name;
    std::string uid;  // empty: not created yet
    int64_t count = 1;
    int64_t sent_count = 0;  // what the API has or is being sent
    base::WallTime first{};
    base::WallTime last{};
    base::TimePoint last_at{};  // `last`, by the monotonic clock
    base::TimePoint sent_at{};
    int failures = 0;            // in a row
    std::optional<Slot> queued;  // its place in queue_, and by it in victims_
    CallPtr call;                // in flight

    bool busy() const { return queued || call; }
  };

  // Stays where it is while it is queued or in flight. Keyed by all that makes events the same.
  using Place = std::map<Event, Series>::iterator;

  void Enqueue(Place place, base::TimePoint when);
  void Dequeue(Place place);
  void DropOne();
  void ForgetOldSeries();
  void Pump();
  void Send(Place place);
  Write MakeWrite(const Event& event, const Series& series) const;
  void OnSent(Place place, base::Result<JsonView> answer);
  void OnStored(Series& series, JsonView object);
  void OnFailed(Place place, const base::Error& error);
  void Drop(Place place, const base::Error& error);
  void FinishFlush();

  base::Loop& loop_;
  Client& client_;
  const EventRecorderConfig config_;
  const base::Random random_;
  Counts counts_;
  TokenBuckets buckets_;  // by object and reason
  std::map<Event, Series> series_;
  size_t forget_above_ = 0;      // old series, where there are more
  std::map<Slot, Place> queue_;  // those that wait
  // The same in the order in which they are dropped: Normal ones first, by age.
  std::set<std::tuple<bool, uint64_t, base::TimePoint>> victims_;
  uint64_t queued_ = 0;  // so far
  size_t in_flight_ = 0;
  base::WallTime last_name_{};        // names carry a time, each a later one
  std::function<void()> on_flushed_;  // set while flushing
  base::TimerPtr timer_;              // armed for the next Pump
  base::TimerPtr flush_timer_;
};

}  // namespace vdcu::kclient
