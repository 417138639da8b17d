// Keeps a sink true to the objects of one kind, by list and watch.
//
// Promises:
// - The first list, and each later one, is a consistent read of what etcd has (no resourceVersion),
//   in pages; the watch goes on from it. So a new leader knows all that was written before.
// - A page has 500 objects at most. One whose answer is too long is asked for again with half as
//   many, at once, until it is one; then it is a failure that says which object it is. Pages that
//   were not too long let them grow again.
// - A watch that ends as it should is resumed from the last resourceVersion seen, also of
//   bookmarks; when that has expired (410, or a version that the server has not reached) all is
//   listed anew, at once unless the same happened just before.
// - After a failure it is not taken for granted that the server's versions go on from ours: etcd
//   may have been restored. What fitted on one page is listed anew, as the restored etcd may be
//   past our version already. Of more a list of one object says which version the server has; when
//   it is below ours, or when nothing was heard for 30 s, all is listed anew. So it is when an
//   event's version is below ours.
// - Failures are retried after 0.8 s, doubled up to 10 s, with jitter, or what the server asks for
//   in Retry-After; two minutes without a failure, or a watch that has brought events for ten
//   seconds, start again at 0.8 s. A watch that ends at once without an event is a failure.
// - A kind that is not installed (404) is said once in the log and awaited.
// - Once the server has refused the field selector, it is asked by label for good, and that is said
//   once: no version is parsed.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/backoff.h"
#include "base/loop.h"
#include "base/random.h"
#include "base/result.h"
#include "kclient/api.h"
#include "kclient/watch_decoder.h"

namespace vdcu::kclient {

// What takes the lists and events of a kind. Views are valid until the call returns. It may not
// destroy the reflector.
class ReflectorSink {
 public:
  virtual ~ReflectorSink() = default;
  // A list begins (again: what was listed since an earlier OnListBegin without end is void).
  virtual void OnListBegin() = 0;
  // The versions of this list may have stood for other states before.
  virtual void OnVersionsWentBack() = 0;
  virtual void OnListed(JsonView object) = 0;
  // What was not listed since OnListBegin did not exist in this resourceVersion.
  virtual void OnListEnd(const std::string& version) = 0;
  // kAdded, kModified or kDeleted.
  virtual void OnEvent(WatchEvent::Type type, JsonView object) = 0;
};

struct ReflectorOptions {
  Resource resource;
  std::string ns;  // empty: all
  std::string field_selector;
  std::string label_selector;
  // What selects at least the same where the server refuses the field selector (HTTP 400: it does
  // not know the field); empty: nothing does.
  std::string label_instead = "";
  // Whether an object is meant: of what was selected others count as not there; none: all are.
  std::function<bool(JsonView)> only = nullptr;
};

// metadata's "namespace/name" and resourceVersion of an object that need not decode otherwise.
std::string KeyOf(JsonView object);
std::string ResourceVersionOf(JsonView object);

class Reflector {
 public:
  enum class State { kStopped, kListing, kChecking, kWatching, kBackingOff };

  Reflector(Client& client, base::Loop& loop, ReflectorSink& sink, ReflectorOptions options,
            base::Random random);

  // Once. Destroying the reflector stops it.
  void Start();
  State state() const { return state_; }
  // How often a watch was begun after the first.
  size_t restarts() const { return watches_ == 0 ? 0 : watches_ - 1; }
  // For how long lists and watches have failed, or been without an answer for 30 s; 0: they do not.
  base::Duration FailingFor() const;
  // Once that is 30 s: a sentence. Empty: what the sink has been given is what there is.
  std::string Failure() const;

 private:
  static constexpr int kMostOnAPage = 500;

  void Begin(State state);
  void StartList();
  void RequestPage(const std::string& continue_token);
  void OnPage(base::Result<JsonView> page);
  void OnPageTooLong(base::Error error);
  void OnPageFits();
  void CheckVersion();
  void OnVersionChecked(const base::Result<JsonView>& page);
  void NoteVersion(const std::string& version);
  void StartWatch();
  void OnWatchData(std::string_view bytes);
  base::Status OnWatchEvent(const WatchEvent& event);
  void OnWatchEnd(base::Status status);
  void OnRetry();
  void BackOff(const base::Error& error);
  bool FallsBackToLabel(const base::Error& error);
  bool IsMeant(JsonView object) const { return !options_.only || options_.only(object); }
  // Either's.
  template <class Options>
  void Select(Options& options) const;
  base::Duration RetryDelay(const base::Error& error);
  void LogFailure(const base::Error& error, base::Duration delay);

  Client& client_;
  base::Loop& loop_;
  ReflectorSink& sink_;
  const ReflectorOptions options_;
  const base::Random random_;
  const base::TimerPtr retry_timer_;
  State state_ = State::kStopped;
  std::string resource_version_;  // to watch from; empty: list first
  std::string newest_version_;    // that was ever seen, of this history
  base::TimePoint heard_;         // when the watch last brought something, or a list its end
  std::optional<base::TimePoint> out_since_;  // since when no watch is open
  base::TimePoint asked_;                     // when the request under way was sent
  std::string failure_;                       // the last one since out_since_; empty: none
  int page_size_ = kMostOnAPage;
  int pages_that_fit_ = 0;      // since page_size_ changed
  std::string continue_token_;  // of the page under way
  std::string last_listed_;     // the key of the last object before it; empty: it is the first
  bool is_one_page_ = false;    // what the last list found
  int failures_ = 0;            // since the last two minutes of health
  base::TimePoint last_failure_;
  bool expired_ = false;  // the last failure was kExpired
  bool not_installed_logged_ = false;
  bool by_label_ = false;  // the field selector was refused
  WatchDecoder decoder_;
  base::TimePoint watch_started_;
  size_t watches_ = 0;  // begun
  bool watch_had_events_ = false;
  CallPtr call_;  // the page or the watch under way
};

std::string_view ToString(Reflector::State state);

}  // namespace vdcu::kclient
