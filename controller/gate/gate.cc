#include "controller/gate/gate.h"

#include <optional>
#include <utility>

#include "controller/webhook/review.h"
#include "reconcilers/asked.h"
#include "reconcilers/waiting.h"

namespace vdcu::controller {

namespace {

// A review has two more lines than its object, and a Binding a few of its own.
constexpr size_t kMostReview = size_t{1} << 20;

bool AsksForNone(const reconcilers::PodEntry& entry) {
  if (!entry.request) return true;
  return entry.request->has_value() && (*entry.request)->empty();
}

}  // namespace

void Gate::Judge(const std::string& body, const base::HttpResponder& responder) {
  if (!started_) return responder.Answer({.status = 503, .body = "objects are being listed\n"});
  auto binding = ReadBindingReview(body);
  if (!binding) {
    parts_.metrics.CountReview("bind", "malformed");
    return responder.Answer({.status = 400, .body = binding.error().message + "\n"});
  }
  const Caller caller{binding->uid, responder};
  calls_.Try(kUntilShown, [this, caller, binding = std::move(*binding)](bool late) {
    return TryJudge(binding, late, caller);
  });
}

bool Gate::TryJudge(const BindingReview& binding, bool late, const Caller& caller) {
  const auto any = view().FindAnyPod(binding.pod);
  const bool shown = any && (binding.pod_uid.empty() || any->pod->meta.uid == binding.pod_uid);
  if (!shown) {
    if (late) Let(caller, "unknown");
    return late;
  }
  const auto entry = view().FindPod(binding.pod);
  if (!entry || entry->pod->bound() || AsksForNone(*entry)) {
    Let(caller, "passed");
  } else if (binding.dry_run) {
    Try(binding, *entry, caller);
  } else {
    parts_.cluster.Prepare(*entry->pod, binding.node, Now());
    calls_.Try(view().settings().gate_timeout,
               [this, binding, caller](bool /*late*/) { return TryEnd(binding, caller); });
    parts_.on_change();
  }
  return true;
}

// Whether it would get its slices, as things are.
void Gate::Try(const BindingReview& binding, const reconcilers::PodEntry& entry,
               const Caller& caller) {
  if (const auto why = reconcilers::WhyNotServed(view(), entry)) return Deny(caller, *why);
  const reconcilers::Hold* hold = view().FindHold(entry.pod->meta.uid);
  if (hold != nullptr && hold->node() == binding.node) return Let(caller, "allowed");
  const auto given = reconcilers::AllocateFor(view(), entry, {binding.node}, Now());
  if (given) return Let(caller, "allowed");
  Deny(caller, "node " + binding.node + ": " + given.error().message);
}

bool Gate::TryEnd(const BindingReview& binding, const Caller& caller) {
  const auto entry = view().FindPod(binding.pod);
  const std::string uid = entry ? entry->pod->meta.uid : binding.pod_uid;
  const auto end = reconcilers::WhatBecameOf(view(), uid, binding.node, Now());
  if (!end) return false;
  if (*end) {
    Let(caller, "allowed");
  } else {
    Deny(caller, end->error().message);
  }
  return true;
}

void Gate::Let(const Caller& caller, const char* result) {
  parts_.metrics.CountReview("bind", result);
  caller.responder.Answer({.body = Allow(caller.review), .content_type = "application/json"});
}

void Gate::Deny(const Caller& caller, const std::string& why) {
  parts_.metrics.CountReview("bind", "denied");
  const base::Error error{base::ErrorCode::kConflict, why};
  caller.responder.Answer(
      {.body = controller::Deny(caller.review, error), .content_type = "application/json"});
}

base::HttpRoute GateRoute(std::function<Gate*()> leading) {
  return {"POST", "/bindings",
          [leading = std::move(leading)](const base::HttpRequest& request,
                                         const base::HttpResponder& responder) {
            if (Gate* gate = leading()) return gate->Judge(request.body, responder);
            responder.Answer({.status = 503, .body = "another vdcu-controller leads\n"});
          },
          kMostReview};
}

}  // namespace vdcu::controller
