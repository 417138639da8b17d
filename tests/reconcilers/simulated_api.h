// The API as data, for the simulation of the whole controller: objects with UIDs, versions and
// finalizers, writes with their preconditions, watches. It knows what the controller writes, no
// more; what a real API server refuses is tested on a real one (tests/integration).
//
// Each request takes some time to arrive and some to be answered. With faults on, some are refused,
// some are lost on the way there, some on the way back, and watches break or expire. A request that
// was sent arrives also when its sender is gone: then it is a stray.
// It keeps what its lists and watches have shown the controller, so that a test can judge each
// write by what its sender knew. Promises: the same seed gives the same run; a kind's watches show
// its changes in order, some time after they happened.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/loop.h"
#include "kclient/transport.h"

namespace vdcu::reconcilers {

class SimulatedApi : public kclient::Transport {
 public:
  using Json = nlohmann::json;

  SimulatedApi(base::Loop& loop, uint64_t seed) : loop_(loop), random_(seed) {}

  // A write of the controller's; events are none.
  struct Write {
    std::string method;
    std::string kind;  // the plural
    std::string key;   // "namespace/name"
    std::string subresource;
    Json body;
    bool stray = false;  // its sender is gone
    int64_t stored = 0;  // a create's version, as it was answered
  };

  void SetFaults(double chance) { faults_ = chance; }
  // Grows with each change.
  int64_t version() const { return version_; }
  const base::Clock& clock() const { return loop_.clock(); }

  // What others than the controller do: at once, and it never fails. `kind` is the plural, `key`
  // "namespace/name".
  const std::map<std::string, Json>& All(const std::string& kind) { return kinds_[kind].objects; }
  const Json* Find(const std::string& kind, const std::string& key);
  void Create(const std::string& kind, Json object);
  void Change(const std::string& kind, const std::string& key,
              const std::function<void(Json&)>& change);
  void Delete(const std::string& kind, const std::string& key);
  // Are asked when the controller sends a write that is no repeat of one of unknown end, and after
  // a write has been stored. What they return is a fault of the controller.
  std::function<std::string(const Write&)> on_sent;
  std::function<std::string(const Write&)> on_stored;
  // Whether a rule (a quota, a policy) refuses it, faults or none. Null: there is none.
  std::function<bool(const Write&)> refuses;
  const std::vector<std::string>& faults_found() const { return faults_found_; }

  // What this process of the controller has been shown.
  const std::map<std::string, Json>& Shown(const std::string& kind) { return kinds_[kind].shown; }
  // Its writes that may have been done, until they are shown.
  const std::map<std::string, Write>& unshown() const { return unshown_; }
  // Another process starts.
  void ForgetShown();

  [[nodiscard]] kclient::CallPtr Send(kclient::HttpRequest request,
                                      kclient::ResponseCallback on_done) override;
  [[nodiscard]] kclient::CallPtr Stream(kclient::HttpRequest request, kclient::DataCallback on_data,
                                        kclient::ResponseCallback on_end) override;

 private:
  struct Kind {
    std::map<std::string, Json> objects;
    std::vector<std::pair<int64_t, std::string>> log;  // version, line of a watch
    std::map<std::string, Json> shown;
    int64_t listed = 0;  // version of the last list
  };
  struct Pending {
    kclient::HttpRequest request;
    kclient::ResponseCallback on_done;  // null: the sender is gone
    std::optional<Write> write;
    std::string identity;  // the same for a write and its repeats
    bool repeats = false;  // one of unknown end
    base::TimerPtr timer;
    base::Result<kclient::HttpResponse> answer = kclient::HttpResponse();
  };
  struct Watch {
    std::string kind;
    size_t next = 0;  // of the kind's log
    kclient::DataCallback on_data;
    kclient::ResponseCallback on_end;
    base::TimerPtr timer;
  };
  struct Target {
    std::string kind;
    std::string key;
    std::string subresource;
  };
  class Call;

  double Draw() { return std::uniform_real_distribution<double>(0, 1)(random_); }
  base::Duration Delay() { return base::Duration(1 + static_cast<int>(Draw() * 40)); }
  void OnArrival(uint64_t id);
  void OnAnswer(uint64_t id);
  void NoteSent(Pending& pending);
  void NoteStored(const Pending& pending, const kclient::HttpResponse& answer);
  void NoteAnswer(const Pending& pending);
  void ShowList(const std::string& kind, const Json& list);
  void ForgetUnlisted(const std::string& kind);
  void NoteRefused(const Write& write, int status);
  std::string WhyTooSoon(const Write& write) const;
  void Show(const std::string& kind, const Json& event);
  void OnWatchTimer(uint64_t id);
  void EndWatch(uint64_t id, bool expired);

  static Target Parse(const std::string& path);
  kclient::HttpResponse Handle(const kclient::HttpRequest& request);
  kclient::HttpResponse List(const std::string& kind);
  kclient::HttpResponse HandleCreate(const Target& target, const Json& body);
  kclient::HttpResponse HandleBind(const Target& target, const Json& body);
  kclient::HttpResponse HandlePatch(const Target& target, const Json& body);
  kclient::HttpResponse HandleDelete(const Target& target, const Json& body);
  void Store(const std::string& kind, const std::string& key, Json object, const char* type);
  void Put(const std::string& kind, const std::string& key, Json object);

  base::Loop& loop_;
  std::mt19937_64 random_;
  double faults_ = 0;
  int64_t version_ = 0;
  uint64_t next_id_ = 0;
  std::map<std::string, Kind> kinds_;
  std::map<uint64_t, Pending> pending_;
  std::map<uint64_t, Watch> watches_;
  std::map<std::string, Write> unshown_;            // by identity
  std::map<std::string, base::TimePoint> refused_;  // writes that a rule refused last, and when
  std::vector<std::string> faults_found_;
};

}  // namespace vdcu::reconcilers
