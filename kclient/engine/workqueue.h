// Keys that wait to be processed, with client-go's promises (util/workqueue/doc.go):
//  - Fair: keys are given out in the order in which they were added.
//  - Stingy: a key is never processed twice at once, and a key added many times before it is given
//    out is processed once.
//  - A key added while it is processed runs again after its Done.
//  - AddAfter: the earliest of several delays for one key wins, and they collapse into one add.
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
#include "kclient/engine/key.h"

namespace vdcu::kclient {

class WorkQueue {
 public:
  // `on_ready` should Get until nothing comes, or until its caller has enough in hand and will Get
  // again after a Done.
  WorkQueue(base::Loop& loop, std::function<void()> on_ready);
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;

  void Add(const Key& key);
  // At once where `delay` is not positive. An Add meanwhile does not take the delayed one away.
  void AddAfter(const Key& key, base::Duration delay);

  // The next key; it counts as processed until Done(key). Nothing: none is ready.
  std::optional<Key> Get();
  void Done(const Key& key);

  void ShutDown();

  // Ready to be given out; given out and not Done; waiting for their delay.
  size_t ready() const { return queue_.size(); }
  size_t processing() const { return processing_.size(); }
  size_t delayed() const { return due_.size(); }
  // For how long the first of those that are ready has been; 0: none is.
  base::Duration oldest() const;

 private:
  struct Queued {
    Key key;
    base::TimePoint since;
  };

  void Enqueue(const Key& key);
  void OnDue();
  void StartDueTimer();

  base::Loop& loop_;
  bool shut_down_ = false;
  std::deque<Queued> queue_;                       // each is in dirty_ and not in processing_
  std::unordered_set<Key, HashOfKey> dirty_;       // all that must be processed
  std::unordered_set<Key, HashOfKey> processing_;  // those also in dirty_ are queued at their Done
  std::map<Key, base::TimePoint> due_;             // the earliest time of each delayed key
  std::set<std::pair<base::TimePoint, Key>> by_time_;  // due_, turned round
  base::TimerPtr ready_timer_;  // armed from a key's queueing until on_ready is called
  base::TimerPtr due_timer_;    // armed for by_time_'s first
};

}  // namespace vdcu::kclient
