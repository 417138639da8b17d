#include "kclient/engine/setback.h"

#include <algorithm>
#include <utility>

#include "base/backoff.h"

namespace vdcu::kclient {

namespace {

// A minute at most: who mends the cause should see it go on without waiting for long.
constexpr base::Duration kLongest{60'000};
constexpr base::Backoff kMayWorkAtOnce{base::Duration(5), kLongest};
constexpr base::Backoff kAgainstARule{base::Duration(250), kLongest};
// It may have nothing to show: a server also answers so for reasons of its own (a quota's conflict,
// a kind that is not served for a moment).
constexpr base::Backoff kTheWatchShows{base::Duration(5), base::Duration(1'000)};
constexpr base::Duration kLongestRetryAfter{5 * 60'000};
constexpr base::Duration kLasting{5'000};
constexpr base::Duration kLongestTry{10'000};

bool Creates(const Write& write) {
  return write.verb == Write::Verb::kCreate && write.subresource.empty();
}

const base::Backoff& BackoffOf(const Write* write, base::ErrorCode code) {
  if (IsAgainstARule(code)) return kAgainstARule;
  // Of what is created or bound the watch may have nothing to show.
  const bool changes = write != nullptr && write->verb != Write::Verb::kCreate;
  return changes && WatchDecides(code) ? kTheWatchShows : kMayWorkAtOnce;
}

void Erase(std::string& text, const std::string& part) {
  const size_t found = text.find(part);
  if (found != std::string::npos) text.erase(found, part.size());
}

// Without the name of what was never stored: two slices of a pod would differ in nothing else.
std::string MessageOf(const Write& write, const base::Error& error) {
  const std::string what = write.Describe();
  std::string said = error.message;
  Erase(said, what + ": ");
  if (!Creates(write)) return what + " failed: " + said;
  Erase(said, " \"" + write.name + "\"");
  return "create " + std::string(write.resource.plural) + " failed: " + said;
}

Setback Lengthened(const Setback* before, const base::Backoff& backoff, const base::Error& error,
                   double random, const base::Instant& at) {
  Setback after = before ? *before : Setback{};
  // Longer than a try may take: it waited for something else meanwhile.
  const bool lasts = before && at.now - before->until <= kLongestTry;
  if (!lasts) after.since = at.now;
  ++after.failures;
  const base::Duration delay = std::max(backoff.Delay(after.failures, random),
                                        std::min(error.retry_after, kLongestRetryAfter));
  // An answer that comes late shortens no wait of a later one.
  after.until = std::max(after.until, at.now + delay);
  after.wall = at.wall;
  after.error = error.message;
  return after;
}

}  // namespace

bool IsAgainstARule(base::ErrorCode code) {
  return code == base::ErrorCode::kForbidden || code == base::ErrorCode::kInvalid;
}

bool WatchDecides(base::ErrorCode code) {
  return code == base::ErrorCode::kConflict || code == base::ErrorCode::kNotFound ||
         code == base::ErrorCode::kAlreadyExists;
}

Setback AfterFailure(const Setback* before, const FailedWrite& failed, const base::Error& error,
                     double random, const base::Instant& at) {
  const Write& write = failed.write;
  Setback after = Lengthened(before, BackoffOf(&write, error.code), error, random, at);
  if (write.binds()) {
    ++after.failed_binds;
    after.bind_at = after.until;
  }
  if (IsAgainstARule(error.code) || after.until - after.since >= kLasting) {
    after.reason = failed.reason;
    after.message = MessageOf(write, error);
  }
  return after;
}

Setback AfterFailure(const Setback* before, const base::Error& error, double random,
                     const base::Instant& at) {
  return Lengthened(before, BackoffOf(nullptr, error.code), error, random, at);
}

}  // namespace vdcu::kclient
