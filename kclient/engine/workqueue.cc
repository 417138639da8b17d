#include "kclient/engine/workqueue.h"

#include <algorithm>

namespace vdcu::kclient {

WorkQueue::WorkQueue(base::Loop& loop, std::function<void()> on_ready)
    : loop_(loop),
      ready_timer_(loop.MakeTimer(std::move(on_ready))),
      due_timer_(loop.MakeTimer([this] { OnDue(); })) {}

void WorkQueue::Add(const Key& key) {
  if (shut_down_ || !dirty_.insert(key).second) return;
  if (!processing_.contains(key)) Enqueue(key);
}

void WorkQueue::AddAfter(const Key& key, base::Duration delay) {
  if (shut_down_) return;
  if (delay <= base::Duration(0)) return Add(key);
  const base::TimePoint when = loop_.clock().Now() + delay;
  const auto [entry, inserted] = due_.try_emplace(key, when);
  if (!inserted) {
    if (entry->second <= when) return;
    by_time_.erase({entry->second, key});
    entry->second = when;
  }
  by_time_.emplace(when, key);
  StartDueTimer();
}

std::optional<Key> WorkQueue::Get() {
  if (queue_.empty()) return std::nullopt;
  Key key = std::move(queue_.front().key);
  queue_.pop_front();
  dirty_.erase(key);
  processing_.insert(key);
  return key;
}

void WorkQueue::Done(const Key& key) {
  processing_.erase(key);
  if (dirty_.contains(key)) Enqueue(key);
}

base::Duration WorkQueue::oldest() const {
  return queue_.empty() ? base::Duration(0) : loop_.clock().Now() - queue_.front().since;
}

void WorkQueue::ShutDown() {
  shut_down_ = true;
  due_.clear();
  by_time_.clear();
  due_timer_->Stop();
}

void WorkQueue::Enqueue(const Key& key) {
  queue_.push_back({key, loop_.clock().Now()});
  if (!ready_timer_->armed()) ready_timer_->Start(base::Duration(0));
}

void WorkQueue::OnDue() {
  const base::TimePoint now = loop_.clock().Now();
  while (!by_time_.empty() && by_time_.begin()->first <= now) {
    const Key key = by_time_.begin()->second;
    by_time_.erase(by_time_.begin());
    due_.erase(key);
    Add(key);
  }
  StartDueTimer();
}

void WorkQueue::StartDueTimer() {
  if (by_time_.empty()) return due_timer_->Stop();
  due_timer_->Start(std::max(base::Duration(0), by_time_.begin()->first - loop_.clock().Now()));
}

}  // namespace vdcu::kclient
