#include "reconcilers/preemptor.h"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "reconcilers/pod.h"
#include "reconcilers/pod_partitions.h"

namespace vdcu::reconcilers {

namespace {

// A search that has not come to an end goes on then, so that others are placed between.
constexpr base::Duration kPause{100};

PlannedWrite Evict(const kclient::Pod& pod, const kclient::Pod& victim) {
  return {kclient::MakeEviction(victim.meta.ns, victim.meta.name, victim.meta.uid),
          AssumeEvicted{pod.meta.key(), victim.meta.uid}};
}

// Null: none.
PlannedWrite Nominate(const kclient::Pod& pod, const nlohmann::json& node) {
  return {kclient::MakeStrategicPatch(kclient::kPods, pod.meta.ns, pod.meta.name, "status",
                                      {{"status", {{"nominatedNodeName", node}}}}, pod.meta.uid),
          AssumeNominated{pod.meta.key(), pod.meta.uid}};
}

std::string NoVictims(size_t nodes, bool spared) {
  const std::string all = std::to_string(nodes);
  return "preemption: 0/" + all + " nodes are available: " + all +
         " No preemption victims found for incoming pod." +
         (spared ? " The eviction of others was refused and is tried again." : "");
}

}  // namespace

PodEntryPtr Preemptor::FindWaitingPod(const Key& key) const {
  const Settings& settings = view_.settings();
  const bool may = settings.preemption && key.kind == kPod;
  PodEntryPtr pod = may ? view_.FindPod(key.object()) : nullptr;
  return pod && WaitsForUs(view_, *pod->pod) ? pod : nullptr;
}

std::string Preemptor::NominatedFor(const PodEntry& pod) const {
  const Claim* claim = view_.claims().Find(pod.pod->meta.uid);
  return claim ? claim->node() : pod.pod->scheduling->nominated;
}

bool Preemptor::IsNominated(const Key& key) const {
  const PodEntryPtr pod = FindWaitingPod(key);
  return pod && !NominatedFor(*pod).empty();
}

bool Preemptor::MayTry(const Key& key) const {
  const PodEntryPtr pod = FindWaitingPod(key);
  return pod && pod->pod->scheduling->preempts && !view_.claims().Find(pod->pod->meta.uid);
}

Preemptor::Attempt Preemptor::Stop(const Key& key) const {
  Attempt attempt;
  if (const PodEntryPtr pod = FindWaitingPod(key)) GiveUp(*pod, attempt);
  return attempt;
}

Preemptor::Attempt Preemptor::Try(const Key& key, const std::vector<std::string>* nodes,
                                  const Instant& at) {
  Attempt attempt;
  const PodEntryPtr pod = FindWaitingPod(key);
  if (!pod || KeepsWaiting(key, *pod, attempt, at.now)) return attempt;
  // What makes room for it may be refused to it again.
  const Setback* setback = view_.FindSetback(key);
  if (setback && !setback->message.empty()) return Stop(key);
  const auto lowest = view_.priorities().Lowest();
  if (!lowest || *lowest >= pod->pod->priority) {
    GiveUp(*pod, attempt);
    attempt.in_vain = true;
    return attempt;
  }
  if (!pod->pod->scheduling->preempts) {
    attempt.told = "preemption: not eligible due to preemptionPolicy=Never.";
    return attempt;
  }
  const auto search = Find(key, *pod, nodes, attempt, at.now);
  if (search.found) {
    Carry(*pod, *search.found, attempt);
    return attempt;
  }
  GiveUp(*pod, attempt);
  if (search.spared_until) {
    attempt.again_at =
        std::min(attempt.again_at.value_or(*search.spared_until), *search.spared_until);
  }
  if (nodes != nullptr || looked_.contains(key)) return attempt;
  attempt.told = NoVictims(view_.inventory().node_count(), search.spared_until.has_value());
  attempt.in_vain = !search.spared_until;
  return attempt;
}

// Where those end that it waits for already, if that is enough.
bool Preemptor::KeepsWaiting(const Key& key, const PodEntry& pod, Attempt& attempt,
                             base::TimePoint now) {
  const std::string node = NominatedFor(pod);
  if (node.empty()) return false;
  auto room = RoomOn(key, pod, node, now);
  if (room.empty()) return false;
  Carry(pod, {{}, std::move(room)}, attempt);
  return true;
}

std::vector<dcu::Assignment> Preemptor::RoomOn(const Key& key, const PodEntry& pod,
                                               const std::string& node, base::TimePoint now) {
  const auto request = FindWaitingOne(view_, key);
  if (!request) return {};
  Trial trial = cluster_.BeginTrial();
  trial.Outrank(pod.pod->priority, pod.pod->meta.uid);
  return RoomOfGoing(view_, trial, *request, node, now);
}

PreemptionSearch Preemptor::Find(const Key& key, const PodEntry& pod,
                                 const std::vector<std::string>* only, Attempt& attempt,
                                 base::TimePoint now) {
  const auto request = FindWaitingOne(view_, key);
  if (!request) return {};
  const int priority = pod.pod->priority;
  std::vector<base::Symbol> nodes;
  if (only == nullptr) nodes = view_.priorities().NodesBelow(priority);
  for (const std::string& node : only ? *only : std::vector<std::string>()) {
    if (view_.priorities().AnyBelow(node, priority)) nodes.emplace_back(node);
  }
  const auto before = looked_.find(key);
  const size_t first = only == nullptr && before != looked_.end() ? before->second : 0;
  PreemptionSearch search;
  {
    Trial trial = cluster_.BeginTrial();
    trial.Outrank(priority, pod.pod->meta.uid);
    search = FindPreemption(view_, trial, *request, nodes, first, now);
  }
  const size_t looked = first + search.looked;
  if (search.found || looked >= nodes.size()) {
    if (only == nullptr) looked_.erase(key);
    return search;
  }
  looked_[key] = only == nullptr ? looked : 0;
  attempt.again_at = now + kPause;
  return search;
}

void Preemptor::Carry(const PodEntry& pod, const Preemption& found, Attempt& attempt) const {
  const kclient::Pod& waiting = *pod.pod;
  const Claim* claim = view_.claims().Find(waiting.meta.uid);
  const bool same = claim && claim->node() == found.node();
  attempt.news = !same || !found.victims.empty();
  attempt.told =
      "preemption: waiting for pods of lower priority on node " + found.node() + " to end";
  Plan& plan = attempt.plan;
  plan.notes.emplace_back(RoomClaimed{waiting.meta.key(), found.room});
  for (const PodEntryPtr& victim : found.victims) {
    plan.writes.push_back(Evict(waiting, *victim->pod));
    plan.events.push_back(
        PodEvent(*victim->pod, kclient::EventType::kNormal, "Preempted", "Preempting",
                 "Preempted by pod " + waiting.meta.uid + " on node " + found.node()));
  }
  const bool told = waiting.scheduling->nominated == found.node() || (same && claim->told);
  if (!told) plan.writes.push_back(Nominate(waiting, found.node()));
}

void Preemptor::GiveUp(const PodEntry& pod, Attempt& attempt) const {
  const kclient::Pod& waiting = *pod.pod;
  const Claim* claim = view_.claims().Find(waiting.meta.uid);
  if (claim) attempt.plan.notes.emplace_back(RoomUnclaimed{waiting.meta.uid});
  const bool names = !waiting.scheduling->nominated.empty() || (claim && claim->told);
  if (names) attempt.plan.writes.push_back(Nominate(waiting, nullptr));
  attempt.news = claim || names;
}

void Preemptor::Recall(const Key& key, base::TimePoint now) {
  const PodEntryPtr pod = FindWaitingPod(key);
  if (!pod || pod->pod->scheduling->nominated.empty()) return;
  if (view_.claims().Find(pod->pod->meta.uid)) return;
  auto room = RoomOn(key, *pod, pod->pod->scheduling->nominated, now);
  if (!room.empty()) cluster_.Claim({key.object(), std::move(room)});
}

void Preemptor::Forget(const Key& key) {
  looked_.erase(key);
  if (const PodEntryPtr pod = key.kind == kPod ? view_.FindPod(key.object()) : nullptr) {
    cluster_.DropClaim(pod->pod->meta.uid);
  }
}

}  // namespace vdcu::reconcilers
