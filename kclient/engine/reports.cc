#include "kclient/engine/reports.h"

#include <utility>

namespace vdcu::kclient {

std::optional<base::Duration> Reports::Begin(const Report& report, base::TimePoint now) {
  constexpr base::Duration kByEnd{0};
  if (const auto found = under_way_.find(report.what); found != under_way_.end()) {
    found->second = report.key;
    return kByEnd;
  }
  Forget(now);
  const auto begun = begun_.find(report.what);
  if (begun != begun_.end() && now - begun->second < kReportEvery) {
    return begun->second + kReportEvery - now;
  }
  if (under_way_.size() >= kMost) {
    waiting_[report.key.ns].insert(report.key);
    return kByEnd;
  }
  under_way_.try_emplace(report.what);
  begun_.insert_or_assign(report.what, now);
  return {};
}

std::optional<Key> Reports::End(std::string_view what, bool stored) {
  const auto ended = under_way_.find(what);
  if (ended == under_way_.end()) return {};
  if (!stored) begun_.erase(ended->first);
  std::optional<Key> waits = std::move(ended->second);
  under_way_.erase(ended);
  return waits;
}

std::vector<Key> Reports::TakeTurns() {
  std::vector<Key> keys;
  while (!waiting_.empty() && under_way_.size() + keys.size() < kMost) keys.push_back(TakeTurn());
  return keys;
}

Key Reports::TakeTurn() {
  auto turn = waiting_.upper_bound(last_turn_);
  if (turn == waiting_.end()) turn = waiting_.begin();
  last_turn_ = turn->first;
  auto key = turn->second.extract(turn->second.begin());
  if (turn->second.empty()) waiting_.erase(turn);
  return std::move(key.value());
}

// What was told longer ago bounds nothing any more.
void Reports::Forget(base::TimePoint now) {
  if (now < forget_at_) return;
  std::erase_if(begun_, [&](const auto& item) { return now - item.second >= kReportEvery; });
  forget_at_ = now + kReportEvery;
}

}  // namespace vdcu::kclient
