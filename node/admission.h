// Answers the kubelet's device plugin calls from what this node holds: which container asks (see
// identity.h), what it gets, and whether it may start.
//
// Promises: a container gets only slices of its own pod (by UID), held by this daemon, with the
// right bytes on disk, on cards that are healthy; what is not certain is refused with the reason,
// also as an event on the pod (one on its owner, where that makes such pods without end), never
// guessed; where several may ask it looks again for as long as
// an admission has. Allocate answers from memory where the kubelet has called
// GetPreferredAllocation before, as it always does. PreStart lets a container start only while its
// pod runs (its sandbox is in its cgroup, by UID) and holds its slices, and where its devices were
// given for it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/loop.h"
#include "kclient/api.h"
#include "kclient/event.h"
#include "kclient/store.h"
#include "node/answers.h"
#include "node/holdings.h"
#include "node/identity.h"
#include "node/kubelet/plugin_server.h"
#include "node/metrics.h"
#include "node/node_pod.h"
#include "node/pod_search.h"

namespace vdcu::node {

class Admission : public kubelet::PluginHandler {
 public:
  struct Sources {
    std::string node;     // its name
    std::string dtk_dir;  // of the host
    base::Loop& loop;
    kclient::Client& client;
    kubelet::PodResources& pod_resources;
    const base::Root& host;
    const kclient::Store<NodePod>& pods;  // of this node
    Metrics& metrics;
    std::function<bool(const std::string& pod_uid)> has_processes;
    std::function<void(kclient::Event)> tell;
    std::function<void()> on_tokens;  // TokensInUse has changed
    std::function<void(const std::string& pod_uid)> on_allocated;
    std::function<void(const std::string& pod_uid)> on_started;  // PreStart let it go on
    std::function<void(const std::string& pod_uid)> on_lost;     // DeviceLost() is other
    std::set<std::string> resources;                             // that are registered
  };

  Admission(Sources sources, Holdings& holdings);

  void Choose(const std::string& resource, kubelet::Choice choice,
              Done<std::vector<std::string>> done) override;
  void Allocate(const std::string& resource, std::vector<std::string> ids,
                Done<kubelet::ContainerEdits> done) override;
  void PreStart(const std::string& resource, std::vector<std::string> ids,
                Done<void> done) override;

  // Asks the kubelet which ids its containers have; on_tokens and on_lost follow where that is
  // news. What it does not answer stays as it is known.
  void LearnTokens();
  // Again where the kubelet did not list all: it had just started.
  void LearnRest() {
    if (unsure_) LearnTokens();
  }
  // The kubelet has no device for a container that holds a slice: it cannot be started again.
  bool DeviceLost(const crds::PodRef& container) const { return lost_.contains(container); }
  // The kubelet has ended, or may have: the next one asks anew for what this one has had.
  void ForgetAnswers() { answers_.Forget(); }
  // Ids that containers have, as far as is known.
  std::set<std::string> TokensInUse(const std::string& resource) const;

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

  struct StartCheck {
    std::set<std::string> unknown = {};             // keys of pods to read first
    std::optional<Refusal> refusal = std::nullopt;  // of the first of the holders
    std::vector<Asker> holders = {};                // of the ids
  };

  using Searches = std::map<uint64_t, std::unique_ptr<PodSearch>>;

  void FindAsker(const std::string& resource, const Done<Asker>& done);
  void Search(Searches& searches, base::Duration timeout, PodSearch::Decide decide,
              std::function<void(const base::Error&)> fail);
  // A failure as the refusal of a container.
  std::function<void(const base::Error&)> Unavailable(std::function<void(const base::Error&)> done);
  void Learn(const kubelet::Listing& listing);
  PodSearch::Next LookForLost(const PodSearch& search);

  base::Result<kubelet::ContainerEdits> Grant(const std::string& resource, const Asker& asker,
                                              const std::vector<std::string>& ids);
  std::vector<Slice> SlicesOf(const Asker& asker) const;
  // All `count` slices of the container, their files mended; or why it does not get them.
  tl::expected<std::vector<Slice>, Refusal> TakeSlices(const Asker& asker, size_t count);
  StartCheck CheckStart(const std::string& resource, const std::set<std::string>& ids,
                        const PodSearch& search);
  // Refuses where one of the ids was given for a container that is none of the holders.
  void CheckGiven(const std::string& resource, const std::set<std::string>& ids,
                  const PodSearch& search, StartCheck& check) const;
  std::optional<Refusal> CheckHolder(const Asker& holder);
  base::Error Refuse(const Refusal& refusal, const std::vector<Asker>& askers);
  void TellOwner(const Asker& asker, const Refusal& refusal);
  void TellPod(const Asker& asker, kclient::EventType type, const std::string& reason,
               const std::string& note);
  void CheckDrained();

  const Sources sources_;
  Holdings& holdings_;
  Answers answers_;
  std::map<std::string, Chosen> chosen_;                 // by resource, until its Allocate
  std::map<std::string, std::set<std::string>> in_use_;  // by resource
  std::set<crds::PodRef> lost_;                          // containers whose device is lost
  bool unsure_ = false;
  Searches searches_;  // of admissions
  Searches learning_;
  uint64_t search_count_ = 0;
  uint64_t choices_ = 0;  // that were asked for
  base::TimerPtr drain_timer_;
  std::function<void()> on_drained_;
};

}  // namespace vdcu::node
