// The API as data, for the simulation of the whole system: a store, writes with their
// preconditions, lists and watches. It knows what the controller and the
// daemons write, no more; what a real API server refuses is tested on a real one
// (tests/integration).
//
// Each request takes some time to arrive and some to be answered. With faults on, some are refused,
// some are lost on the way there, some on the way back, and watches break or expire. A request that
// was sent arrives also when its sender is gone: then it is a stray. Nothing gets through to or
// from a process that is cut off.
// It keeps what its lists and watches have shown each process, so that a test can judge each write
// by what its sender knew. Promises: the same seed gives the same run; a kind's watches show
// its changes in order, some time after they happened.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/loop.h"
#include "kclient/transport.h"
#include "tests/simulation/simulated_store.h"

namespace vdcu::simulation {

class SimulatedApi : public SimulatedStore {
 public:
  static constexpr char kController[] = "controller";

  SimulatedApi(base::Loop& loop, uint64_t seed)
      : SimulatedStore(loop.clock()), loop_(loop), random_(seed) {}

  // Of the controller's or a daemon's; events are none.
  struct Write {
    std::string sender;
    std::string method;
    std::string kind;  // the plural
    std::string key;   // "namespace/name"
    std::string subresource;
    Json body;
    bool stray = false;  // its sender is gone
    int64_t stored = 0;  // a create's version, as it was answered
  };

  void SetFaults(double chance) { faults_ = chance; }
  // How many evictions a PodDisruptionBudget refuses.
  void SetBudgets(double chance) { budgets_ = chance; }

  // A process begins anew: kController, or the daemon of the node of that name.
  std::unique_ptr<kclient::Transport> Connect(const std::string& sender);
  void SetCutOff(const std::string& sender, bool cut_off);

  // Are asked when a process sends a write (the controller one that is no repeat of one of unknown
  // end), and after a write has been stored. What they return is a fault of the sender.
  std::function<std::string(const Write&)> on_sent;
  std::function<std::string(const Write&)> on_stored;
  // Whether a rule (a quota, a policy) refuses it, faults or none. Null: there is none.
  std::function<bool(const Write&)> refuses;
  const std::vector<std::string>& faults_found() const { return faults_found_; }

  // What its present process has been shown.
  const std::map<std::string, Json>& Shown(const std::string& kind,
                                           const std::string& sender = kController) {
    return shown_[sender][kind];
  }
  // The controller's writes that may have been done, until they are shown.
  const std::map<std::string, Write>& unshown() const { return unshown_; }

 private:
  struct Pending {
    std::string sender;
    kclient::HttpRequest request;
    kclient::ResponseCallback on_done;  // null: the sender is gone
    std::optional<Write> write;
    std::string identity;  // the same for a write and its repeats
    bool repeats = false;  // one of unknown end
    base::TimerPtr timer;
    base::Result<kclient::HttpResponse> answer = kclient::HttpResponse();
  };
  struct Watch {
    std::string sender;
    std::string kind;
    std::string selected;  // empty: all
    size_t next = 0;       // of the kind's log
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
  class Connection;

  kclient::CallPtr Send(const std::string& sender, kclient::HttpRequest request,
                        kclient::ResponseCallback on_done);
  kclient::CallPtr Stream(const std::string& sender, const kclient::HttpRequest& request,
                          kclient::DataCallback on_data, kclient::ResponseCallback on_end);
  double Draw() { return std::uniform_real_distribution<double>(0, 1)(random_); }
  base::Duration Delay() { return base::Duration(1 + static_cast<int>(Draw() * 40)); }
  void OnArrival(uint64_t id);
  void OnAnswer(uint64_t id);
  void Forget(const std::string& sender);
  void NoteSent(Pending& pending);
  void NoteStored(const Pending& pending, const kclient::HttpResponse& answer);
  void NoteAnswer(const Pending& pending);
  void ShowList(const std::string& sender, const std::string& kind, const Json& list);
  void ForgetUnlisted(const std::string& kind);
  void NoteRefused(const Write& write, int status);
  std::string WhyTooSoon(const Write& write);
  void Show(const std::string& sender, const std::string& kind, const Json& event);
  void ForgetShown(const std::string& kind, const Json& object, const std::string& key, bool gone);
  void OnStored(const std::string& kind) override;
  void OnWatchTimer(uint64_t id);
  void EndWatch(uint64_t id, bool expired);
  bool IsCutOff(const std::string& sender) const { return cut_off_.contains(sender); }

  static Target Parse(const std::string& path);
  kclient::HttpResponse Handle(const kclient::HttpRequest& request);
  kclient::HttpResponse Get(const Target& target, const std::string& selected);
  kclient::HttpResponse HandleCreate(const Target& target, const Json& body);
  kclient::HttpResponse HandleBind(const Target& target, const Json& body);
  kclient::HttpResponse HandleEvict(const Target& target, const Json& body);
  kclient::HttpResponse HandlePatch(const Target& target, const Json& body);
  kclient::HttpResponse HandleDelete(const Target& target, const Json& body);

  base::Loop& loop_;
  std::mt19937_64 random_;
  double faults_ = 0;
  double budgets_ = 0;
  std::set<std::string> cut_off_;  // senders
  uint64_t next_id_ = 0;
  std::map<std::string, int64_t> listed_;  // by kind: version of the controller's last list
  std::map<std::string, std::map<std::string, std::map<std::string, Json>>> shown_;  // by sender
  std::map<uint64_t, Pending> pending_;
  std::map<uint64_t, Watch> watches_;
  std::map<std::string, Write> unshown_;            // by identity
  std::map<std::string, base::TimePoint> refused_;  // writes that a rule refused last, and when
  std::vector<std::string> faults_found_;
};

}  // namespace vdcu::simulation
