#include "reconcilers/setback.h"

#include <algorithm>
#include <utility>

#include "base/backoff.h"

namespace vdcu::reconcilers {

namespace {

// A minute at most: who mends the cause should see it go on without waiting for long.
constexpr base::Duration kLongest{60'000};
constexpr base::Backoff kMayWorkAtOnce{base::Duration(5), kLongest};
constexpr base::Backoff kAgainstARule{base::Duration(250), kLongest};
constexpr base::Duration kLongestRetryAfter{5 * 60'000};
constexpr base::Duration kLasting{5'000};
constexpr base::Duration kLongestTry{10'000};
constexpr base::Duration kRemembered{10 * 60'000};
constexpr base::Duration kSweepInterval{60'000};

std::string ReasonOf(const Assumption& assumption) {
  if (std::holds_alternative<AssumeCreated>(assumption)) return "CreateRefused";
  if (std::holds_alternative<AssumeAssigned>(assumption)) return "AssignRefused";
  if (std::holds_alternative<AssumeBound>(assumption)) return "BindRefused";
  return "WriteRefused";
}

void Erase(std::string& text, const std::string& part) {
  const size_t found = text.find(part);
  if (found != std::string::npos) text.erase(found, part.size());
}

// Without the name of what was never stored: two slices of a pod would differ in nothing else.
std::string MessageOf(const PlannedWrite& planned, const base::Error& error) {
  const bool creates = std::holds_alternative<AssumeCreated>(planned.assumption);
  const std::string what = planned.write.Describe();
  std::string said = error.message;
  Erase(said, what + ": ");
  if (creates) Erase(said, " \"" + planned.write.name + "\"");
  return (creates ? "create vdcupartitions" : what) + " failed: " + said;
}

}  // namespace

bool IsAgainstARule(base::ErrorCode code) {
  return code == base::ErrorCode::kForbidden || code == base::ErrorCode::kInvalid;
}

Setback AfterFailure(const Setback* before, const PlannedWrite& planned, const base::Error& error,
                     double random, const Instant& at) {
  Setback after = before ? *before : Setback{};
  // Longer than a try may take: it waited for something else meanwhile.
  const bool lasts = before && at.now - before->until <= kLongestTry;
  if (!lasts) after.since = at.now;
  ++after.failures;
  const bool rule = IsAgainstARule(error.code);
  const base::Duration delay =
      (rule ? kAgainstARule : kMayWorkAtOnce).Delay(after.failures, random);
  // An answer that comes late shortens no wait of a later one.
  after.until = std::max(after.until,
                         at.now + std::max(delay, std::min(error.retry_after, kLongestRetryAfter)));
  if (std::holds_alternative<AssumeBound>(planned.assumption)) {
    ++after.failed_binds;
    after.bind_at = after.until;
  }
  after.wall = at.wall;
  after.error = error.message;
  if (rule || after.until - after.since >= kLasting) {
    after.reason = ReasonOf(planned.assumption);
    after.message = MessageOf(planned, error);
  }
  return after;
}

void Setbacks::Set(const std::string& key, Setback setback, base::TimePoint now) {
  if (now >= sweep_at_) {
    std::erase_if(setbacks_,
                  [&](const auto& item) { return item.second.until + kRemembered < now; });
    sweep_at_ = now + kSweepInterval;
  }
  setbacks_.insert_or_assign(key, std::move(setback));
}

const Setback* Setbacks::Find(std::string_view key) const {
  const auto found = setbacks_.find(key);
  return found == setbacks_.end() ? nullptr : &found->second;
}

void Setbacks::Forget(std::string_view key) {
  const auto found = setbacks_.find(key);
  if (found != setbacks_.end()) setbacks_.erase(found);
}

}  // namespace vdcu::reconcilers
