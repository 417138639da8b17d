// Answers other schedulers. kube-scheduler: where a pod may go (filter), whether evictions would
// help (preempt), and that a pod is bound (bind). Volcano: whether a pod fits on a node
// (predicate), and that its books have the pod there (allocate), or not any more (deallocate). Part
// of who leads; one for each LeaderState.
//
// Promises: what filter offers and allocate grants is held for the pod (reconcilers/view/holds.h),
// what predicate found is planned (view/plans.h); bind answers when the pod is bound, or will not
// be; a pod that the watch does not show yet is waited for a second.
// Errors: those of the caller are 400, all else is said in the protocol's own way.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/http/route.h"
#include "base/loop.h"
#include "controller/extender/wire.h"
#include "controller/metrics.h"
#include "controller/open_calls.h"
#include "reconcilers/view/cluster.h"

namespace vdcu::controller {

class Extender {
 public:
  // `on_change`: the cluster has changed.
  struct Parts {
    base::Loop& loop;
    reconcilers::Cluster& cluster;
    Metrics& metrics;
    std::function<void()> on_change;
  };

  explicit Extender(Parts parts);
  Extender(const Extender&) = delete;
  Extender& operator=(const Extender&) = delete;

  // All kinds are listed: until then nothing is answered but 503.
  void Start() { started_ = true; }
  void Filter(const std::string& body, const base::HttpResponder& responder);
  void Preempt(const std::string& body, const base::HttpResponder& responder);
  void Bind(const std::string& body, const base::HttpResponder& responder);
  void Predicate(const std::string& body, const base::HttpResponder& responder);
  void Allocate(const std::string& body, const base::HttpResponder& responder);
  void Deallocate(const std::string& body, const base::HttpResponder& responder);
  // What waits may be answered now.
  void Look() { calls_.Look(); }

 private:
  struct Caller {
    const char* verb;
    base::HttpResponder responder;
  };

  template <class Call, class Try>
  void Serve(const Caller& caller, base::Result<Call> call, Try try_answer);
  bool TryFilter(const FilterCall& call, bool late, const Caller& caller);
  bool TryPreempt(const PreemptCall& call, bool late, const Caller& caller);
  bool TryAsk(const BindCall& call, bool late, const Caller& caller);
  bool TryBind(const BindCall& call, const Caller& caller);
  bool TryPredicate(const PredicateCall& call, bool late, const Caller& caller);
  bool TryAllocate(const TaskCall& call, bool late, const Caller& caller);
  bool Release(const TaskCall& call, bool late, const Caller& caller);
  void DropHold(const FilterCall& call);
  void Answer(const Caller& caller, const char* result, std::string body);
  const reconcilers::View& view() const { return parts_.cluster.view(); }
  base::TimePoint Now() const { return parts_.loop.clock().Now(); }

  const Parts parts_;
  bool started_ = false;
  OpenCalls calls_;
};

}  // namespace vdcu::controller
