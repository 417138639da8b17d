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
    for (size_t i = 0; i < hold.assignments.size(); ++i) {
      copy.SetSlice("hold/" + uid + "/" + std::to_string(i), hold.assignments[i]);
    }
  });
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
  if (!IsAnothers(view, pod)) {
    return RefuseAll(
        nodes, "the pod has ended, is gated, or is placed by " + view.settings().scheduler_name);
  }
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
