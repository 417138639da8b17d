// Answers the kubelet's device plugin calls from what this node holds: which container asks (see
// identity.h), what it gets, and whether it may start (start_check.h).
//
// Promises: a container gets only slices of its own pod (by UID), held by this daemon, with the
// right bytes on disk, on cards that are healthy; what is not certain is refused with the reason,
// also as an event on the pod (one on its owner, where that makes such pods without end), never
// guessed; where several may ask it looks again for as long as an admission has, and so long a
// slice is awaited that is about to come (slice_waits.h). Allocate answers from memory where the
// kubelet has called GetPreferredAllocation before, as it always does. PreStart lets a container
// start only while its pod runs (its sandbox is in its cgroup, by UID) and holds its slices, and
// where its devices were given for it.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/file.h"
#include "kclient/event.h"
#include "node/holdings.h"
#include "node/kubelet/plugin_server.h"
#include "node/metrics.h"
#include "node/plugin/answers.h"
#include "node/plugin/identity.h"
#include "node/plugin/pod_search.h"
#include "node/plugin/slice_waits.h"
#include "node/plugin/start_check.h"
#include "node/plugin/token_ledger.h"
#include "node/stages.h"

namespace vdcu::node {

class Admission : public kubelet::PluginHandler {
 public:
  struct Sources {
    std::string node;     // its name
    std::string dtk_dir;  // of the host
    PodSearch::Sources search;
    const base::Root& host;
    Holdings& holdings;
    TokenLedger& tokens;  // learns from each list of the kubelet's
    Metrics& metrics;
    Stages& stages;
    std::function<bool(const std::string& pod_uid)> has_processes;
    std::function<void(kclient::Event)> tell;
  };

  explicit Admission(Sources sources);

  void Choose(const std::string& resource, kubelet::Choice choice,
              Done<std::vector<std::string>> done) override;
  void Allocate(const std::string& resource, std::vector<std::string> ids,
                Done<kubelet::ContainerEdits> done) override;
  void PreStart(const std::string& resource, std::vector<std::string> ids,
                Done<void> done) override;

  // The kubelet has ended, or may have: the next one asks anew for what this one has had.
  void ForgetAnswers() { answers_.Forget(); }

  // What is held, or what the API shows of a pod, has changed.
  void Look() { waits_.Look(); }

  // Whether an admission is between its two calls, or a call is open.
  bool busy() const;
  // Runs `done` when it is not busy, or after `most`.
  void Drain(base::Duration most, std::function<void()> done);

 private:
  // Whom the next Allocate is for, as found while its ids were chosen.
  struct Chosen {
    Asker asker;
    std::set<std::string> ids;
    base::TimePoint at;
  };

  void FindAsker(const std::string& resource, const Done<Asker>& done);
  // Each list is learnt from; a failure is the refusal of a container.
  void Search(base::Duration timeout, PodSearch::Decide decide,
              std::function<void(const base::Error&)> fail);

  base::Result<kubelet::ContainerEdits> Grant(const std::string& resource, const Asker& asker,
                                              const std::vector<std::string>& ids);
  // All `count` slices of the container, their files repaired; or why it does not get them.
  [[nodiscard]] tl::expected<std::vector<Slice>, Refusal> TakeSlices(const Asker& asker,
                                                                     size_t count);
  StartCheck CheckStart(const std::string& resource, const std::set<std::string>& ids,
                        const PodSearch& search);
  // Refuses a holder whose files cannot be repaired.
  void RepairHolders(const PodSearch& search, StartCheck& check);
  base::Error Refuse(const Refusal& refusal, const std::vector<Asker>& askers);
  void CheckDrained();

  const Sources sources_;
  const base::Clock& clock_;
  Answers answers_;
  std::map<std::string, Chosen> chosen_;  // by resource, until its Allocate
  PodSearches searches_;
  SliceWaits waits_;
  uint64_t choices_ = 0;  // that were asked for
  base::TimerPtr drain_timer_;
  std::function<void()> on_drained_;
};

}  // namespace vdcu::node
