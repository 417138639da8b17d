#include "reconcilers/waiting.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "reconcilers/alike.h"
#include "reconcilers/asked.h"
#include "reconcilers/partition.h"
#include "reconcilers/pod.h"
#include "reconcilers/pod_group.h"
#include "reconcilers/pod_partitions.h"
#include "reconcilers/view/demands.h"
#include "reconcilers/view/node_fit.h"
#include "reconcilers/waiting_group.h"

namespace vdcu::reconcilers {

namespace {

std::optional<std::string> WhyPassedOver(const View& view, const Avoided& avoided,
                                         const std::string& node, base::TimePoint now) {
  if (view.IsSilent(node, now)) return "node's vdcu daemon does not answer";
  const auto found = avoided.find(node);
  if (found == avoided.end() || now >= found->second.until) return {};
  return "node refused the slice just now";
}

// Sets with whom it may share its cards; `own` is what the object says. What is not known is said
// by Waiting::Fits.
void SetSharing(const View& view, const std::string& ns, dcu::Sharing own, dcu::Request& cards) {
  cards.ns = ns;
  const auto share = view.SharingOf(ns);
  cards.share = dcu::Stricter(own, share.value_or(dcu::Sharing::kNamespace));
}

class WaitingPod : public WaitingOne {
 public:
  WaitingPod(const View& view, Key key, PodEntryPtr entry)
      : WaitingOne(view, std::move(key)), entry_(std::move(entry)) {
    cards_ = CardsOf(view, *entry_);
  }

  Order PlaceInLine() const override {
    return {-pod().priority, Since(pod().meta.creation_timestamp), key_};
  }
  std::string Alike(base::TimePoint now) const override;
  int Minding() const override { return MindsPods(pod()) ? 1 : 0; }
  base::Result<dcu::NodeFilter> Fits(base::TimePoint now) const override;
  Plan Grant(const dcu::Placement& placement) const override {
    const auto needed = NeededPartitions(pod(), **entry_->request);
    Plan plan;
    for (size_t i = 0; i < needed.size(); ++i) {
      plan.writes.push_back(
          CreatePartition(MakePartition(pod(), needed[i], placement.assignments[i])));
    }
    return plan;
  }
  Plan Explain(const std::string& message, const Instant& at) const override {
    Plan plan;
    AppendUnscheduled(plan, *entry_, kUnschedulable, message, at);
    return plan;
  }

 protected:
  const kclient::Pod& pod() const { return *entry_->pod; }
  virtual base::Result<VolumeAffinities> Volumes() const { return view_.VolumesOf(pod()); }

 private:
  const PodEntryPtr entry_;
};

// It is given nothing yet: its scheduler asks again, and says itself why the pod waits. Volumes
// that are to be bound are that one's work, too.
class WaitingAnothers final : public WaitingPod {
 public:
  using WaitingPod::WaitingPod;

  std::string Alike(base::TimePoint now) const override {
    return "another's " + WaitingPod::Alike(now);
  }
  Plan Grant(const dcu::Placement& placement) const override {
    Plan plan;
    plan.notes.emplace_back(
        SliceHeld{pod().meta.key(), pod().meta.uid, placement.assignments, /*nudges=*/true});
    return plan;
  }
  Plan Explain(const std::string& /*message*/, const Instant& /*at*/) const override { return {}; }

 private:
  base::Result<VolumeAffinities> Volumes() const override {
    return view_.VolumesOf(pod()).value_or(VolumeAffinities());
  }
};

class WaitingPartition final : public WaitingOne {
 public:
  WaitingPartition(const View& view, Key key, PartitionEntryPtr entry)
      : WaitingOne(view, std::move(key)), entry_(std::move(entry)) {
    const crds::PartitionSpec& spec = partition().spec;
    SetSharing(view, partition().meta.ns, spec.share, cards_);
    cards_.policy = spec.policy.value_or(view_.settings().policy);
    cards_.slices = {spec.request};
  }

  Order PlaceInLine() const override {
    return {0, Since(partition().meta.creation_timestamp), key_};
  }
  std::string Alike(base::TimePoint now) const override;
  int Minding() const override { return 0; }
  base::Result<dcu::NodeFilter> Fits(base::TimePoint now) const override;
  Plan Grant(const dcu::Placement& placement) const override {
    Plan plan;
    plan.writes.push_back(AssignPartition(partition(), placement.assignments.front()));
    return plan;
  }
  Plan Explain(const std::string& message, const Instant& at) const override {
    Plan plan;
    AppendUnassigned(plan, partition(), kUnschedulable, message, at);
    return plan;
  }

 private:
  const crds::VdcuPartition& partition() const { return entry_->object(); }

