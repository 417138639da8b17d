#include "kclient/event_recorder.h"

#include <algorithm>
#include <cstdio>
#include <string_view>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "kclient/core/meta.h"

namespace vdcu::kclient {

namespace {

using base::Duration;
using base::ErrorCode;

constexpr Duration kSeriesGap = std::chrono::minutes(6);
constexpr Duration kSeriesInterval = std::chrono::seconds(30);
constexpr int kSpamBurst = 25;
constexpr Duration kSpamRefill = std::chrono::minutes(5);
constexpr size_t kMostInFlight = 4;
constexpr int kMostTries = 3;
constexpr base::Backoff kEventRetry{Duration(1'000), Duration(30'000)};
constexpr Duration kIdleCheck{100};
// Above it, series that are over are forgotten.
constexpr size_t kMostSeries = 4096;
constexpr size_t kMostNamePrefix = 200;  // leaves room for the time in the 253 bytes of a name

std::string Join(std::initializer_list<std::string_view> parts) {
  std::string joined;
  for (const std::string_view part : parts) (joined += part) += '\0';
  return joined;
}

std::string ObjectKey(const ObjectReference& object) {
  return Join({object.kind, object.ns, object.name, object.uid});
}

// An event lies in its object's namespace, in "default" for one that has none.
std::string_view Namespace(const Event& event) {
  return event.regarding.ns.empty() ? std::string_view("default") : event.regarding.ns;
}

// client-go's: the object's name and the time in hexadecimal.
std::string EventName(const Event& event, base::WallTime time) {
  std::string prefix = event.regarding.name.substr(0, kMostNamePrefix);
  while (!prefix.empty() && (prefix.back() == '.' || prefix.back() == '-')) prefix.pop_back();
  char stamp[24];
  std::snprintf(stamp, sizeof stamp, ".%llx",
                static_cast<unsigned long long>(time.time_since_epoch().count()));
  return prefix + stamp;
}

nlohmann::json ToJson(const ObjectReference& object) {
  nlohmann::json json = {
      {"apiVersion", object.api_version}, {"kind", object.kind}, {"name", object.name}};
  if (!object.ns.empty()) json["namespace"] = object.ns;
  if (!object.uid.empty()) json["uid"] = object.uid;
  return json;
}

// The same again would fail again.
bool IsPermanent(ErrorCode code) {
  return code == ErrorCode::kInvalid || code == ErrorCode::kForbidden ||
         code == ErrorCode::kNotFound;
}

}  // namespace

EventRecorder::EventRecorder(base::Loop& loop, Client& client, EventRecorderConfig config,
                             base::Random random)
    : loop_(loop),
      client_(client),
      config_(std::move(config)),
      random_(std::move(random)),
      buckets_(kSpamBurst, kSpamRefill),
      forget_above_(kMostSeries),
      timer_(loop.MakeTimer([this] { Pump(); })),
      flush_timer_(loop.MakeTimer([this] { FinishFlush(); })) {}

EventRecorder::~EventRecorder() = default;

void EventRecorder::Record(Event event) {
  event.note = base::Cut(std::move(event.note));
  const base::TimePoint now = loop_.clock().Now();
  const base::WallTime wall = loop_.clock().Wall();
  const auto found = series_.find(event);
  if (found != series_.end() &&
      (found->second.busy() || now - found->second.last_at < kSeriesGap)) {
    Series& series = found->second;
    ++series.count;
    series.last = wall;
    series.last_at = now;
    if (!series.busy()) Enqueue(found, std::max(now, series.sent_at + kSeriesInterval));
    return;
  }
  if (!buckets_.Take(ObjectKey(event.regarding) + event.reason, now)) {
    ++counts_.dropped_spam;
    return;
  }
  if (series_.size() >= forget_above_) ForgetOldSeries();
  Series series;
  series.first = series.last = wall;
  series.last_at = now;
  Enqueue(series_.insert_or_assign(std::move(event), std::move(series)).first, now);
}

void EventRecorder::Flush(Duration most, std::function<void()> done) {
  on_flushed_ = std::move(done);
  flush_timer_->Start(pending() == 0 ? Duration(0) : most);
  timer_->Start(Duration(0));
}

void EventRecorder::Enqueue(Place place, base::TimePoint when) {
  const Slot slot{when, ++queued_};
  queue_.emplace(slot, place);
  victims_.emplace(place->first.type == EventType::kWarning, slot.second, slot.first);
  place->second.queued = slot;
  if (queue_.size() > config_.most_waiting) DropOne();
  timer_->Start(Duration(0));
}

void EventRecorder::Dequeue(Place place) {
  const Slot slot = *place->second.queued;
  victims_.erase({place->first.type == EventType::kWarning, slot.second, slot.first});
  queue_.erase(slot);
  place->second.queued.reset();
}

void EventRecorder::DropOne() {
  const auto& [warning, order, when] = *victims_.begin();
  const Place place = queue_.at(Slot{when, order});
  Dequeue(place);
  ++counts_.dropped_full;
  if (place->second.uid.empty()) series_.erase(place);
}

void EventRecorder::ForgetOldSeries() {
  const base::TimePoint now = loop_.clock().Now();
  std::erase_if(series_, [now](const auto& entry) {
    return !entry.second.busy() && now - entry.second.last_at >= kSeriesGap;
  });
  if (series_.size() >= kMostSeries) {
    std::erase_if(series_, [](const auto& entry) { return !entry.second.busy(); });
  }
  // Looking again at all that wait costs more than what it finds.
  forget_above_ = std::max(kMostSeries, 2 * series_.size());
}

void EventRecorder::Pump() {
  const bool flushing = on_flushed_ != nullptr;
  while (!queue_.empty() && in_flight_ < kMostInFlight) {
    const auto& [slot, place] = *queue_.begin();
    const Duration left = slot.first - loop_.clock().Now();
    if (!flushing && left > Duration(0)) return timer_->Start(left);
    if (!flushing && !config_.idle()) return timer_->Start(kIdleCheck);
    Send(place);
  }
}

void EventRecorder::Send(Place place) {
  auto& [event, series] = *place;
  Dequeue(place);
  if (series.name.empty()) {
    last_name_ = std::max(last_name_ + std::chrono::microseconds(1), series.first);
    series.name = EventName(event, last_name_);
  }
  series.sent_count = series.count;
  series.sent_at = loop_.clock().Now();
  ++in_flight_;
  series.call = client_.Apply(
      MakeWrite(event, series),
      [this, place](base::Result<JsonView> answer) { OnSent(place, std::move(answer)); });
}

Write EventRecorder::MakeWrite(const Event& event, const Series& series) const {
  nlohmann::json body;
  if (series.count > 1) {
    body["series"] = {{"count", series.count},
                      {"lastObservedTime", base::FormatMicroTime(series.last)}};
  }
  if (!series.uid.empty()) {
    return MakePatch(kEvents, Namespace(event), series.name, "", std::move(body), series.uid, "");
  }
  body["eventTime"] = base::FormatMicroTime(series.first);
  body["type"] = event.type == EventType::kWarning ? "Warning" : "Normal";
  body["reason"] = event.reason;
  body["action"] = event.action;
  body["note"] = event.note;
  body["regarding"] = ToJson(event.regarding);
  body["reportingController"] = config_.reporting_controller;
  body["reportingInstance"] = config_.reporting_instance;
  return MakeCreate(kEvents, Namespace(event), series.name, std::move(body));
}

void EventRecorder::OnSent(Place place, base::Result<JsonView> answer) {
  Series& series = place->second;
  series.call.reset();
  --in_flight_;
  if (answer) {
    OnStored(series, *answer);
    if (series.count > series.sent_count) Enqueue(place, series.sent_at + kSeriesInterval);
  } else {
    OnFailed(place, answer.error());
  }
  timer_->Start(Duration(0));
  if (on_flushed_ && pending() == 0) flush_timer_->Start(Duration(0));
}

void EventRecorder::OnStored(Series& series, JsonView object) {
  series.failures = 0;
  if (!series.uid.empty()) {
    ++counts_.patched;
    return;
  }
  ++counts_.created;
  if (const auto metadata = Get(object, "metadata")) series.uid = GetStringOr(*metadata, "uid");
}

void EventRecorder::OnFailed(Place place, const base::Error& error) {
  Series& series = place->second;
  const bool created = !series.uid.empty();
  if (!created && error.code == ErrorCode::kAlreadyExists) {
    // Our own, whose answer was lost: names are never used twice. Its uid is unknown, so the next
    // occurrence begins a new series.
    ++counts_.created;
    series_.erase(place);
    return;
  }
  if (++series.failures >= kMostTries) return Drop(place, error);
  if (created && error.code == ErrorCode::kNotFound) {
    // The API keeps events for an hour only: begin a new one.
    series.uid.clear();
    series.name.clear();
    series.first = series.last;
    return Enqueue(place, loop_.clock().Now());
  }
  if (IsPermanent(error.code)) return Drop(place, error);
  const Duration delay = std::max(error.retry_after, kEventRetry.Delay(series.failures, random_()));
  Enqueue(place, loop_.clock().Now() + delay);
}

void EventRecorder::Drop(Place place, const base::Error& error) {
  ++counts_.dropped_failed;
  Series& series = place->second;
  const Event& event = place->first;
  base::Log(
      base::Level::kWarning, "event dropped",
      {{"object", event.regarding.kind + " " + event.regarding.ns + "/" + event.regarding.name},
       {"reason", event.reason},
       {"error", error.message}});
  series.failures = 0;
  if (series.uid.empty()) series_.erase(place);
}

void EventRecorder::FinishFlush() {
  flush_timer_->Stop();
  const auto done = std::exchange(on_flushed_, nullptr);
  if (done) done();
}

}  // namespace vdcu::kclient
