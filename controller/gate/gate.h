// Holds the binding of a pod, which another scheduler has sent to the API server, until the pod's
// slices are prepared on that node; or denies it, with the reason. Part of who leads; one for each
// LeaderState.
//
// Promises: a pod that asks for no card is let through at once, one that no watch has shown after a
// second: it is given slices on its node then (reconcilers/adoption.h); asking again is asking
// once; a dry run writes nothing.
// Errors: those of the caller are 400, all else is said in the review.
#pragma once

#include <functional>
#include <string>

#include "base/http/route.h"
#include "base/loop.h"
#include "controller/gate/binding_review.h"
#include "controller/metrics.h"
#include "controller/open_calls.h"
#include "reconcilers/view/cluster.h"

namespace vdcu::controller {

class Gate {
 public:
  // `on_change`: the cluster has changed.
  struct Parts {
    base::Loop& loop;
    reconcilers::Cluster& cluster;
    Metrics& metrics;
    std::function<void()> on_change;
  };

  explicit Gate(Parts parts) : parts_(std::move(parts)), calls_(parts_.loop) {}
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  // All kinds are listed: until then nothing is answered but 503, by which the API server does what
  // its configuration says.
  void Start() { started_ = true; }
  void Judge(const std::string& body, const base::HttpResponder& responder);
  // What waits may be answered now.
  void Look() { calls_.Look(); }

 private:
  struct Caller {
    std::string review;  // its UID
    base::HttpResponder responder;
  };

  bool TryJudge(const BindingReview& binding, bool late, const Caller& caller);
  void Try(const BindingReview& binding, const reconcilers::PodEntry& entry, const Caller& caller);
  bool TryEnd(const BindingReview& binding, const Caller& caller);
  void Let(const Caller& caller, const char* result);
  void Deny(const Caller& caller, const std::string& why);
  const reconcilers::View& view() const { return parts_.cluster.view(); }
  base::TimePoint Now() const { return parts_.loop.clock().Now(); }

  const Parts parts_;
  bool started_ = false;
  OpenCalls calls_;
};

// POST /bindings. `leading`: null while another process leads, which is answered by 503.
base::HttpRoute GateRoute(std::function<Gate*()> leading);

}  // namespace vdcu::controller
