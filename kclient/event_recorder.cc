#include "kclient/event_recorder.h"

#include <algorithm>
#include <cstdio>
#include <string_view>
#include <utility>

#include "base/log.h"
#include "kclient/core/meta.h"

namespace vdcu::kclient {

namespace {

using base::Duration;
using base::ErrorCode;

constexpr size_t kMostNote = 1024;  // bytes, as the API demands
constexpr Duration kSeriesGap = std::chrono::minutes(6);
constexpr Duration kSeriesInterval = std::chrono::seconds(30);
constexpr int kSpamBurst = 25;
constexpr Duration kSpamRefill = std::chrono::minutes(5);
constexpr size_t kMostInFlight = 4;
constexpr int kMostTries = 3;
constexpr base::Backoff kRetry{Duration(1'000), Duration(30'000)};
constexpr Duration kIdleCheck{100};
// Above it, series that are over are forgotten.
constexpr size_t kMostSeries = 4096;
constexpr size_t kMostNamePrefix = 200;  // leaves room for the time in the 253 bytes of a name

// At most `most` bytes, never half a UTF-8 character.
void CutUtf8(std::string& text, size_t most) {
  if (text.size() <= most) return;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) --most;
  text.resize(most);
}

std::string Join(std::initializer_list<std::string_view> parts) {
  std::string joined;
  for (const std::string_view part : parts) (joined += part) += '\0';
  return joined;
}

std::string ObjectKey(const ObjectReference& object) {
  return Join({object.kind, object.ns, object.name, object.uid});
}

std::string SeriesKey(const Event& event) {
  const char* type = event.type == EventType::kWarning ? "W" : "N";
  return ObjectKey(event.regarding) + Join({type, event.reason, event.action, event.note});
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
      timer_(loop.MakeTimer([this] { Pump(); })),
      flush_timer_(loop.MakeTimer([this] { FinishFlush(); })) {}

EventRecorder::~EventRecorder() = default;

void EventRecorder::Record(Event event) {
  CutUtf8(event.note, kMostNote);
  const std::string key = SeriesKey(event);
  const base::TimePoint now = loop_.clock().Now();
  const base::WallTime wall = loop_.clock().Wall();
  const auto found = series_.find(key);
  if (found != series_.end() &&
      (found->second.busy() || now - found->second.last_at < kSeriesGap)) {
    Series& series = found->second;
    ++series.count;
    series.last = wall;
    series.last_at = now;
    if (!series.busy()) Enqueue(key, std::max(now, series.sent_at + kSeriesInterval));
    return;
  }
  if (!buckets_.Take(ObjectKey(event.regarding) + event.reason, now)) {
    ++counts_.dropped_spam;
    return;
  }
  if (series_.size() >= kMostSeries) ForgetOldSeries();
  Series series;
  series.event = std::move(event);
  series.first = series.last = wall;
  series.last_at = now;
  series_.insert_or_assign(key, std::move(series));
  Enqueue(key, now);
}

void EventRecorder::Flush(Duration most, std::function<void()> done) {
  on_flushed_ = std::move(done);
  flush_timer_->Start(pending() == 0 ? Duration(0) : most);
  timer_->Start(Duration(0));
}

void EventRecorder::Enqueue(const std::string& key, base::TimePoint when) {
  const Slot slot{when, ++queued_};
  queue_.emplace(slot, key);
  Series& series = series_.at(key);
  victims_.emplace(series.event.type == EventType::kWarning, slot.second, slot.first);
  series.queued = slot;
  if (queue_.size() > config_.most_waiting) DropOne();
  timer_->Start(Duration(0));
}

void EventRecorder::Dequeue(Series& series) {
  const Slot slot = *series.queued;
  victims_.erase({series.event.type == EventType::kWarning, slot.second, slot.first});
  queue_.erase(slot);
  series.queued.reset();
}

void EventRecorder::DropOne() {
  const auto& [warning, order, when] = *victims_.begin();
  const std::string key = queue_.at(Slot{when, order});
  Series& series = series_.at(key);
  Dequeue(series);
  ++counts_.dropped_full;
  if (series.uid.empty()) series_.erase(key);
}

void EventRecorder::ForgetOldSeries() {
  const base::TimePoint now = loop_.clock().Now();
  std::erase_if(series_, [now](const auto& entry) {
    return !entry.second.busy() && now - entry.second.last_at >= kSeriesGap;
  });
  if (series_.size() < kMostSeries) return;
  std::erase_if(series_, [](const auto& entry) { return !entry.second.busy(); });
}

void EventRecorder::Pump() {
  const bool flushing = on_flushed_ != nullptr;
  while (!queue_.empty() && in_flight_ < kMostInFlight) {
    const auto& [slot, key] = *queue_.begin();
    const Duration left = slot.first - loop_.clock().Now();
    if (!flushing && left > Duration(0)) return timer_->Start(left);
    if (!flushing && !config_.idle()) return timer_->Start(kIdleCheck);
    Send(std::string(key));
  }
}

void EventRecorder::Send(const std::string& key) {
  Series& series = series_.at(key);
  Dequeue(series);
  if (series.name.empty()) {
    last_name_ = std::max(last_name_ + std::chrono::microseconds(1), series.first);
    series.name = EventName(series.event, last_name_);
  }
  series.sent_count = series.count;
  series.sent_at = loop_.clock().Now();
  ++in_flight_;
  series.call = client_.Apply(MakeWrite(series), [this, key](base::Result<JsonView> answer) {
    OnSent(std::string(key), std::move(answer));
  });
}

Write EventRecorder::MakeWrite(const Series& series) const {
  const Event& event = series.event;
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

void EventRecorder::OnSent(const std::string& key, base::Result<JsonView> answer) {
  Series& series = series_.at(key);
  series.call.reset();
  --in_flight_;
  if (answer) {
    OnStored(series, *answer);
    if (series.count > series.sent_count) Enqueue(key, series.sent_at + kSeriesInterval);
  } else {
    OnFailed(key, answer.error());
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

void EventRecorder::OnFailed(const std::string& key, const base::Error& error) {
  Series& series = series_.at(key);
  const bool created = !series.uid.empty();
  if (!created && error.code == ErrorCode::kAlreadyExists) {
    // Our own, whose answer was lost: names are never used twice. Its uid is unknown, so the next
    // occurrence begins a new series.
    ++counts_.created;
    series_.erase(key);
    return;
  }
  if (++series.failures >= kMostTries) return Drop(key, error);
  if (created && error.code == ErrorCode::kNotFound) {
    // The API keeps events for an hour only: begin a new one.
    series.uid.clear();
    series.name.clear();
    series.first = series.last;
    return Enqueue(key, loop_.clock().Now());
  }
  if (IsPermanent(error.code)) return Drop(key, error);
  const Duration delay = std::max(error.retry_after, kRetry.Delay(series.failures, random_()));
  Enqueue(key, loop_.clock().Now() + delay);
}

void EventRecorder::Drop(const std::string& key, const base::Error& error) {
  ++counts_.dropped_failed;
  Series& series = series_.at(key);
  const Event& event = series.event;
  base::Log(
      base::Level::kWarning, "event dropped",
      {{"object", event.regarding.kind + " " + event.regarding.ns + "/" + event.regarding.name},
       {"reason", event.reason},
       {"error", error.message}});
  series.failures = 0;
  if (series.uid.empty()) series_.erase(key);
}

void EventRecorder::FinishFlush() {
  flush_timer_->Stop();
  const auto done = std::exchange(on_flushed_, nullptr);
  if (done) done();
}

}  // namespace vdcu::kclient
