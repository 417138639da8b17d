#include "kclient/engine/executor.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/memory.h"

namespace vdcu::kclient {

namespace {

// Between two turns of the loop at most so many keys are looked at, so that it stays responsive.
constexpr int kMostKeysInAPass = 500;
// And so many requests are tried, for so long: some look at all pods.
constexpr int kMostTriesInAPass = 50;
constexpr base::Duration kLongestTries{5};
// Whoever leads decides anew.
constexpr base::Duration kWithoutLease{1'000};

// A conflict is a normal day: the watch brings what is true. Of what fails in a row the first is
// told, and each change.
void LogFailure(std::string_view what, const std::string& subject, const base::Error& error,
                const Setback* before) {
  const bool known = before != nullptr && before->error == error.message;
  const bool quiet = known || WatchDecides(error.code);
  base::Log(quiet ? base::Level::kDebug : base::Level::kWarning, "failed, will try again",
            {{std::string(what), subject},
             {"code", std::string(base::ToString(error.code))},
             {"error", error.message}});
}

}  // namespace

Executor::Executor(Parts parts, size_t most_in_flight, base::Random random)
    : parts_(parts),
      most_in_flight_(most_in_flight),
      random_(std::move(random)),
      queue_(parts_.loop, [this] { Wake(); }),
      pass_timer_(parts_.loop.MakeTimer([this] { Pass(); })) {}

void Executor::Start() {
  started_ = true;
  Wake();
}

void Executor::Wake() {
  if (started_ && !pass_timer_->armed()) pass_timer_->Start(base::Duration(0));
}

void Executor::Drain(std::function<void()> done) {
  drained_ = std::move(done);
  queue_.ShutDown();
  if (calls_.empty()) drained_();
}

void Executor::Stop() {
  started_ = false;
  pass_timer_->Stop();
  queue_.ShutDown();
  calls_.clear();
}

base::Instant Executor::Instant() const {
  const base::Clock& clock = parts_.loop.clock();
  return {clock.Now(), base::FormatTime(clock.Wall())};
}

void Executor::Pass() {
  if (drained_ || !HasRoom()) return;
  for (const Key& key : reports_.TakeTurns()) queue_.Add(key);
  for (const Key& key : parts_.decider.TakeChanged(kMostKeysInAPass)) queue_.Add(key);
  for (int i = 0; HasRoom() && i < kMostKeysInAPass; ++i) {
    const auto key = queue_.Get();
    if (!key) break;
    Reconcile(*key);
  }
  const bool keys_wait = queue_.ready() > 0 || parts_.decider.HasChanged();
  bool more = keys_wait;
  if (!keys_wait || all_seen_) more |= PlaceSome();
  if (HasRoom() && more) pass_timer_->Start(base::Duration(0));
  if (!keys_wait && !std::exchange(all_seen_, true)) base::TrimMemory();
}

// Whether there may be more to place.
bool Executor::PlaceSome() {
  const base::TimePoint start = parts_.loop.clock().Now();
  for (int i = 0; HasRoom() && i < kMostTriesInAPass; ++i) {
    if (parts_.loop.clock().Now() - start > kLongestTries) break;
    auto placement = parts_.decider.Place();
    if (!placement) return false;
    auto batch = std::make_shared<Batch>();
    batch->key = std::move(placement->key);
    batch->plan = std::move(placement->plan);
    Execute(batch);
  }
  return true;
}

void Executor::Reconcile(const Key& key) {
  auto batch = std::make_shared<Batch>();
  batch->key = key;
  batch->queued = true;
  batch->plan = parts_.decider.Reconcile(key);
  Execute(batch);
}

void Executor::Execute(const BatchPtr& batch) {
  WorkPlan& plan = batch->plan;
  if (plan.read) return Ask(batch);
  if (plan.requeue_after) queue_.AddAfter(batch->key, *plan.requeue_after);
  if (!plan.writes.empty() && !parts_.decider.MayWrite()) {
    batch->failed = true;
    queue_.AddAfter(batch->key, kWithoutLease);
    return Finish(*batch);
  }
  std::erase_if(plan.writes, [&](const auto& task) { return IsHeldBack(*batch, task); });
  for (const PlannedTask& task : plan.writes) {
    if (task.on_sent) task.on_sent();
  }
  batch->left = plan.writes.size();
  for (size_t place = 0; place < plan.writes.size(); ++place) StartWrite(batch, place);
  if (batch->left == 0) Finish(*batch);
}

void Executor::Ask(const BatchPtr& batch) {
  const PlannedRead& read = *batch->plan.read;
  const uint64_t id = next_call_++;
  calls_[id] =
      parts_.client.Get(read.resource, read.ns, read.name, [this, id, batch](const Answer& answer) {
        OnRead(batch, answer);
        OnEnded(id);
      });
}

void Executor::OnRead(const BatchPtr& batch, const Answer& answer) {
  if (!answer && answer.error().code != base::ErrorCode::kNotFound) {
    batch->plan = {.status = answer.error()};
  } else {
    const auto on_answer = std::move(batch->plan.read->on_answer);
    batch->plan = on_answer(answer);
  }
  Execute(batch);
}

// The write has failed, and is not due yet, or it is a report that has to wait: its key comes back
// then.
bool Executor::IsHeldBack(Batch& batch, const PlannedTask& task) {
  if (task.use == Use::kPlace) return false;
  const std::string what = task.write.Describe();
  const base::TimePoint now = parts_.loop.clock().Now();
  const Setback* setback = writes_.Find(what);
  if (setback != nullptr && setback->Holds(now)) {
    ComeBack(batch, setback->until - now);
    return true;
  }
  if (task.use != Use::kReport) return false;
  const auto wait = reports_.Begin({what, batch.key}, now);
  if (wait) ComeBack(batch, *wait);
  return wait.has_value();
}

// 0: somebody else brings it back.
void Executor::ComeBack(Batch& batch, base::Duration after) {
  batch.failed = true;
  if (!batch.queued) parts_.decider.OnNotPlaced(batch.key);
  if (after > base::Duration(0)) queue_.AddAfter(batch.key, after);
}

void Executor::StartWrite(const BatchPtr& batch, size_t place) {
  const PlannedTask& task = batch->plan.writes[place];
  const uint64_t id = next_call_++;
  const base::TimePoint started = parts_.loop.clock().Now();
  calls_[id] =
      parts_.client.Apply(task.write, [this, id, batch, place, started](const Answer& answer) {
        OnAnswer(batch, place, started, answer);
        OnEnded(id);
      });
}

void Executor::OnAnswer(const BatchPtr& batch, size_t place, base::TimePoint started,
                        const Answer& answer) {
  PlannedTask& task = batch->plan.writes[place];
  const std::string what = task.write.Describe();
  const base::Status status = answer ? base::Ok() : base::Status(answer.error());
  if (task.use == Use::kReport) {
    const auto waits = reports_.End(what, status.has_value());
    if (waits) queue_.Add(*waits);
  }
  parts_.decider.OnWritten(task.write, status, parts_.loop.clock().Now() - started);
  if (task.on_answer) task.on_answer(answer, OutcomeOf(task.write, status));
  if (status) {
    writes_.Forget(what);
    for (Event& event : task.events) parts_.events.Record(std::move(event));
  } else {
    OnFailure(*batch, place, status.error());
  }
  if (--batch->left == 0) Finish(*batch);
}

// Last: what waits for its end may destroy this.
void Executor::OnEnded(uint64_t id) {
  calls_.erase(id);
  Wake();
  if (drained_ && calls_.empty()) drained_();
}

void Executor::OnFailure(Batch& batch, size_t place, const base::Error& error) {
  batch.failed = true;
  const PlannedTask& task = batch.plan.writes[place];
  if (task.use != Use::kPlace) return SetBackWrite(batch, task, error);
  batch.asking.push_back(task.asks);
  const Failure failure{place, error};
  if (!batch.failure || SaysMore(failure, *batch.failure)) batch.failure = failure;
}

// What a rule refused, then the first in the plan, whatever is answered first.
bool Executor::SaysMore(const Failure& a, const Failure& b) {
  const bool rule_a = IsAgainstARule(a.error.code);
  const bool rule_b = IsAgainstARule(b.error.code);
  return rule_a != rule_b ? rule_a : a.place < b.place;
}

void Executor::SetBackRequest(const Batch& batch, const Failure& failure) {
  const PlannedTask& task = batch.plan.writes[failure.place];
  const Setback* before = parts_.decider.FindSetback(task.request);
  LogFailure("write", task.write.Describe(), failure.error, before);
  parts_.decider.SetBack(
      task, failure.error,
      AfterFailure(before, {task.write, task.refused}, failure.error, random_(), Instant()));
}

void Executor::SetBackWrite(Batch& batch, const PlannedTask& task, const base::Error& error) {
  const base::Instant at = Instant();
  const std::string what = task.write.Describe();
  const Setback* before = writes_.Find(what);
  LogFailure("write", what, error, before);
  auto after = AfterFailure(before, {task.write, task.refused}, error, random_(), at);
  const bool news = before == nullptr || before->message != after.message;
  if (news && !after.message.empty()) parts_.decider.OnRefused(task, after);
  ComeBack(batch, after.until - at.now);
  if (!task.asks.kind.empty()) queue_.AddAfter(task.asks, after.until - at.now);
  writes_.Set(what, std::move(after), at.now);
}

// Its plan says itself that it has failed.
void Executor::SetBackKey(Batch& batch, const base::Error& error) {
  const base::Instant at = Instant();
  const Setback* before = keys_.Find(batch.key);
  LogFailure("key", batch.key.Text(), error, before);
  auto after = AfterFailure(before, error, random_(), at);
  parts_.decider.OnFailed(batch.key, error);
  ComeBack(batch, after.until - at.now);
  keys_.Set(batch.key, std::move(after), at.now);
}

void Executor::Finish(Batch& batch) {
  if (batch.failure) SetBackRequest(batch, *batch.failure);
  if (!batch.plan.status) {
    SetBackKey(batch, batch.plan.status.error());
  } else if (!batch.failed) {
    keys_.Forget(batch.key);
  }
  for (const Key& key : batch.asking) queue_.Add(key);
  if (batch.queued) queue_.Done(batch.key);
  if (batch.failed) return;
  for (Event& event : batch.plan.events) parts_.events.Record(std::move(event));
}

}  // namespace vdcu::kclient
