#include "reconcilers/waiting.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "reconcilers/alike.h"
#include "reconcilers/partition.h"
#include "reconcilers/pod.h"
#include "reconcilers/pod_partitions.h"
#include "reconcilers/view/demands.h"
#include "reconcilers/view/node_fit.h"

namespace vdcu::reconcilers {

namespace {

constexpr std::string_view kUnschedulable = "Unschedulable";

std::optional<std::string> WhyPassedOver(const View& view, const Avoided& avoided,
                                         const std::string& node, base::TimePoint now) {
  if (view.IsSilent(node, now)) return "node's vdcu daemon does not answer";
  const auto found = avoided.find(node);
  if (found == avoided.end() || now >= found->second.until) return {};
  return "node refused the slice just now";
}

class WaitingPod final : public Waiting {
 public:
  WaitingPod(const View& view, Key key, PodEntryPtr entry)
      : Waiting(view, std::move(key)),
        entry_(std::move(entry)),
        needed_(NeededPartitions(pod(), **entry_->request)) {
    const crds::PodRequest& request = **entry_->request;
    SetSharing(pod().meta.ns, request.share);
    cards_.policy = request.policy.value_or(view_.settings().policy);
    for (const NeededPartition& needed : needed_) cards_.slices.push_back(needed.slice);
    cards_.node = NeedsOf(pod());
  }

  Order PlaceInLine() const override {
    return {-pod().priority, Since(pod().meta.creation_timestamp), key_};
  }
  std::string Alike(base::TimePoint now) const override;
  bool MindsPods() const override { return reconcilers::MindsPods(pod()); }
  base::Result<dcu::NodeFilter> Fits(base::TimePoint now) const override;
  Plan Grant(const dcu::Placement& placement) const override {
    Plan plan;
    for (size_t i = 0; i < needed_.size(); ++i) {
      plan.writes.push_back(
          CreatePartition(MakePartition(pod(), needed_[i], placement.assignments[i])));
    }
    return plan;
  }
  Plan Explain(const std::string& message, const Instant& at) const override {
    Plan plan;
    AppendUnscheduled(plan, *entry_, kUnschedulable, message, at);
    return plan;
  }

 private:
  const kclient::Pod& pod() const { return *entry_->pod; }

  const PodEntryPtr entry_;
  const std::vector<NeededPartition> needed_;
};

class WaitingPartition final : public Waiting {
 public:
  WaitingPartition(const View& view, Key key, PartitionEntryPtr entry)
      : Waiting(view, std::move(key)), entry_(std::move(entry)) {
    const crds::PartitionSpec& spec = partition().spec;
    SetSharing(partition().meta.ns, spec.share);
    cards_.policy = spec.policy.value_or(view_.settings().policy);
    cards_.slices = {spec.request};
  }

  Order PlaceInLine() const override {
    return {0, Since(partition().meta.creation_timestamp), key_};
  }
  std::string Alike(base::TimePoint now) const override;
  bool MindsPods() const override { return false; }
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
  ASSIGN_OR_RETURN(VolumeAffinities volumes, view_.VolumesOf(pod()));
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

bool Waits(const View& view, const PodEntry& entry) {
  return WaitsForUs(view, *entry.pod) && entry.node().empty() && entry.request->has_value() &&
         view.PartitionsOfPod(entry.pod->meta.uid).empty();
}

bool Waits(const PartitionEntry& entry) {
  return entry.shown && entry.sent == Sent::kNothing && !entry.object().assigned() &&
         !entry.object().meta.deleting() && !entry.object().spec.pod_ref;
}

}  // namespace

void Waiting::SetSharing(const std::string& ns, dcu::Sharing own) {
  cards_.ns = ns;
  const auto share = view_.SharingOf(ns);
  cards_.share = dcu::Stricter(own, share.value_or(dcu::Sharing::kNamespace));
}

std::string Waiting::Since(const std::string& created) const {
  const Setback* setback = view_.FindSetback(key_);
  return setback ? std::max(created, setback->wall) : created;
}

std::unique_ptr<const Waiting> FindWaiting(const View& view, const Key& key) {
  const std::string object = key.object();
  if (key.kind == kPod) {
    PodEntryPtr pod = view.FindPod(object);
    if (!pod || !Waits(view, *pod)) return nullptr;
    return std::make_unique<const WaitingPod>(view, key, std::move(pod));
  }
  PartitionEntryPtr partition = view.FindPartition(object);
  if (!partition || !Waits(*partition)) return nullptr;
  return std::make_unique<const WaitingPartition>(view, key, std::move(partition));
}

}  // namespace vdcu::reconcilers