  const PartitionEntryPtr entry_;
};

std::string WaitingPod::Alike(base::TimePoint now) const {
  nlohmann::json slices = nlohmann::json::array();
  for (const dcu::SliceRequest& slice : cards_.slices) slices.push_back(AlikeText(slice));
  // Once: all slices of a pod have the same selector.
  const nlohmann::json devices =
      cards_.slices.empty() ? nlohmann::json() : AlikeText(*cards_.slices.front().devices);
  return nlohmann::json{cards_.policy,
                        slices,
                        devices,
                        AlikeText(view_, pod()),
                        AlikeText(entry_->avoided, now),
                        AlikeTextOfNamespace(view_, cards_)}
      .dump();
}

base::Result<dcu::NodeFilter> WaitingPod::Fits(base::TimePoint now) const {
  RETURN_IF_ERROR(view_.SharingOf(ns()));
  ASSIGN_OR_RETURN(VolumeAffinities volumes, Volumes());
  return dcu::NodeFilter([&view = view_, entry = entry_, now, volumes = std::move(volumes),
                          topology = std::optional<PodTopology>()](
                             const std::string& node) mutable -> std::optional<std::string> {
    const NodeLoad* load = view.ledger().Find(node);
    if (load == nullptr) return "node does not exist";
    if (auto why = WhyPassedOver(view, entry->avoided, node, now)) return why;
    if (auto why = WhyUnfit(*load, *entry->pod, volumes)) return why;
    // A look at all pods, maybe: only for a node that is fit otherwise.
    if (!topology) topology = view.TopologyOf(*entry->pod);
    return topology->WhyNot(*load);
  });
}

std::string WaitingPartition::Alike(base::TimePoint now) const {
  const crds::PartitionSpec& spec = partition().spec;
  return nlohmann::json{"partition",
                        cards_.policy,
                        AlikeText(spec.request),
                        AlikeText(*spec.request.devices),
                        spec.node_selector,
                        AlikeText(entry_->avoided, now),
                        AlikeTextOfNamespace(view_, cards_)}
      .dump();
}

base::Result<dcu::NodeFilter> WaitingPartition::Fits(base::TimePoint now) const {
  RETURN_IF_ERROR(view_.SharingOf(ns()));
  return dcu::NodeFilter(
      [&view = view_, entry = entry_, now](const std::string& node) -> std::optional<std::string> {
        const NodeLoad* load = view.ledger().Find(node);
        if (load == nullptr) return "node does not exist";
        if (auto why = WhyPassedOver(view, entry->avoided, node, now)) return why;
        return WhyUnfit(*load, entry->object().spec.node_selector);
      });
}

// A scheduler that has asked in vain and is to be told when to ask again.
bool SeeksSlice(const View& view, const PodEntry& entry) {
  return entry.sought && IsAnothers(view, *entry.pod) && !WhyNotServed(view, entry) &&
         view.FindHold(entry.pod->meta.uid) == nullptr;
}

bool Waits(const View& view, const PodEntry& entry) {
  return (WaitsForUs(view, *entry.pod) || SeeksSlice(view, entry)) && entry.node().empty() &&
         entry.request->has_value() && view.PartitionsOfPod(entry.pod->meta.uid).empty();
}

base::Result<dcu::Placement> WithinQuota(const View& view, const dcu::Request& cards,
                                         dcu::Placement placement) {
  auto why = view.WhyOverQuota(cards.ns, cards.slices, placement.assignments);
  if (why) return base::Invalid(std::move(*why));
  return placement;
}

WaitReason ReasonOf(const dcu::FitError& error) {
  return error.cards > 0 || error.nodes == 0 ? WaitReason::kCards : WaitReason::kNodes;
}

bool Waits(const PartitionEntry& entry) {
  return entry.shown && entry.sent == Sent::kNothing && !entry.object().assigned() &&
         !entry.object().meta.deleting() && !entry.object().spec.pod_ref;
}

}  // namespace

dcu::Request CardsOf(const View& view, const PodEntry& entry) {
  const crds::PodRequest& request = **entry.request;
  dcu::Request cards;
  SetSharing(view, entry.pod->meta.ns, request.share, cards);
  cards.policy = request.policy.value_or(view.settings().policy);
  for (const NeededPartition& needed : NeededPartitions(*entry.pod, request)) {
    cards.slices.push_back(needed.slice);
  }
  cards.node = NeedsOf(*entry.pod);
  return cards;
}

dcu::NodeFilter PassedOver(const View& view, const PodEntry& entry, base::TimePoint now) {
  return [&view, &entry, now](const std::string& node) -> std::optional<std::string> {
    if (view.ledger().Find(node) == nullptr) return "node does not exist";
    return WhyPassedOver(view, entry.avoided, node, now);
  };
}

dcu::Answer AllocateAsPlanned(const View& view, const PodEntry& entry, const dcu::Request& request,
                              const std::string& node, const Allocation& allocate) {
  const Plans::Cards* cards = view.FindPlan(entry.pod->meta.uid, node);
  if (cards == nullptr || cards->size() != request.slices.size()) return allocate(request);
  dcu::Request planned = request;
  for (size_t i = 0; i < cards->size(); ++i) {
    dcu::DeviceSelector selector = *request.slices[i].devices;
    selector.uuids = {(*cards)[i].str()};
    planned.slices[i].devices = base::Interned<dcu::DeviceSelector>(std::move(selector));
  }
  dcu::Answer answer = allocate(planned);
  return std::holds_alternative<dcu::Placement>(answer) ? answer : allocate(request);
}

base::Result<dcu::Placement> AllocateFor(const View& view, const PodEntry& entry,
                                         const std::vector<std::string>& nodes,
                                         base::TimePoint now) {
  const dcu::Request cards = CardsOf(view, entry);
  if (nodes.size() == 1) return AllocateOnNodeFor(view, entry, cards, nodes.front(), now);
  RETURN_IF_ERROR(view.SharingOf(entry.pod->meta.ns));
  auto answer = dcu::AllocateOn(view.inventory(), cards, nodes, PassedOver(view, entry, now));
  if (const auto* error = std::get_if<dcu::FitError>(&answer)) {
    return base::Invalid(error->Message());
  }
  return WithinQuota(view, cards, std::get<dcu::Placement>(std::move(answer)));
}

base::Result<dcu::Placement> AllocateOnNodeFor(const View& view, const PodEntry& entry,
                                               const dcu::Request& cards, const std::string& node,
                                               base::TimePoint now) {
  RETURN_IF_ERROR(view.SharingOf(entry.pod->meta.ns));
  const auto passed_over = PassedOver(view, entry, now);
  const auto answer = AllocateAsPlanned(view, entry, cards, node, [&](const dcu::Request& request) {
    return dcu::AllocateOnNode(view.inventory(), request, node, passed_over);
  });
  if (const auto* error = std::get_if<dcu::FitError>(&answer)) {
    return base::Invalid(error->NodeMessage());
  }
  return WithinQuota(view, cards, std::get<dcu::Placement>(answer));
}

tl::expected<dcu::Placement, Failure> WaitingOne::Find(const std::vector<std::string>* nodes,
                                                       base::TimePoint now) const {
  std::set<std::string> eased_by;
  if (Minding() > 0) eased_by.emplace(kPodsMoved);
  const auto filter = Fits(now);
  if (!filter) {
    return tl::make_unexpected(
        Failure{filter.error().message, WaitReason::kVolumes, std::move(eased_by)});
  }
  dcu::Answer answer = nodes == nullptr
                           ? dcu::Allocate(view_.inventory(), cards_, *filter)
                           : dcu::AllocateOn(view_.inventory(), cards_, *nodes, *filter);
  if (const auto* error = std::get_if<dcu::FitError>(&answer)) {
    return tl::make_unexpected(Failure{error->Message(), ReasonOf(*error), std::move(eased_by)});
  }
  return std::get<dcu::Placement>(std::move(answer));
}

tl::expected<Plan, Failure> WaitingOne::Give(Trial& /*trial*/,
                                             const std::vector<std::string>* nodes,
                                             base::TimePoint now) const {
  auto found = Find(nodes, now);
  if (!found) return tl::make_unexpected(std::move(found.error()));
  auto why = view_.WhyOverQuota(ns(), cards_.slices, found->assignments);
  if (!why) return Grant(*found);
  std::set<std::string> eased_by{ns()};
  if (Minding() > 0) eased_by.emplace(kPodsMoved);
  return tl::make_unexpected(Failure{std::move(*why), WaitReason::kQuota, std::move(eased_by)});
}

std::string WaitingOne::Since(const std::string& created) const {
  const Setback* setback = view_.FindSetback(key_);
  return setback ? std::max(created, setback->wall) : created;
}

std::unique_ptr<const Waiting> FindWaiting(const View& view, const Key& key) {
  if (key.kind == kPodGroup) return FindWaitingGroup(view, key);
  const PodEntryPtr pod = key.kind == kPod ? view.FindPod(key.object()) : nullptr;
  if (pod && WaitsForUs(view, *pod->pod) && IsPlacedTogether(view, *pod)) return nullptr;
  return FindWaitingOne(view, key);
}

std::unique_ptr<const WaitingOne> FindWaitingOne(const View& view, const Key& key) {
  const std::string object = key.object();
  if (key.kind == kPod) {
    PodEntryPtr pod = view.FindPod(object);
    if (!pod || !Waits(view, *pod)) return nullptr;
    if (pod->sought) return std::make_unique<const WaitingAnothers>(view, key, std::move(pod));
    return std::make_unique<const WaitingPod>(view, key, std::move(pod));
  }
  PartitionEntryPtr partition = view.FindPartition(object);
  if (!partition || !Waits(*partition)) return nullptr;
  return std::make_unique<const WaitingPartition>(view, key, std::move(partition));
}

}  // namespace vdcu::reconcilers
