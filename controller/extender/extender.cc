#include "controller/extender/extender.h"

#include <algorithm>
#include <utility>

#include "reconcilers/asked.h"
#include "reconcilers/offer.h"

namespace vdcu::controller {

namespace {

// Its scheduler may be shown a pod before us.
constexpr base::Duration kUntilShown{1'000};

std::string NotShown(const PodIdentity& pod) {
  return "pod " + pod.key + " of UID " + pod.uid + " is not known to vdcu-controller (yet)";
}

}  // namespace

Extender::Extender(Parts parts)
    : parts_(std::move(parts)), timer_(parts_.loop.MakeTimer([this] { Look(); })) {}

void Extender::Filter(const std::string& body, const base::HttpResponder& responder) {
  Serve({"filter", responder}, ReadFilterCall(body), &Extender::TryFilter);
}

void Extender::Preempt(const std::string& body, const base::HttpResponder& responder) {
  Serve({"preempt", responder}, ReadPreemptCall(body), &Extender::TryPreempt);
}

void Extender::Bind(const std::string& body, const base::HttpResponder& responder) {
  Serve({"bind", responder}, ReadBindCall(body), &Extender::TryAsk);
}

template <class Call, class Try>
void Extender::Serve(const Caller& caller, base::Result<Call> call, Try try_answer) {
  if (!started_) {
    return caller.responder.Answer({.status = 503, .body = "objects are being listed\n"});
  }
  if (!call) {
    parts_.metrics.CountExtenderCall(caller.verb, "malformed");
    return caller.responder.Answer({.status = 400, .body = call.error().message + "\n"});
  }
  TryFor(kUntilShown, [this, caller, call = std::move(*call), try_answer](bool late) {
    return (this->*try_answer)(call, late, caller);
  });
}

void Extender::TryFor(base::Duration most, const Step& step) {
  if (step(false)) return;
  waiting_.push_back({Now() + most, step});
  Arm();
}

void Extender::Look() {
  const base::TimePoint now = Now();
  // A step may add one, at the end.
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    it = it->step(now >= it->until) ? waiting_.erase(it) : std::next(it);
  }
  Arm();
}

void Extender::Arm() {
  if (waiting_.empty()) return timer_->Stop();
  const auto first =
      std::min_element(waiting_.begin(), waiting_.end(),
                       [](const Waiting& a, const Waiting& b) { return a.until < b.until; });
  timer_->Start(std::max(first->until - Now(), base::Duration(0)));
}

// A newer offer takes the place of the one before. Where the pod was told to ask again because of a
// node that its scheduler now leaves out, it is not told so again for a while.
void Extender::DropHold(const FilterCall& call) {
  const reconcilers::Hold* hold = view().FindHold(call.pod.uid);
  if (hold == nullptr) return;
  const bool left_out =
      hold->nudge != reconcilers::Hold::Nudge::kNone &&
      std::find(call.nodes.begin(), call.nodes.end(), hold->node()) == call.nodes.end();
  const reconcilers::PodRefused refused{hold->pod, hold->node()};
  parts_.cluster.DropHold(call.pod.uid);
  if (left_out) parts_.cluster.Take(refused, Now());
}

bool Extender::TryFilter(const FilterCall& call, bool late, const Caller& caller) {
  if (view().FindPodByUid(call.pod.uid) == nullptr) {
    if (late) Answer(caller, "unknown", FilterError(NotShown(call.pod)));
    return late;
  }
  DropHold(call);
  const auto entry = view().FindPodByUid(call.pod.uid);
  const std::string key = entry->pod->meta.key();
  const reconcilers::Offer offer = reconcilers::OfferNode(view(), *entry, call.nodes, Now());
  if (!offer.held.empty()) {
    parts_.cluster.Take(reconcilers::SliceHeld{key, call.pod.uid, offer.held}, Now());
  } else if (offer.nodes.empty()) {
    parts_.cluster.Take(reconcilers::SliceSought{key}, Now());
  }
  Answer(caller, offer.nodes.empty() ? "refused" : "offered", FilterAnswer(offer));
  parts_.on_change();
  return true;
}

bool Extender::TryPreempt(const PreemptCall& call, bool late, const Caller& caller) {
  const auto entry = view().FindPodByUid(call.pod.uid);
  if (entry == nullptr) {
    if (late) Answer(caller, "unknown", PreemptAnswer(call, {}));
    return late;
  }
  const auto nodes = reconcilers::NodesWithRoomAfter(view(), *entry, call.victims, Now());
  Answer(caller, nodes.empty() ? "refused" : "offered", PreemptAnswer(call, nodes));
  return true;
}

bool Extender::TryAsk(const BindCall& call, bool late, const Caller& caller) {
  const auto entry = view().FindPodByUid(call.pod.uid);
  if (entry == nullptr) {
    if (late) Answer(caller, "unknown", BindAnswer(NotShown(call.pod)));
    return late;
  }
  parts_.cluster.Ask(*entry->pod, call.node, Now());
  TryFor(view().settings().commit_timeout,
         [this, call, caller](bool /*late*/) { return TryBind(call, caller); });
  parts_.on_change();
  return true;
}

bool Extender::TryBind(const BindCall& call, const Caller& caller) {
  const auto end = reconcilers::WhatBecameOf(view(), call.pod.uid, call.node, Now());
  if (!end) return false;
  Answer(caller, *end ? "bound" : "failed", BindAnswer(*end ? "" : end->error().message));
  return true;
}

void Extender::Answer(const Caller& caller, const char* result, std::string body) {
  parts_.metrics.CountExtenderCall(caller.verb, result);
  caller.responder.Answer({.body = std::move(body), .content_type = "application/json"});
}

}  // namespace vdcu::controller
