// What must hold of what the controller answers other schedulers in the simulation. An offer is a
// promise: until it is taken up, taken back, or lapses, nobody else is given its room.
#include <algorithm>

#include "crds/keys.h"
#include "tests/simulation/simulated_objects.h"
#include "tests/simulation/simulation.h"

namespace vdcu::simulation {

using Json = SimulatedApi::Json;
using Call = SimulatedSchedulers::Call;
using Verb = SimulatedSchedulers::Verb;

namespace {

// What allocate grants is kept for so long: Volcano opens a session each second.
constexpr base::Duration kSession{10'000};

bool IsReadyOn(const Json& partition, const std::string& pod_uid, const std::string& node) {
  if (partition["metadata"].contains("deletionTimestamp")) return false;
  const bool there = Text(partition, "/spec/podRef/uid") == pod_uid &&
                     Text(partition, "/spec/assignment/node") == node;
  const auto decoded = Decode<crds::VdcuPartition>(partition);
  const auto* ready = kclient::FindCondition(decoded->status.conditions, crds::kReady);
  return there && ready != nullptr && ready->status == "True";
}

// Empty: the answer is no offer.
std::string OfferedNode(const Call& call, const Json& answer) {
  if (call.verb == Verb::kAllocate) return answer.contains("errorMessage") ? "" : call.node;
  const Json nodes = call.verb == Verb::kFilter ? answer.value("NodeNames", Json()) : Json();
  return nodes.is_array() && !nodes.empty() ? nodes[0].get<std::string>() : "";
}

// It as it is shown to the controller, and waits there; else null.
const Json* FindShownWaiting(SimulatedApi& api, const Call& call) {
  const auto shown = api.Shown("pods").find(call.pod);
  if (shown == api.Shown("pods").end()) return nullptr;
  const Json& pod = shown->second;
  const bool waits = pod["metadata"]["uid"] == call.pod_uid && Text(pod, "/spec/nodeName").empty();
  return waits ? &pod : nullptr;
}

// Who is told that the pod is bound does not try it again.
std::string WhyNotBound(SimulatedApi& api, const Call& call, const Json& answer) {
  if (!Text(answer, "/Error").empty()) return "";
  const Json* pod = api.Find("pods", call.pod);
  if (pod == nullptr || (*pod)["metadata"]["uid"] != call.pod_uid) return "";
  return Text(*pod, "/spec/nodeName") == call.node ? "" : "said to be bound to " + call.node;
}

std::string WhyOtherVictims(const Call& call, const Json& answer) {
  const Json& asked = call.body["NodeNameToMetaVictims"];
  for (const auto& [node, victims] : answer["NodeNameToMetaVictims"].items()) {
    if (!asked.contains(node) || asked[node] != victims) return "other victims on " + node;
  }
  return "";
}

}  // namespace

void Simulation::OnCall(const Call& call) {
  if (call.verb != Verb::kPredicate && call.verb != Verb::kPreempt) offers_.Drop(call.pod_uid);
}

std::string Simulation::WhyWronglyAnswered(const Call& call, const Json& answer) {
  switch (call.verb) {
    case Verb::kFilter:
    case Verb::kAllocate:
      return WhyWronglyOffered(call, answer);
    case Verb::kBind:
      return WhyNotBound(api_, call, answer);
    case Verb::kReview:
      return WhyLetWithoutSlices(call, answer);
    case Verb::kPreempt:
      return WhyOtherVictims(call, answer);
    default:
      return "";
  }
}

// A pod that has slices is offered their node, and nothing more is kept there: by what the
// controller has been shown, and by its writes under way.
std::string Simulation::WhyWronglyOffered(const Call& call, const Json& answer) {
  const std::string node = OfferedNode(call, answer);
  const Json* pod = FindShownWaiting(api_, call);
  if (node.empty() || pod == nullptr) return "";
  const auto is_own = [&](const Json& object) {
    return Text(object, "/spec/podRef/uid") == call.pod_uid ||
           Text(object, "/metadata/uid") == call.pod_uid;
  };
  for (const auto& [key, partition] : api_.Shown("vdcupartitions")) {
    if (is_own(partition)) return "";
  }
  for (const auto& [identity, write] : api_.unshown()) {
    const bool places = write.subresource == "binding" || Grants(write.body);
    if (places && is_own(write.body)) return "";
  }
  ++counts_.offered;
  const Room room = RoomFor(*pod);
  const std::string why = WhyNoRoomBesideOffers(node, call.pod_uid, room);
  const auto length = call.verb == Verb::kFilter ? settings_.hold_timeout : kSession;
  offers_.Set(call.pod_uid, {node, loop_.clock().Now() + length, room});
  return why;
}

// `whose`: UID of the pod that the room is given to, or key of its partition.
std::string Simulation::WhyNoRoomBesideOffers(const std::string& node, const std::string& whose,
                                              const Room& room) {
  offers_.Expire(api_);
  const Room offered = offers_.On(node, whose);
  if (offered.slices == 0 || !api_.Shown("dcunodes").contains(node)) return "";
  Room sum = TakenOn(node, whose);
  sum.Add(offered);
  sum.Add(room);
  return sum.IsIn(NodeOf(node)) ? "" : "given what is offered to others on " + node;
}

// One that is not shown yet is let through, and adopted.
std::string Simulation::WhyLetWithoutSlices(const Call& call, const Json& answer) {
  const Json* pod = FindShownWaiting(api_, call);
  const bool let = answer["response"]["allowed"] == true;
  const bool dry_run = call.body["request"]["dryRun"] == true;
  if (!let || dry_run || pod == nullptr || changed_by_others_.contains(call.pod_uid)) return "";
  ++counts_.let;
  size_t ready = 0;
  for (const auto& [key, partition] : api_.Shown("vdcupartitions")) {
    ready += IsReadyOn(partition, call.pod_uid, call.node) ? 1 : 0;
  }
  const bool all = ready == SlicesNeeded(*pod);
  return all ? "" : "let through with " + std::to_string(ready) + " slices Ready";
}

// As its scheduler would ask. Empty: nowhere.
std::string Simulation::WhereItFits(const reconcilers::View& view,
                                    const reconcilers::PodEntry& entry, const Json& pod) {
  const auto now = loop_.clock().Now();
  const auto nodes = schedulers_.FitNodes();
  if (Text(pod, "/spec/schedulerName") != "volcano") {
    const auto offer = reconcilers::OfferNode(view, entry, nodes, now);
    return offer.nodes.empty() ? "" : offer.nodes[0];
  }
  for (const std::string& node : nodes) {
    const auto beside = schedulers_.InVolcanosBooks(node);
    if (reconcilers::JudgeNode(view, entry, node, beside, now).why.empty()) return node;
  }
  return "";
}

// No scheduler would be offered anything for a pod that waits.
std::string Simulation::WhatIsLeftToOffer(const reconcilers::View& view) {
  for (const auto& [key, pod] : api_.All("pods")) {
    const bool waits = !IsOurs(pod) && Text(pod, "/spec/nodeName").empty() &&
                       !pod["metadata"].contains("deletionTimestamp");
    const auto entry = waits ? view.FindPod(key) : nullptr;
    if (entry == nullptr) continue;
    const std::string node = WhereItFits(view, *entry, pod);
    if (!node.empty()) return key + " fits on " + node + ": " + pod.dump();
  }
  return "";
}

}  // namespace vdcu::simulation
