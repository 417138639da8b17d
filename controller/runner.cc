#include "controller/runner.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/memory.h"
#include "reconcilers/pod.h"

namespace vdcu::controller {

namespace {

using reconcilers::Outcome;

// Between two turns of the loop at most so many keys are looked at, so that it stays responsive.
constexpr int kMostKeysInAPass = 500;

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
  for (const std::string& key : parts_.cluster.TakeDirty(kMostKeysInAPass)) queue_.Add(key);
  for (int i = 0; HasRoom() && i < kMostKeysInAPass; ++i) {
    const auto key = queue_.Get();
    if (!key) break;
    Reconcile(*key);
  }
  const bool more_dirty = parts_.cluster.HasDirty();
  while (HasRoom() && queue_.ready() == 0 && !more_dirty) {
    auto decision = placer_.Next(at);
    if (!decision) break;
    if (decision->placed) parts_.metrics.CountPlacement();
    Execute(decision->key, false, std::move(decision->plan));
  }
  parts_.metrics.SetWaiting(placer_.waiting());
  parts_.metrics.SetWritesInFlight(calls_.size());
  const bool more = queue_.ready() > 0 || more_dirty;
  if (HasRoom() && more) pass_timer_->Start(base::Duration(0));
  if (!more && !std::exchange(trimmed_, true)) base::TrimMemory();
}

void Runner::Reconcile(const std::string& key) {
  const auto at = Instant();
  const size_t slash = key.find('/');
  const std::string object_key = key.substr(slash + 1);
  auto plan = key.starts_with("pod/")
                  ? reconcilers::ReconcilePod(parts_.cluster, object_key, at)
                  : reconcilers::ReconcilePartition(parts_.cluster, object_key, at);
  if (plan.place) {
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
    // The lease may be lost: whoever leads decides anew.
    batch->failed = true;
    return Finish(*batch);
  }
  batch->left = plan.writes.size();
  for (const auto& planned : plan.writes) {
    parts_.cluster.Assume(planned.assumption, parts_.loop.clock().Now());
  }
  for (const auto& planned : plan.writes) Start(batch, planned);
  if (plan.writes.empty()) Finish(*batch);
}

void Runner::Start(const BatchPtr& batch, const reconcilers::PlannedWrite& planned) {
  const uint64_t id = next_call_++;
  const auto started = parts_.loop.clock().Now();
  calls_[id] = parts_.client.Apply(
      planned.write,
      [this, id, batch, planned, started](const base::Result<kclient::JsonView>& answer) {
        OnAnswer(id, batch, WithIdentity(planned, answer), started,
                 answer ? base::Ok() : base::Status(answer.error()));
      });
}

void Runner::OnAnswer(uint64_t id, const BatchPtr& batch, const reconcilers::PlannedWrite& planned,
                      base::TimePoint started, const base::Status& status) {
  calls_.erase(id);
  const auto now = parts_.loop.clock().Now();
  const Outcome outcome = OutcomeOf(planned.assumption, status);
  parts_.metrics.CountWrite(VerbName(planned.write), planned.write.resource.plural,
                            status ? "ok" : base::ToString(status.error().code), now - started);
  if (status && std::holds_alternative<reconcilers::AssumeBound>(planned.assumption)) {
    parts_.metrics.CountBinding();
  }
  parts_.cluster.Settle(planned.assumption, outcome, now);
  if (!status) {
    batch->failed = true;
    batch->retry_after = std::max(batch->retry_after, status.error().retry_after);
    LogFailure(planned.write, status.error());
    // A create may be repeated by its partition's key: when that is refused, the pod decides anew.
    const std::string next = outcome == Outcome::kUnknown
                                 ? reconcilers::KeyOf(planned.assumption)
                                 : reconcilers::RequestKeyOf(planned.assumption);
    if (next != batch->key) queue_.AddRateLimited(next);
  }
  if (--batch->left == 0) Finish(*batch);
  OnChange();
  if (drained_ && calls_.empty()) drained_();
}

void Runner::Finish(Batch& batch) {
  if (batch.queued) queue_.Done(batch.key);
  if (batch.failed) {
    if (batch.retry_after > base::Duration(0)) {
      queue_.AddAfter(batch.key, batch.retry_after);
    } else {
      queue_.AddRateLimited(batch.key);
    }
    return;
  }
  queue_.Forget(batch.key);
  for (kclient::Event& event : batch.events) parts_.events.Record(std::move(event));
}

void Runner::LogFailure(const kclient::Write& write, const base::Error& error) const {
  // A conflict is a controller's normal day: the watch brings what is true.
  const bool normal = error.code == base::ErrorCode::kConflict ||
                      error.code == base::ErrorCode::kNotFound ||
                      error.code == base::ErrorCode::kAlreadyExists;
  base::Log(normal ? base::Level::kDebug : base::Level::kWarning, "write failed",
            {{"write", write.Describe()},
             {"code", std::string(base::ToString(error.code))},
             {"error", error.message}});
}

}  // namespace vdcu::controller
