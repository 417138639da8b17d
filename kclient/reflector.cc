#include "kclient/reflector.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "base/log.h"
#include "kclient/api_error.h"
#include "kclient/core/meta.h"

namespace vdcu::kclient {

namespace {

using base::Duration;
using base::Error;
using base::ErrorCode;
using base::Status;
using std::chrono::minutes;
using std::chrono::seconds;

// Longer pages that turn out to be too long cost an answer each: a quarter more at most.
constexpr int kPagesBeforeGrowth = 4;
// At most 10 s: a daemon that does not see its slices is passed over.
constexpr base::Backoff kListRetry{Duration(800), seconds(10)};
constexpr Duration kHealthy = minutes(2);
constexpr Duration kHealthyWatch = seconds(10);
constexpr Duration kLongestListRetryAfter = minutes(1);
// An administrator who installs the kind sees it taken up soon.
constexpr Duration kNotInstalledDelay = seconds(5);
constexpr Duration kShortestWatch = seconds(1);
// After so long an etcd may have been restored, and be past our version again. Most versions have
// expired by then anyway, so that a list costs little more.
constexpr Duration kLongSilence = seconds(30);
constexpr Duration kFailing = seconds(30);
constexpr int kWatchSeconds = 300;  // to twice that

std::string FullName(const Resource& resource) {
  std::string name(resource.plural);
  if (!resource.group.empty()) (name += '.') += resource.group;
  return name;
}

std::string ContinueTokenOf(JsonView page) {
  const auto meta = Get(page, "metadata");
  return meta ? GetStringOr(*meta, "continue") : "";
}

}  // namespace

std::string KeyOf(JsonView object) {
  const auto meta = Get(object, "metadata");
  if (!meta) return "";
  std::string key = GetStringOr(*meta, "namespace");
  if (!key.empty()) key += '/';
  return key += GetStringOr(*meta, "name");
}

std::string ResourceVersionOf(JsonView object) {
  const auto meta = Get(object, "metadata");
  return meta ? GetStringOr(*meta, "resourceVersion") : "";
}

std::string_view ToString(Reflector::State state) {
  switch (state) {
    case Reflector::State::kStopped:
      return "stopped";
    case Reflector::State::kListing:
      return "listing";
    case Reflector::State::kChecking:
      return "checking the version";
    case Reflector::State::kWatching:
      return "watching";
    case Reflector::State::kBackingOff:
      return "backing off";
  }
  return "";
}

Reflector::Reflector(Client& client, base::Loop& loop, ReflectorSink& sink,
                     ReflectorOptions options, base::Random random)
    : client_(client),
      loop_(loop),
      sink_(sink),
      options_(std::move(options)),
      random_(std::move(random)),
      retry_timer_(loop.MakeTimer([this] { OnRetry(); })) {}

void Reflector::Start() { StartList(); }

Duration Reflector::FailingFor() const {
  const base::TimePoint now = loop_.clock().Now();
  const bool fails = out_since_ && (!failure_.empty() || now - asked_ >= kFailing);
  return fails ? now - *out_since_ : Duration(0);
}

std::string Reflector::Failure() const {
  const Duration length = FailingFor();
  if (length < kFailing) return "";
  return FullName(options_.resource) + ": list and watch have failed for " +
         std::to_string(std::chrono::duration_cast<seconds>(length).count()) +
         " s: " + (failure_.empty() ? "no answer" : failure_);
}

// Asks for something.
void Reflector::Begin(State state) {
  state_ = state;
  asked_ = loop_.clock().Now();
  if (!out_since_) out_since_ = asked_;
}

template <class Options>
void Reflector::Select(Options& options) const {
  options.field_selector = by_label_ ? "" : options_.field_selector;
  options.label_selector = by_label_ ? options_.label_instead : options_.label_selector;
}

void Reflector::StartList() {
  Begin(State::kListing);
  last_listed_.clear();
  sink_.OnListBegin();
  RequestPage("");
}

void Reflector::RequestPage(const std::string& continue_token) {
  continue_token_ = continue_token;
  asked_ = loop_.clock().Now();
  ListOptions options;
  options.limit = page_size_;
  options.continue_token = continue_token;
  Select(options);
  call_ = client_.List(options_.resource, options_.ns, options,
                       [this](base::Result<JsonView> page) { OnPage(std::move(page)); });
}

void Reflector::OnPage(base::Result<JsonView> page) {
  if (!page) {
    return page.error().code == ErrorCode::kNoCapacity ? OnPageTooLong(std::move(page.error()))
                                                       : BackOff(page.error());
  }
  const std::string version = ResourceVersionOf(*page);
  if (version.empty()) {
    return BackOff(base::Corrupt("list " + FullName(options_.resource) +
                                 ": the answer has no metadata.resourceVersion"));
  }
  NoteVersion(version);
  OnPageFits();
  std::optional<JsonView> last;
  ForEach(*page, "items", [&](JsonView object) {
    if (IsMeant(object)) sink_.OnListed(object);
    last = object;
  });
  if (last) last_listed_ = KeyOf(*last);
  if (const std::string rest = ContinueTokenOf(*page); !rest.empty()) {
    return RequestPage(rest);
  }
  is_one_page_ = continue_token_.empty();
  resource_version_ = version;
  heard_ = loop_.clock().Now();
  sink_.OnListEnd(version);
  StartWatch();
}

void Reflector::OnPageTooLong(Error error) {
  pages_that_fit_ = 0;
  if (page_size_ > 1) {
    page_size_ /= 2;
    return RequestPage(std::string(continue_token_));
  }
  error.message += ": a single object, the " +
                   (last_listed_.empty() ? "first" : "one after " + last_listed_) +
                   "; it must be made smaller or deleted";
  BackOff(error);
}

// Of a list, before what it lists is told.
void Reflector::NoteVersion(const std::string& version) {
  if (!newest_version_.empty() && !IsSameOrOlder(newest_version_, version)) {
    base::Log(base::Level::kWarning, "the API server's versions went back: was etcd restored?",
              {{"kind", FullName(options_.resource)}, {"had", newest_version_}, {"has", version}});
    sink_.OnVersionsWentBack();
  }
  newest_version_ = version;
}

void Reflector::CheckVersion() {
  Begin(State::kChecking);
  ListOptions options;
  options.limit = 1;
  Select(options);
  call_ = client_.List(options_.resource, options_.ns, options,
                       [this](const base::Result<JsonView>& page) { OnVersionChecked(page); });
}

void Reflector::OnVersionChecked(const base::Result<JsonView>& page) {
  if (!page) return BackOff(page.error());
  if (IsSameOrOlder(resource_version_, ResourceVersionOf(*page))) return StartWatch();
  resource_version_.clear();
  StartList();
}

void Reflector::OnPageFits() {
  if (page_size_ == kMostOnAPage || ++pages_that_fit_ < kPagesBeforeGrowth) return;
  page_size_ = std::min(2 * page_size_, kMostOnAPage);
  pages_that_fit_ = 0;
}

void Reflector::StartWatch() {
  Begin(State::kWatching);
  decoder_.Reset();
  watch_started_ = loop_.clock().Now();
  ++watches_;
  watch_had_events_ = false;
  not_installed_logged_ = false;
  WatchOptions options;
  Select(options);
  options.resource_version = resource_version_;
  options.timeout_seconds = kWatchSeconds + static_cast<int>(random_() * kWatchSeconds);
  call_ = client_.Watch(
      options_.resource, options_.ns, options, [this](std::string_view b) { OnWatchData(b); },
      [this](Status status) { OnWatchEnd(std::move(status)); });
}

void Reflector::OnWatchData(std::string_view bytes) {
  heard_ = loop_.clock().Now();
  out_since_.reset();
  failure_.clear();
  auto status =
      decoder_.Feed(bytes, [this](const WatchEvent& event) { return OnWatchEvent(event); });
  if (!status) BackOff(status.error());
}

Status Reflector::OnWatchEvent(const WatchEvent& event) {
  watch_had_events_ = true;
  if (event.type == WatchEvent::Type::kError) {
    return base::WithContext(ErrorFromStatus(event.object), "watch " + FullName(options_.resource));
  }
  std::string version = ResourceVersionOf(event.object);
  if (version.empty()) {
    return base::Corrupt("watch " + FullName(options_.resource) +
                         ": an event's object has no metadata.resourceVersion");
  }
  if (IsSameOrOlder(version, resource_version_) && version != resource_version_) {
    return base::Error{ErrorCode::kExpired, "watch " + FullName(options_.resource) +
                                                ": an event of version " + version +
                                                " came after version " + resource_version_};
  }
  resource_version_ = std::move(version);
  newest_version_ = resource_version_;
  if (event.type == WatchEvent::Type::kBookmark) return base::Ok();
  sink_.OnEvent(IsMeant(event.object) ? event.type : WatchEvent::Type::kDeleted, event.object);
  return base::Ok();
}

void Reflector::OnWatchEnd(Status status) {
  if (status) status = decoder_.End();
  if (!status) return BackOff(status.error());
  const bool too_short =
      !watch_had_events_ && loop_.clock().Now() - watch_started_ < kShortestWatch;
  if (!too_short) return StartWatch();
  BackOff({ErrorCode::kUnavailable,
           "watch " + FullName(options_.resource) + ": ended at once without an event",
           {}});
}

void Reflector::OnRetry() {
  if (loop_.clock().Now() - heard_ >= kLongSilence) resource_version_.clear();
  if (resource_version_.empty()) return StartList();
  if (!is_one_page_) return CheckVersion();
  StartList();
  sink_.OnVersionsWentBack();
}

bool Reflector::FallsBackToLabel(const Error& error) {
  if (error.code != ErrorCode::kInvalid || options_.label_instead.empty() || by_label_) {
    return false;
  }
  by_label_ = true;
  base::Log(base::Level::kInfo, "the API server does not select by this field: asking by label",
            {{"kind", FullName(options_.resource)},
             {"field", options_.field_selector},
             {"label", options_.label_instead},
             {"answer", error.message}});
  return true;
}

void Reflector::BackOff(const Error& error) {
  call_.reset();
  if (FallsBackToLabel(error)) {
    resource_version_.clear();
    return StartList();
  }
  failure_ = error.message;
  if (!out_since_) out_since_ = loop_.clock().Now();
  // A kind that was removed and comes back has other objects.
  const bool list_anew = error.code == ErrorCode::kExpired || error.code == ErrorCode::kNotFound;
  if (state_ == State::kListing || list_anew) resource_version_.clear();
  // One without an event may have been a connection to nobody.
  const bool watched = state_ == State::kWatching && watch_had_events_;
  if (watched && loop_.clock().Now() - watch_started_ >= kHealthyWatch) failures_ = 0;
  state_ = State::kBackingOff;
  const Duration delay = RetryDelay(error);
  LogFailure(error, delay);
  retry_timer_->Start(delay);
}

Duration Reflector::RetryDelay(const Error& error) {
  const base::TimePoint now = loop_.clock().Now();
  if (now - last_failure_ > kHealthy) {
    failures_ = 0;
    expired_ = false;
  }
  last_failure_ = now;
  ++failures_;
  // A version that has expired is a watch's normal end, also after an outage, and a server answers
  // again; only twice in a row is it a failure.
  const bool expired = error.code == ErrorCode::kExpired;
  if (!std::exchange(expired_, expired) && expired) return Duration(0);
  Duration delay = kListRetry.Delay(failures_, random_());
  if (error.code == ErrorCode::kNotFound) delay = std::min(delay, kNotInstalledDelay);
  return std::max(delay, std::min(error.retry_after, kLongestListRetryAfter));
}

void Reflector::LogFailure(const Error& error, Duration delay) {
  if (error.code == ErrorCode::kNotFound) {
    if (std::exchange(not_installed_logged_, true)) return;
    base::Log(base::Level::kWarning, "waiting for a kind that is not installed",
              {{"kind", FullName(options_.resource)}});
    return;
  }
  base::Log(base::Level::kWarning, "list and watch failed, trying again",
            {{"kind", FullName(options_.resource)},
             {"error", error.message},
             {"delay_ms", std::to_string(delay.count())}});
}

}  // namespace vdcu::kclient
