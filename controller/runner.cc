#include "controller/runner.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/memory.h"
#include "reconcilers/pod_partitions.h"
#include "reconcilers/reconcile.h"

namespace vdcu::controller {

namespace {

using reconcilers::Outcome;

// Between two turns of the loop at most so many keys are looked at, so that it stays responsive.
constexpr int kMostKeysInAPass = 500;
// And so many requests are tried, for so long: some look at all pods.
constexpr int kMostTriesInAPass = 50;
constexpr base::Duration kLongestTries{5};

std::string_view VerbName(const kclient::Write& write) {
  if (write.subresource == "binding") return "bind";
  switch (write.verb) {
    case kclient::Write::Verb::kCreate:
      return "create";
    case kclient::Write::Verb::kDelete:
      return "delete";
    default:
      return "patch";
  }
}

// Whoever leads decides anew.
constexpr base::Duration kWithoutLease{1'000};

// It says why a pod or a partition waits.
bool IsReport(const reconcilers::PlannedWrite& planned) {
  return std::holds_alternative<reconcilers::AssumeReported>(planned.assumption) ||
         (std::holds_alternative<reconcilers::AssumeWritten>(planned.assumption) &&
          planned.write.subresource == "status");
}

// Of what it takes to place a request.
bool IsOfRequest(const reconcilers::Assumption& assumption) {
  return !std::holds_alternative<reconcilers::AssumeWritten>(assumption) &&
         !std::holds_alternative<reconcilers::AssumeReported>(assumption) &&
         !std::holds_alternative<reconcilers::AssumeDoubted>(assumption);
}

// A conflict is a controller's normal day: the watch brings what is true. Of what fails in a row
// the first is told, and each change.
void LogFailure(const kclient::Write& write, const base::Error& error,
                const reconcilers::Setback* before) {
  const bool normal = error.code == base::ErrorCode::kConflict ||
                      error.code == base::ErrorCode::kNotFound ||
                      error.code == base::ErrorCode::kAlreadyExists;
  const bool known = before != nullptr && before->error == error.message;
  base::Log(normal || known ? base::Level::kDebug : base::Level::kWarning, "write failed",
            {{"write", write.Describe()},
             {"code", std::string(base::ToString(error.code))},
             {"error", error.message}});
}

// What a create has stored is told by its UID from another of the same name, and by its version
// from one that is still to be shown.
reconcilers::PlannedWrite WithIdentity(reconcilers::PlannedWrite planned,
                                       const base::Result<kclient::JsonView>& answer) {
  auto* created = std::get_if<reconcilers::AssumeCreated>(&planned.assumption);
  if (created == nullptr || !answer) return planned;
  if (const auto meta = kclient::Get(*answer, "metadata")) {
    created->partition.meta.uid = kclient::GetStringOr(*meta, "uid");
    created->partition.meta.resource_version = kclient::GetStringOr(*meta, "resourceVersion");
  }
  return planned;
}

}  // namespace

Outcome OutcomeOf(const reconcilers::Assumption& assumption, const base::Status& status) {
  if (status) return Outcome::kCommitted;
  switch (status.error().code) {
    case base::ErrorCode::kUnavailable:
    case base::ErrorCode::kCorrupt:
    case base::ErrorCode::kCancelled:
      return Outcome::kUnknown;
    // What is stored may be ours, of an answer that was lost.
    case base::ErrorCode::kAlreadyExists:
      return Outcome::kUnknown;
    case base::ErrorCode::kConflict:
      return std::holds_alternative<reconcilers::AssumeBound>(assumption) ? Outcome::kUnknown
                                                                          : Outcome::kRefused;
    default:
      return Outcome::kRefused;
  }
}

Runner::Runner(Parts parts, base::Random random)
    : parts_(std::move(parts)),
      random_(random),
      queue_(parts_.loop, kclient::RateLimiter(std::move(random)), [this] { OnChange(); }),
      placer_(parts_.cluster),
      pass_timer_(parts_.loop.MakeTimer([this] { Pass(); })),
      silent_timer_(parts_.loop.MakeTimer([this] { OnChange(); })) {}

void Runner::Start() {
  started_ = true;
  OnChange();
}

void Runner::OnChange() {
  if (started_ && !pass_timer_->armed()) pass_timer_->Start(base::Duration(0));
}

void Runner::Drain(std::function<void()> done) {
  drained_ = std::move(done);
  queue_.ShutDown();
  if (calls_.empty()) drained_();
}

reconcilers::PartitionInstant Runner::Instant() const {
  const base::Clock& clock = parts_.loop.clock();
  reconcilers::PartitionInstant at;
  at.now = clock.Now();
  at.wall_time = clock.Wall();
  at.wall = base::FormatTime(at.wall_time);
  return at;
}

void Runner::Pass() {
  if (drained_ || !HasRoom()) return;
  const auto at = Instant();
  if (const auto next = parts_.cluster.ExpireSilent(at.now)) silent_timer_->Start(*next - at.now);
  for (const std::string& key : reports_.TakeTurns()) queue_.Add(key);
  for (const std::string& key : parts_.cluster.TakeDirty(kMostKeysInAPass)) queue_.Add(key);
  for (int i = 0; HasRoom() && i < kMostKeysInAPass; ++i) {
    const auto key = queue_.Get();
    if (!key) break;
    Reconcile(*key);
  }
  const bool keys_wait = queue_.ready() > 0 || parts_.cluster.HasDirty();
  bool more = keys_wait;
  if (!keys_wait || all_seen_) more |= PlaceSome();
  parts_.metrics.SetWaiting(placer_.waiting());
  parts_.metrics.SetWritesInFlight(calls_.size());
  parts_.metrics.SetNodes(parts_.cluster.dcu_nodes_by_ready());
  if (HasRoom() && more) pass_timer_->Start(base::Duration(0));
  if (!keys_wait && !std::exchange(all_seen_, true)) base::TrimMemory();
}

// Whether there may be more to place.
bool Runner::PlaceSome() {
  const auto at = Instant();
  for (int i = 0; HasRoom() && i < kMostTriesInAPass; ++i) {
    if (parts_.loop.clock().Now() - at.now > kLongestTries) break;
    auto decision = placer_.Next(at);
    if (!decision) return false;
    if (decision->placed) parts_.metrics.CountPlacement();
    Execute(decision->key, false, std::move(decision->plan));
  }
  return true;
}

void Runner::Reconcile(const std::string& key) {
  const auto at = Instant();
  auto plan = reconcilers::Reconcile(parts_.cluster, key, at);
  const bool untold = untold_.erase(key) != 0;
  if (plan.place) {
    if (untold) placer_.Remove(key);
    placer_.Add(key, at.now);
  } else {
    placer_.Remove(key);
  }
  Execute(key, true, std::move(plan));
}

void Runner::Execute(const std::string& key, bool queued, reconcilers::Plan plan) {
  auto batch = std::make_shared<Batch>();
  batch->key = key;
  batch->queued = queued;
  batch->events = std::move(plan.events);
  if (plan.requeue_after) queue_.AddAfter(key, *plan.requeue_after);
  if (!plan.writes.empty() && !parts_.may_write()) {
    batch->failed = true;
    queue_.AddAfter(key, kWithoutLease);
    return Finish(*batch);
  }
  std::erase_if(plan.writes, [&](const auto& planned) { return IsHeldBack(*batch, planned); });
  batch->left = plan.writes.size();
  for (const auto& planned : plan.writes) {
    parts_.cluster.Assume(planned.assumption, parts_.loop.clock().Now());
  }
  for (size_t i = 0; i < plan.writes.size(); ++i) Start(batch, plan.writes[i], i);
  if (plan.writes.empty()) Finish(*batch);
}

// The write has failed, and is not due yet, or it is a report that has to wait: its key comes back
// then.
bool Runner::IsHeldBack(Batch& batch, const reconcilers::PlannedWrite& planned) {
  if (IsOfRequest(planned.assumption)) return false;
  const std::string what = planned.write.Describe();
  const base::TimePoint now = parts_.loop.clock().Now();
  const reconcilers::Setback* setback = setbacks_.Find(what);
  if (setback != nullptr && setback->Holds(now)) {
    ComeBack(batch, setback->until - now);
    return true;
  }
  if (!IsReport(planned)) return false;
  const auto wait = reports_.Begin({what, planned.write.ns, batch.key}, now);
  if (wait) ComeBack(batch, *wait);
  return wait.has_value();
}

// 0: somebody else brings it back.
void Runner::ComeBack(Batch& batch, base::Duration after) {
  batch.failed = true;
  if (!batch.queued) untold_.insert(batch.key);
  if (after > base::Duration(0)) queue_.AddAfter(batch.key, after);
}

void Runner::Start(const BatchPtr& batch, const reconcilers::PlannedWrite& planned, size_t place) {
  const uint64_t id = next_call_++;
  const auto started = parts_.loop.clock().Now();
  calls_[id] = parts_.client.Apply(
      planned.write,
      [this, id, batch, planned, place, started](const base::Result<kclient::JsonView>& answer) {
        OnAnswer(id, batch, WithIdentity(planned, answer), place, started,
                 answer ? base::Ok() : base::Status(answer.error()));
      });
}

void Runner::OnAnswer(uint64_t id, const BatchPtr& batch, const reconcilers::PlannedWrite& planned,
                      size_t place, base::TimePoint started, const base::Status& status) {
  calls_.erase(id);
  if (IsReport(planned)) {
    const auto waits = reports_.End(planned.write.Describe(), status.has_value());
    if (waits) queue_.Add(*waits);
  }
  const auto now = parts_.loop.clock().Now();
  parts_.metrics.CountWrite(VerbName(planned.write), planned.write.resource.plural,
                            status ? "ok" : base::ToString(status.error().code), now - started);
  if (status && std::holds_alternative<reconcilers::AssumeBound>(planned.assumption)) {
    parts_.metrics.CountBinding();
  }
  parts_.cluster.Settle(planned.assumption, OutcomeOf(planned.assumption, status), now);
  if (status) {
    setbacks_.Forget(planned.write.Describe());
  } else {
    OnFailure(*batch, planned, place, status.error());
  }
  if (--batch->left == 0) Finish(*batch);
  OnChange();
  if (drained_ && calls_.empty()) drained_();
}

void Runner::OnFailure(Batch& batch, const reconcilers::PlannedWrite& planned, size_t place,
                       const base::Error& error) {
  batch.failed = true;
  if (!IsOfRequest(planned.assumption)) return SetBackWrite(batch, planned, error);
  // Who finds out what became of it.
  batch.asking.push_back(reconcilers::KeyOf(planned.assumption));
  const Failure failure{place, planned, error};
  if (!batch.failure || SaysMore(failure, *batch.failure)) batch.failure = failure;
}

// What a rule refused, then the first in the plan, whatever is answered first.
bool Runner::SaysMore(const Failure& a, const Failure& b) {
  const bool rule_a = reconcilers::IsAgainstARule(a.error.code);
  const bool rule_b = reconcilers::IsAgainstARule(b.error.code);
  return rule_a != rule_b ? rule_a : a.place < b.place;
}

void Runner::SetBackRequest(const Failure& failure) {
  const auto at = Instant();
  const reconcilers::PlannedWrite& planned = failure.planned;
  const std::string request = reconcilers::RequestKeyOf(planned.assumption);
  const reconcilers::Setback* before = parts_.cluster.FindSetback(request);
  LogFailure(planned.write, failure.error, before);
  auto after = reconcilers::AfterFailure(before, planned, failure.error, random_(), at);
  // The status of a partition that may be assigned is not ours to write.
  const bool may_be_assigned =
      std::holds_alternative<reconcilers::AssumeAssigned>(planned.assumption) &&
      OutcomeOf(planned.assumption, failure.error) == Outcome::kUnknown;
  const bool news = before == nullptr || before->message != after.message;
  if (may_be_assigned && news) Tell(planned, after);
  parts_.cluster.SetBack(request, std::move(after), at.now);
}

void Runner::SetBackWrite(Batch& batch, const reconcilers::PlannedWrite& planned,
                          const base::Error& error) {
  const auto at = Instant();
  const std::string what = planned.write.Describe();
  const reconcilers::Setback* before = setbacks_.Find(what);
  LogFailure(planned.write, error, before);
  auto after = reconcilers::AfterFailure(before, planned, error, random_(), at);
  if (before == nullptr || before->message != after.message) Tell(planned, after);
  ComeBack(batch, after.until - at.now);
  setbacks_.Set(what, std::move(after), at.now);
}

// By an event on what could not be written.
void Runner::Tell(const reconcilers::PlannedWrite& planned, const reconcilers::Setback& setback) {
  if (setback.message.empty()) return;
  const std::string key = planned.write.ns + "/" + planned.write.name;
  const auto warning = kclient::EventType::kWarning;
  if (std::holds_alternative<reconcilers::AssumeReported>(planned.assumption)) {
    if (const auto pod = parts_.cluster.ShownPod(key)) {
      parts_.events.Record(
          reconcilers::PodEvent(*pod, warning, setback.reason, "Writing", setback.message));
    }
  } else if (const auto partition = parts_.cluster.ShownPartition(key)) {
    parts_.events.Record(reconcilers::PartitionEvent(*partition, warning, setback.reason, "Writing",
                                                     setback.message));
  }
}

void Runner::Finish(Batch& batch) {
  if (batch.failure) SetBackRequest(*batch.failure);
  for (const std::string& key : batch.asking) queue_.Add(key);
  if (batch.queued) queue_.Done(batch.key);
  if (batch.failed) return;
  for (kclient::Event& event : batch.events) parts_.events.Record(std::move(event));
}

}  // namespace vdcu::controller
