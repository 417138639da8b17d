#include "kclient/leader_elector.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace vdcu::kclient {

namespace {

using base::Duration;
using base::Error;
using base::ErrorCode;

// client-go's JitterFactor: it wants room for one retry and its jitter within the renew deadline.
constexpr double kJitterFactor = 1.2;
// A follower waits this part of a retry period at least, so that many do not ask at once.
constexpr double kLeastWait = 0.5;
// A process that ends must not wait longer for its lease to be given up.
constexpr Duration kReleaseTimeout{1'000};

std::string Text(Duration duration) { return std::to_string(duration.count()) + " ms"; }

base::Status Validate(const LeaderElectionConfig& config) {
  using base::Invalid;
  if (config.ns.empty()) return Invalid("the lease's namespace is empty");
  if (config.name.empty()) return Invalid("the lease's name is empty");
  if (config.identity.empty()) return Invalid("the identity is empty");
  if (config.retry_period <= Duration(0)) {
    return Invalid("retry_period is " + Text(config.retry_period) + ", must be positive");
  }
  if (config.lease_duration % std::chrono::seconds(1) != Duration(0)) {
    return Invalid("lease_duration is " + Text(config.lease_duration) + ", must be whole seconds");
  }
  if (config.lease_duration <= config.renew_deadline) {
    return Invalid("lease_duration is " + Text(config.lease_duration) +
                   ", must be longer than renew_deadline " + Text(config.renew_deadline));
  }
  if (config.renew_deadline.count() <= kJitterFactor * config.retry_period.count()) {
    return Invalid("renew_deadline is " + Text(config.renew_deadline) +
                   ", must be longer than 1.2 times retry_period " + Text(config.retry_period));
  }
  return base::Ok();
}

base::Result<Lease> ReadLease(const base::Result<JsonView>& answer) {
  if (!answer) return answer.error();
  return ParseLease(*answer);
}

}  // namespace

base::Result<std::unique_ptr<LeaderElector>> LeaderElector::Create(base::Loop& loop, Client& client,
                                                                   LeaderElectionConfig config,
                                                                   Callbacks callbacks,
                                                                   base::Random random) {
  RETURN_IF_ERROR(Validate(config));
  return std::unique_ptr<LeaderElector>(
      new LeaderElector(loop, client, std::move(config), std::move(callbacks), std::move(random)));
}

LeaderElector::LeaderElector(base::Loop& loop, Client& client, LeaderElectionConfig config,
                             Callbacks callbacks, base::Random random)
    : loop_(loop),
      client_(client),
      config_(std::move(config)),
      callbacks_(std::move(callbacks)),
      random_(std::move(random)),
      timer_(loop.MakeTimer([this] { OnTimer(); })),
      deadline_(loop.MakeTimer([this] {
        StopLeading("not renewed for " + Text(config_.renew_deadline) +
                    (last_error_.empty() ? "" : ": " + last_error_));
      })) {}

LeaderElector::~LeaderElector() = default;

void LeaderElector::Start() {
  CHECK(state_ == State::kIdle, "a leader elector is started once");
  state_ = State::kFollowing;
  StartRound();
}

bool LeaderElector::MayWrite(base::TimePoint now, Duration request_timeout) const {
  return leading() && now + request_timeout <= renewed_at_ + config_.renew_deadline;
}

void LeaderElector::Release(std::function<void(base::Status)> callback) {
  state_ = State::kReleasing;
  on_released_ = std::move(callback);
  deadline_->Stop();
  // A write in flight may make us the holder yet, so its answer is awaited.
  const bool anything_to_do = call_ || HeldByUs();
  timer_->Start(anything_to_do ? kReleaseTimeout : Duration(0));
  fresh_ = false;
  if (!call_ && anything_to_do) ContinueRelease();
}

void LeaderElector::StartRound() {
  fresh_ = false;
  timer_->Start(config_.renew_deadline / 2);
  // A leader knows the Lease as it wrote it: one request a renewal.
  if (leading() && observed_) return WriteLease(OurSpec());
  GetLease();
}

void LeaderElector::EndRound(Error error) {
  if (state_ == State::kReleasing) return FinishRelease(std::move(error));
  // That another was faster, or holds it, is how it should be.
  const bool as_it_should =
      error.code == ErrorCode::kConflict || error.code == ErrorCode::kAlreadyExists;
  NoteTrouble(as_it_should ? "" : error.message);
  last_error_ = std::move(error.message);
  timer_->Start(leading() ? config_.retry_period : FollowerWait());
}

void LeaderElector::NoteTrouble(const std::string& error) {
  if (error == (trouble_ ? trouble_->error : "")) return;
  if (error.empty()) {
    trouble_.reset();
  } else {
    trouble_ = Trouble{trouble_ ? trouble_->since : loop_.clock().Now(), error};
  }
  if (callbacks_.on_trouble) callbacks_.on_trouble(error);
}

// Unlike client-go, which waits 1 to 2.2 periods: a lease that is given up is taken within one, and
// one that runs out as soon as it does.
Duration LeaderElector::FollowerWait() const {
  const double part = kLeastWait + (1 - kLeastWait) * random_();
  const auto wait = std::chrono::duration_cast<Duration>(config_.retry_period * part);
  if (!HeldByAnother()) return wait;
  const auto duration = std::chrono::seconds(observed_->spec.lease_duration_seconds);
  return std::min<Duration>(wait, observed_at_ + duration - loop_.clock().Now());
}

void LeaderElector::OnTimer() {
  if (!call_) return state_ == State::kReleasing ? FinishRelease(base::Ok()) : StartRound();
  call_.reset();
  EndRound({ErrorCode::kUnavailable, "no answer in time"});
}

void LeaderElector::GetLease() {
  call_ = client_.Get(kLeases, config_.ns, config_.name,
                      [this](base::Result<JsonView> answer) { OnLease(ReadLease(answer)); });
}

void LeaderElector::OnLease(base::Result<Lease> lease) {
  call_.reset();
  fresh_ = true;
  if (lease) {
    Observe(std::move(*lease));
  } else if (lease.error().code == ErrorCode::kNotFound) {
    observed_.reset();
  } else {
    return EndRound(std::move(lease.error()));
  }
  if (state_ == State::kReleasing) return ContinueRelease();
  if (leading() && observed_ && !HeldByUs()) {
    return StopLeading("the lease was taken by \"" + observed_->spec.holder_identity + "\"");
  }
  if (HeldByAnother()) {
    return EndRound({ErrorCode::kConflict, "held by " + observed_->spec.holder_identity});
  }
  WriteLease(OurSpec());
}

void LeaderElector::WriteLease(const LeaseSpec& spec) {
  const nlohmann::json body = {{"spec", ToJson(spec)}};
  const Write write = observed_ ? MakePatch(kLeases, config_.ns, config_.name, "", body,
                                            observed_->uid, observed_->resource_version)
                                : MakeCreate(kLeases, config_.ns, config_.name, body);
  sent_at_ = loop_.clock().Now();
  call_ =
      client_.Apply(write, [this](base::Result<JsonView> answer) { OnWritten(ReadLease(answer)); });
}

void LeaderElector::OnWritten(base::Result<Lease> lease) {
  call_.reset();
  if (lease) {
    Observe(std::move(*lease));
    return state_ == State::kReleasing ? ContinueRelease() : OnHeld();
  }
  // A request whose answer was lost may have been carried out: the Lease tells.
  const ErrorCode code = lease.error().code;
  const bool changed = code == ErrorCode::kConflict || code == ErrorCode::kNotFound ||
                       code == ErrorCode::kAlreadyExists;
  if (changed && !fresh_) return GetLease();
  EndRound(std::move(lease.error()));
}

void LeaderElector::OnHeld() {
  const Duration left = sent_at_ + config_.renew_deadline - loop_.clock().Now();
  if (left <= Duration(0)) {
    const Error late{ErrorCode::kUnavailable, "the answer came after the renew deadline"};
    return leading() ? StopLeading(late.message) : EndRound(late);
  }
  NoteTrouble("");
  renewed_at_ = sent_at_;
  last_error_.clear();
  deadline_->Start(left);
  timer_->Start(config_.retry_period);
  if (leading()) return;
  state_ = State::kLeading;
  if (const auto callback = callbacks_.on_started_leading) callback();
}

void LeaderElector::ContinueRelease() {
  if (!HeldByUs()) return FinishRelease(base::Ok());
  WriteLease(ReleasedSpec());
}

void LeaderElector::Observe(Lease lease) {
  const bool new_leader =
      !observed_ || observed_->spec.holder_identity != lease.spec.holder_identity;
  if (!observed_ || observed_->spec != lease.spec) observed_at_ = loop_.clock().Now();
  observed_ = std::move(lease);
  const std::string& holder = observed_->spec.holder_identity;
  if (new_leader && !holder.empty() && callbacks_.on_new_leader) callbacks_.on_new_leader(holder);
}

void LeaderElector::StopLeading(const std::string& reason) {
  state_ = State::kStopped;
  call_.reset();
  timer_->Stop();
  deadline_->Stop();
  const std::string message = "lease " + config_.ns + "/" + config_.name + ": " + reason;
  if (const auto callback = callbacks_.on_stopped_leading) callback(message);
}

void LeaderElector::FinishRelease(base::Status status) {
  state_ = State::kStopped;
  timer_->Stop();
  const auto callback = std::move(on_released_);
  if (callback) callback(std::move(status));
}

bool LeaderElector::HeldByUs() const {
  return observed_ && observed_->spec.holder_identity == config_.identity;
}

bool LeaderElector::HeldByAnother() const {
  if (!observed_ || HeldByUs() || observed_->spec.holder_identity.empty()) return false;
  const auto duration = std::chrono::seconds(observed_->spec.lease_duration_seconds);
  return loop_.clock().Now() < observed_at_ + duration;
}

LeaseSpec LeaderElector::OurSpec() const {
  LeaseSpec spec = observed_ ? observed_->spec : LeaseSpec();
  spec.renew_time = base::FormatMicroTime(loop_.clock().Wall());
  if (!HeldByUs()) {
    spec.acquire_time = spec.renew_time;
    spec.lease_transitions += observed_ ? 1 : 0;
  }
  spec.holder_identity = config_.identity;
  spec.lease_duration_seconds =
      std::chrono::duration_cast<std::chrono::seconds>(config_.lease_duration).count();
  return spec;
}

LeaseSpec LeaderElector::ReleasedSpec() const {
  LeaseSpec spec = observed_->spec;
  spec.holder_identity.clear();
  // client-go's: one second, so that one who does not know an empty holder waits no longer.
  spec.lease_duration_seconds = 1;
  spec.renew_time = base::FormatMicroTime(loop_.clock().Wall());
  spec.acquire_time = spec.renew_time;
  return spec;
}

}  // namespace vdcu::kclient
