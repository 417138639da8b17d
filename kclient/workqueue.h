// Keys that wait to be processed, with client-go's promises (util/workqueue/doc.go):
//  - Fair: keys are given out in the order in which they were added.
//  - Stingy: a key is never processed twice at once, and a key added many times before it is given
//    out is processed once.
//  - A key added while it is processed runs again after its Done.
//  - AddAfter: the earliest of several delays for one key wins, and they collapse into one add.
//  - AddRateLimited: a key waits longer with each call until Forget.
//  - After ShutDown nothing is added; what is queued is still given out.
//  - on_ready runs in a later turn of the loop after a key became ready, once for many.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_set>
#include <utility>

#include "base/loop.h"
#include "kclient/rate_limiter.h"

namespace vdcu::kclient {

class WorkQueue {
 public:
  // `on_ready` should Get until nothing comes, or until its caller has enough in hand and will Get
  // again after a Done.
  WorkQueue(base::Loop& loop, RateLimiter limiter, std::function<void()> on_ready);
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;

  void Add(const std::string& key);
  // At once where `delay` is not positive. An Add meanwhile does not take the delayed one away.
  void AddAfter(const std::string& key, base::Duration delay);
  // After the key's own delay, which grows until Forget(key).
  void AddRateLimited(const std::string& key);
  // The same count, for a caller that adds the key itself: returns its delay.
  base::Duration CountFailure(const std::string& key) { return limiter_.When(key); }
  void Forget(const std::string& key) { limiter_.Forget(key); }
  // AddRateLimited calls since the last Forget.
  int Failures(const std::string& key) const { return limiter_.Failures(key); }

  // The next key; it counts as processed until Done(key). Nothing: none is ready.
  std::optional<std::string> Get();
  void Done(const std::string& key);

  void ShutDown();

  // Ready to be given out; given out and not Done; waiting for their delay.
  size_t ready() const { return queue_.size(); }
  size_t processing() const { return processing_.size(); }
  size_t delayed() const { return due_.size(); }

 private:
  void Enqueue(const std::string& key);
  void OnDue();
  void StartDueTimer();

  base::Loop& loop_;
  RateLimiter limiter_;
  bool shut_down_ = false;
  std::deque<std::string> queue_;               // each is in dirty_ and not in processing_
  std::unordered_set<std::string> dirty_;       // all that must be processed
  std::unordered_set<std::string> processing_;  // those also in dirty_ are queued at their Done
  std::map<std::string, base::TimePoint> due_;  // the earliest time of each delayed key
  std::set<std::pair<base::TimePoint, std::string>> by_time_;  // due_, turned round
  base::TimerPtr ready_timer_;  // armed from a key's queueing until on_ready is called
  base::TimerPtr due_timer_;    // armed for by_time_'s first
};

}  // namespace vdcu::kclient
