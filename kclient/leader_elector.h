// One leader among the processes that share a Lease (coordination.k8s.io/v1), by client-go's rules
// (tools/leaderelection), but for how long a follower waits.
//
// Promises:
//  - It decides by locally observed time only: another's lease is taken when its record has not
//    changed for the duration that is written in it, whatever clock wrote it.
//  - A lease that is given up is taken within a retry period; one whose leader died, no later than
//    its duration and a retry period after the last renewal.
//  - Each write carries the Lease's observed resourceVersion: of two that try, one leads.
//  - MayWrite: no write starts later than the renew deadline less the request's timeout after the
//    start of the last successful renewal, so that a leader that froze and thaws writes nothing.
//  - A leader that could not renew within the renew deadline stops leading, for good.
//  - Release gives the Lease up so that another may take it at once.
// A Lease does not fence: writes need preconditions of their own.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/loop.h"
#include "base/random.h"
#include "base/result.h"
#include "kclient/api.h"
#include "kclient/lease.h"

namespace vdcu::kclient {

struct LeaderElectionConfig {
  std::string ns;
  std::string name;
  std::string identity;                   // of this process alone: its host and a random part
  base::Duration lease_duration{15'000};  // whole seconds; how long a silent leader is waited for
  base::Duration renew_deadline{10'000};  // how long a leader tries to renew before it stops
  base::Duration retry_period{2'000};     // between two tries
};

class LeaderElector {
 public:
  struct Callbacks {
    std::function<void()> on_started_leading;
    // The lease is lost: the process should end now, another may lead.
    std::function<void(const std::string& reason)> on_stopped_leading;
    // Each leader as it is observed, this process included; for logs, it may not call back here.
    // May be empty.
    std::function<void(const std::string& identity)> on_new_leader;
    // Why the Lease cannot be read or written, at once and each time that it is another reason;
    // empty: it can again. May be empty, may not call back here.
    std::function<void(const std::string& error)> on_trouble = nullptr;
  };

  // Errors: kInvalid, naming the field, its value and what would be right.
  static base::Result<std::unique_ptr<LeaderElector>> Create(base::Loop& loop, Client& client,
                                                             LeaderElectionConfig config,
                                                             Callbacks callbacks,
                                                             base::Random random);
  ~LeaderElector();
  LeaderElector(const LeaderElector&) = delete;
  LeaderElector& operator=(const LeaderElector&) = delete;

  // Begins to try; once.
  void Start();

  // Since when the Lease cannot be read or written, and why.
  struct Trouble {
    base::TimePoint since;
    std::string error;
  };
  const std::optional<Trouble>& trouble() const { return trouble_; }

  bool leading() const { return state_ == State::kLeading; }
  // Whether a write that takes `request_timeout` at most may start at `now`.
  bool MayWrite(base::TimePoint now, base::Duration request_timeout) const;

  // Stops trying and, if leading, gives the lease up; MayWrite is false from here on. `callback`
  // runs once that is done, with the error where the lease could not be given up and so runs out by
  // itself. The caller's own writes should be over by then: another may lead at once.
  // on_stopped_leading is not called.
  void Release(std::function<void(base::Status)> callback);

 private:
  enum class State { kIdle, kFollowing, kLeading, kReleasing, kStopped };

  LeaderElector(base::Loop& loop, Client& client, LeaderElectionConfig config, Callbacks callbacks,
                base::Random random);

  // A round: a try to get or to keep the lease, of one to three requests.
  void StartRound();
  void EndRound(base::Error error);
  void NoteTrouble(const std::string& error);
  base::Duration FollowerWait() const;
  void OnTimer();
  void GetLease();
  void OnLease(base::Result<Lease> lease);
  void WriteLease(const LeaseSpec& spec);
  void OnWritten(base::Result<Lease> lease);
  void OnHeld();
  void ContinueRelease();

  void Observe(Lease lease);
  void StopLeading(const std::string& reason);
  void FinishRelease(base::Status status);
  bool HeldByUs() const;
  bool HeldByAnother() const;
  LeaseSpec OurSpec() const;
  LeaseSpec ReleasedSpec() const;

  base::Loop& loop_;
  Client& client_;
  const LeaderElectionConfig config_;
  const Callbacks callbacks_;
  const base::Random random_;

  State state_ = State::kIdle;
  std::optional<Lease> observed_;  // as last read or written
  base::TimePoint observed_at_{};  // when its spec last changed, by our clock
  bool fresh_ = false;             // observed_ was read in this round
  base::TimePoint sent_at_{};      // start of the last write
  base::TimePoint renewed_at_{};   // start of the last write that made or kept us the holder
  std::string last_error_;         // since renewed_at_
  std::optional<Trouble> trouble_;
  std::function<void(base::Status)> on_released_;  // set while kReleasing
  CallPtr call_;                                   // the request in flight
  base::TimerPtr timer_;     // between rounds: the next one; within: its time-out
  base::TimerPtr deadline_;  // while leading: the renew deadline
};

}  // namespace vdcu::kclient
