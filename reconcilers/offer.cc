#include "reconcilers/offer.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "reconcilers/asked.h"
#include "reconcilers/waiting.h"

namespace vdcu::reconcilers {

namespace {

Offer RefuseAll(const std::vector<std::string>& nodes, const std::string& why) {
  Offer offer;
  for (const std::string& node : nodes) offer.refused.emplace(node, why);
  return offer;
}

bool AsksForNone(const PodEntry& entry) {
  return entry.request && entry.request->has_value() && (*entry.request)->empty();
}

// Where its slices are; empty: it has none that stay.
std::string NodeOfSlices(const View& view, const kclient::Pod& pod) {
  for (const PartitionEntryPtr& entry : view.PartitionsOfPod(pod.meta.uid)) {
    const crds::VdcuPartition& object = entry->object();
    if (object.assigned() && !object.meta.deleting()) return object.spec.assignment->node;
  }
  return "";
}

std::string NotAnothers(const View& view) {
  return "the pod has ended, is gated, or is placed by " + view.settings().scheduler_name;
}

// As holds are in the inventory. `pod`: its key.
void SetSlices(const std::string& uid, const std::string& pod,
               const std::vector<dcu::Assignment>& given, dcu::Inventory& copy) {
  for (size_t i = 0; i < given.size(); ++i) {
    copy.SetSlice("hold/" + uid + "/" + std::to_string(i), given[i], pod.substr(0, pod.find('/')));
  }
}

// The node's cards with what is taken of them, but for those pods.
void CopyNode(const View& view, const std::string& name, const crds::DcuNode& node,
              const std::set<std::string, std::less<>>& without, dcu::Inventory& copy) {
  copy.SetNode(name, node.status.devices, OptionsOf(node));
  for (const base::Symbol& key : view.PartitionsOn(name)) {
    const PartitionEntryPtr entry = view.FindPartition(key);
    const crds::VdcuPartition& object = entry->object();
    const bool leaves = object.spec.pod_ref && without.contains(object.spec.pod_ref->uid);
    if (object.holds() && !leaves) copy.SetSlice(key, *object.spec.assignment, object.meta.ns);
  }
  for (const crds::HeldSlice& held : node.status.held) {
    if (without.contains(held.pod_uid)) continue;
    copy.SetSlice("held:" + held.partition_uid, held.assignment, held.ns);
  }
  view.holds().ForEach([&](const std::string& uid, const Hold& hold) {
    if (hold.node() != name || without.contains(uid)) return;
    SetSlices(uid, hold.pod, hold.assignments, copy);
  });
  view.claims().ForEach([&](const std::string& uid, const Claim& claim) {
    if (claim.node() != name) return;
    SetSlices(uid, claim.pod->meta.key(), claim.assignments, copy);
  });
}

Plans::Cards CardsIn(const dcu::Placement& placement) {
  Plans::Cards cards;
  for (const dcu::Assignment& given : placement.assignments) cards.emplace_back(given.device);
  return cards;
}

// It will get slices where it goes, and has none yet.
bool LacksSlices(const View& view, const PodEntry& entry) {
  const kclient::Pod& pod = *entry.pod;
  return entry.request && !pod.terminal() && !pod.meta.deleting() && !WhyNotServed(view, entry) &&
         view.FindHold(pod.meta.uid) == nullptr && view.PartitionsOfPod(pod.meta.uid).empty();
}

// First those whose cards are known, as others must not take these.
void SetBeside(const View& view, const std::string& node, const std::vector<std::string>& beside,
               dcu::Inventory& copy, NodeVerdict& verdict) {
  const auto on_copy = [&](const dcu::Request& request) {
    return dcu::AllocateOnNode(copy, request, node, {});
  };
  for (const bool planned : {true, false}) {
    for (const std::string& uid : beside) {
      const PodEntryPtr entry = view.FindPodByUid(uid);
      if (!entry || !LacksSlices(view, *entry)) continue;
      if ((view.FindPlan(uid, node) != nullptr) != planned) continue;
      const auto answer = AllocateAsPlanned(view, *entry, CardsOf(view, *entry), node, on_copy);
      const auto* placement = std::get_if<dcu::Placement>(&answer);
      if (placement == nullptr) continue;
      verdict.plans[uid] = CardsIn(*placement);
      SetSlices(uid, entry->pod->meta.key(), placement->assignments, copy);
    }
  }
}

// Were the node's cards empty and its daemon well.
bool FitsEmptied(const View& view, const PodEntry& entry, const std::string& node,
                 const crds::DcuNode& cards, base::TimePoint now) {
  if (PassedOver(view, entry, now)(node)) return false;
  dcu::Inventory emptied;
  emptied.SetNode(node, cards.status.devices, OptionsOf(cards));
  const auto answer = dcu::AllocateOnNode(emptied, CardsOf(view, entry), node, {});
  return std::holds_alternative<dcu::Placement>(answer);
}

// Why the pod has no slice on the node, whatever is free there.
std::optional<std::string> WhyNeverOn(const View& view, const PodEntry& entry,
                                      const std::string& node) {
  if (!entry.node().empty()) return "the pod is bound to node " + entry.node();
  if (!IsAnothers(view, *entry.pod)) return NotAnothers(view);
  if (auto why = WhyNotServed(view, entry)) return why;
  if (auto share = view.SharingOf(entry.pod->meta.ns); !share) return share.error().message;
  if (view.dcu_nodes().Find(node) == nullptr) return "node has no DCU cards";
  return {};
}

}  // namespace

Offer OfferNode(const View& view, const PodEntry& entry, const std::vector<std::string>& nodes,
                base::TimePoint now) {
  const kclient::Pod& pod = *entry.pod;
  const auto is_asked = [&](const std::string& node) {
    return std::find(nodes.begin(), nodes.end(), node) != nodes.end();
  };
  if (!entry.node().empty()) {
    if (is_asked(entry.node())) return {{entry.node()}, {}, {}};
    return RefuseAll(nodes, "the pod is bound to node " + entry.node());
  }
  if (!IsAnothers(view, pod)) return RefuseAll(nodes, NotAnothers(view));
  if (AsksForNone(entry)) return {nodes, {}, {}};
  if (const auto why = WhyNotServed(view, entry)) return RefuseAll(nodes, *why);
  const std::string has = NodeOfSlices(view, pod);
  if (!has.empty() && is_asked(has)) return {{has}, {}, {}};
  auto given = AllocateFor(view, entry, nodes, now);
  if (given) return {{given->node}, {}, std::move(given->assignments)};
  Offer offer;
  const dcu::Request cards = CardsOf(view, entry);
  const dcu::NodeFilter passed_over = PassedOver(view, entry, now);
  for (const std::string& node : nodes) {
    const auto answer = dcu::AllocateOnNode(view.inventory(), cards, node, passed_over);
    const auto* error = std::get_if<dcu::FitError>(&answer);
    offer.refused.emplace(node, error ? error->NodeMessage() : given.error().message);
  }
  return offer;
}

NodeVerdict JudgeNode(const View& view, const PodEntry& entry, const std::string& node,
                      const std::vector<std::string>& beside, base::TimePoint now) {
  const std::string& uid = entry.pod->meta.uid;
  if (entry.node() == node || AsksForNone(entry)) return {};
  if (auto why = WhyNeverOn(view, entry, node)) return {std::move(*why), true, {}};
  if (NodeOfSlices(view, *entry.pod) == node) return {};
  const auto cards = view.dcu_nodes().Find(node);
  NodeVerdict verdict;
  dcu::Inventory copy;
  CopyNode(view, node, *cards, {uid}, copy);
  SetBeside(view, node, beside, copy, verdict);
  const dcu::Request request = CardsOf(view, entry);
  const auto answer = dcu::AllocateOnNode(copy, request, node, PassedOver(view, entry, now));
  if (const auto* error = std::get_if<dcu::FitError>(&answer)) {
    verdict.why = error->NodeMessage();
    verdict.for_good = !FitsEmptied(view, entry, node, *cards, now);
    return verdict;
  }
  const auto& placement = std::get<dcu::Placement>(answer);
  if (auto over = view.WhyOverQuota(request.ns, request.slices, placement.assignments)) {
    verdict.why = std::move(*over);
    verdict.for_good = true;
    return verdict;
  }
  verdict.plans[uid] = CardsIn(placement);
  return verdict;
}

std::vector<std::string> NodesWithRoomAfter(const View& view, const PodEntry& entry,
                                            const Victims& victims, base::TimePoint now) {
  std::vector<std::string> nodes;
  const bool judged = IsAnothers(view, *entry.pod) && !AsksForNone(entry);
  const bool served = judged && !WhyNotServed(view, entry);
  for (const auto& [node, pods] : victims) {
    const auto cards = served ? view.dcu_nodes().Find(node) : nullptr;
    if (!judged) nodes.push_back(node);
    if (!cards || view.ledger().Find(node) == nullptr) continue;
    std::set<std::string, std::less<>> without = pods;
    without.insert(entry.pod->meta.uid);
    dcu::Inventory copy;
    CopyNode(view, node, *cards, without, copy);
    const auto answer =
        dcu::AllocateOnNode(copy, CardsOf(view, entry), node, PassedOver(view, entry, now));
    if (std::holds_alternative<dcu::Placement>(answer)) nodes.push_back(node);
  }
  return nodes;
}

}  // namespace vdcu::reconcilers
