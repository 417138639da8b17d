#include "node/runner.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace vdcu::node {

namespace {

constexpr size_t kMostInFlight = 8;

// For the watch to show what the object is now. It may have nothing to show: a server also answers
// so for reasons of its own (a quota's conflict, a kind that is not served for a moment).
constexpr base::Duration kWatchDelay{1'000};
constexpr base::Duration kLongestRetryAfter{5 * 60'000};
constexpr base::Duration kRemembered{10 * 60'000};

// The object has changed or is gone: what the watch shows next is decided upon anew.
bool WatchDecides(base::ErrorCode code) {
  return code == base::ErrorCode::kConflict || code == base::ErrorCode::kNotFound ||
         code == base::ErrorCode::kAlreadyExists;
}

}  // namespace

Runner::Runner(base::Loop& loop, kclient::Client& client, Metrics& metrics, base::Random random,
               Process process)
    : loop_(loop),
      client_(client),
      metrics_(metrics),
      process_(std::move(process)),
      queue_(loop, kclient::RateLimiter(std::move(random)), [this] { Pump(); }) {}

void Runner::Start() {
  started_ = true;
  Pump();
}

void Runner::Stop() {
  started_ = false;
  queue_.ShutDown();
  jobs_.clear();
}

void Runner::Pump() {
  while (started_ && jobs_.size() < kMostInFlight) {
    const auto key = queue_.Get();
    if (!key) return;
    jobs_[*key].work = process_(*key);
    Advance(*key);
  }
}

void Runner::Advance(const std::string& key) {
  Job& job = jobs_.at(key);
  // Each answer gets a key of its own: the closure's ends with the job.
  if (job.work.question) {
    const Work::Question& question = *job.work.question;
    job.call = client_.Get(question.resource, question.ns, question.name, [this, key](auto answer) {
      OnAnswer(std::string(key), std::move(answer));
    });
  } else if (job.next < job.work.writes.size()) {
    if (IsHeldBack(key, job.work.writes[job.next])) return;
    job.call = client_.Apply(job.work.writes[job.next], [this, key](const auto& answer) {
      OnWritten(std::string(key), answer);
    });
  } else {
    if (job.work.on_written && !job.work.writes.empty()) job.work.on_written();
    Finish(key, job.work.status);
  }
}

void Runner::OnAnswer(const std::string& key, base::Result<kclient::JsonView> answer) {
  Job& job = jobs_.at(key);
  if (!answer && answer.error().code != base::ErrorCode::kNotFound) {
    Finish(key, answer.error());
  } else {
    const auto on_answer = std::move(job.work.question->on_answer);
    job.work = on_answer(std::move(answer));
    Advance(key);
  }
  Pump();
}

void Runner::OnWritten(const std::string& key, const base::Result<kclient::JsonView>& answer) {
  Job& job = jobs_.at(key);
  const kclient::Write& write = job.work.writes[job.next];
  if (answer) {
    held_back_.erase(write.Describe());
    ++job.next;
    Advance(key);
  } else {
    const kclient::Write failed = write;
    HoldBack(failed, Finish(key, answer.error()));
  }
  Pump();
}

// The pass ends, and the key comes back when its write is due.
bool Runner::IsHeldBack(const std::string& key, const kclient::Write& write) {
  const auto found = held_back_.find(write.Describe());
  const base::TimePoint now = loop_.clock().Now();
  if (found == held_back_.end() || now >= found->second) return false;
  queue_.AddAfter(key, found->second - now);
  jobs_.erase(key);
  queue_.Done(key);
  return true;
}

void Runner::HoldBack(const kclient::Write& write, base::Duration delay) {
  const base::TimePoint now = loop_.clock().Now();
  // Of objects that are gone.
  std::erase_if(held_back_, [&](const auto& item) { return item.second + kRemembered < now; });
  held_back_[write.Describe()] = now + delay;
}

base::Duration Runner::Finish(const std::string& key, base::Status status) {
  jobs_.erase(key);
  base::Duration delay{0};
  if (status) {
    queue_.Forget(key);
    failing_.erase(key);
  } else {
    delay = OnFailure(key, status.error());
  }
  queue_.Done(key);
  return delay;
}

base::Duration Runner::OnFailure(const std::string& key, const base::Error& error) {
  metrics_.OnError(std::string(base::ToString(error.code)));
  if (WatchDecides(error.code)) {
    base::Log(base::Level::kDebug, "decided anew after the watch",
              {{"key", key}, {"error", error.message}});
    queue_.AddAfter(key, kWatchDelay);
    return base::Duration(0);
  }
  const base::Duration delay =
      std::max(queue_.CountFailure(key), std::min(error.retry_after, kLongestRetryAfter));
  // Of several failures in a row the first is told, and each change.
  const bool news = std::exchange(failing_[key], error.message) != error.message;
  base::Log(news ? base::Level::kWarning : base::Level::kDebug, "failed, will try again",
            {{"key", key}, {"error", error.message}});
  queue_.AddAfter(key, delay);
  return delay;
}

}  // namespace vdcu::node
