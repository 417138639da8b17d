#include "controller/extender/extender.h"

#include <algorithm>
#include <utility>

#include "reconcilers/asked.h"
#include "reconcilers/offer.h"

namespace vdcu::controller {

namespace {

// Volcano opens a session each second, and asks for all that it still wants again.
constexpr base::Duration kSession{10'000};

std::string NotShown(const PodIdentity& pod) {
  return "pod " + pod.key + " of UID " + pod.uid + " is not known to vdcu-controller (yet)";
}

}  // namespace

Extender::Extender(Parts parts) : parts_(std::move(parts)), calls_(parts_.loop) {}

void Extender::Filter(const std::string& body, const base::HttpResponder& responder) {
  Serve({"filter", responder}, ReadFilterCall(body), &Extender::TryFilter);
}

void Extender::Preempt(const std::string& body, const base::HttpResponder& responder) {
  Serve({"preempt", responder}, ReadPreemptCall(body), &Extender::TryPreempt);
}

void Extender::Bind(const std::string& body, const base::HttpResponder& responder) {
  Serve({"bind", responder}, ReadBindCall(body), &Extender::TryAsk);
}

void Extender::Predicate(const std::string& body, const base::HttpResponder& responder) {
  Serve({"predicate", responder}, ReadPredicateCall(body), &Extender::TryPredicate);
}

void Extender::Allocate(const std::string& body, const base::HttpResponder& responder) {
  Serve({"allocate", responder}, ReadTaskCall(body), &Extender::TryAllocate);
}

void Extender::Deallocate(const std::string& body, const base::HttpResponder& responder) {
  Serve({"deallocate", responder}, ReadTaskCall(body), &Extender::Release);
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
  calls_.Try(kUntilShown, [this, caller, call = std::move(*call), try_answer](bool late) {
    return (this->*try_answer)(call, late, caller);
  });
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
  calls_.Try(view().settings().commit_timeout,
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

bool Extender::TryPredicate(const PredicateCall& call, bool late, const Caller& caller) {
  if (!call.asks) {
    Answer(caller, "passed", PredicateAnswer("", Unfit::kNotJudged));
    return true;
  }
  const auto entry = view().FindPodByUid(call.pod.uid);
  if (entry == nullptr) {
    if (late) Answer(caller, "unknown", PredicateAnswer(NotShown(call.pod), Unfit::kNotJudged));
    return late;
  }
  auto verdict = reconcilers::JudgeNode(view(), *entry, call.node, call.beside, Now());
  for (auto& [uid, cards] : verdict.plans) {
    parts_.cluster.NotePlan(uid, call.node, std::move(cards), Now() + kSession);
  }
  Answer(caller, verdict.why.empty() ? "offered" : "refused",
         PredicateAnswer(verdict.why, verdict.for_good ? Unfit::kForGood : Unfit::kForNow));
  return true;
}

// For one that is pipelined nothing need be free yet: an error would have Volcano call off the
// evictions that are to make room for it.
bool Extender::TryAllocate(const TaskCall& call, bool late, const Caller& caller) {
  if (!call.asks) {
    Answer(caller, "passed", TaskAnswer(""));
    return true;
  }
  if (view().FindPodByUid(call.pod.uid) == nullptr) {
    if (late) Answer(caller, "unknown", TaskAnswer(NotShown(call.pod)));
    return late;
  }
  parts_.cluster.DropHold(call.pod.uid);
  const auto entry = view().FindPodByUid(call.pod.uid);
  const auto offer = reconcilers::OfferNode(view(), *entry, {call.node}, Now());
  if (!offer.held.empty()) {
    parts_.cluster.Keep({entry->pod->meta.key(), call.pod.uid, offer.held}, kSession, Now());
  }
  const bool refused = offer.nodes.empty() && !call.pipelined;
  Answer(caller, refused ? "refused" : "offered",
         TaskAnswer(refused ? "node " + call.node + ": " + offer.refused.at(call.node) : ""));
  parts_.on_change();
  return true;
}

// Of a pod that is bound nothing is held. One that has come elsewhere since stays there.
bool Extender::Release(const TaskCall& call, bool /*late*/, const Caller& caller) {
  const reconcilers::Hold* hold = view().FindHold(call.pod.uid);
  if (hold != nullptr && hold->node() == call.node) parts_.cluster.DropHold(call.pod.uid);
  Answer(caller, "released", TaskAnswer(""));
  parts_.on_change();
  return true;
}

void Extender::Answer(const Caller& caller, const char* result, std::string body) {
  parts_.metrics.CountExtenderCall(caller.verb, result);
  caller.responder.Answer({.body = std::move(body), .content_type = "application/json"});
}

}  // namespace vdcu::controller
