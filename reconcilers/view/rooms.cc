#include "reconcilers/view/rooms.h"

namespace vdcu::reconcilers {

namespace {

constexpr std::string_view kNodeTopology = "kubernetes.io/hostname";

int CardUnits(const dcu::Inventory& inventory, const dcu::Assignment& assignment) {
  const dcu::Node* node = inventory.Find(assignment.node);
  const dcu::Card* card = node == nullptr ? nullptr : node->FindCard(assignment.device);
  return card == nullptr || card->type == nullptr ? 0 : card->type->compute_units;
}

// No key of a partition has two slashes. A pod that is tried has no claim meanwhile.
std::string IdFor(const kclient::Pod& pod, size_t place) {
  return "for/" + pod.meta.uid + "/" + std::to_string(place);
}

bool HoldsCards(const crds::VdcuPartition* partition) { return partition && partition->holds(); }

}  // namespace

std::string HeldId(const std::string& node, const crds::HeldSlice& held) {
  return "held:" + node + ":" + held.partition_uid;
}

dcu::NodeOptions OptionsOf(const crds::DcuNode& node) {
  dcu::NodeOptions options;
  options.unschedulable_devices = {node.spec.unschedulable_devices.begin(),
                                   node.spec.unschedulable_devices.end()};
  options.memory_reserve = node.spec.memory_reserve;
  options.occupied_vdevs = node.status.occupied_vdevs;
  options.ready = node.ready();
  options.share = node.spec.share_cards;
  return options;
}

bool HoldsTheSame(const crds::VdcuPartition* before, const crds::VdcuPartition* after) {
  return before && after && before->spec.assignment == after->spec.assignment &&
         before->holds() == after->holds();
}

bool Rooms::MovePod(const kclient::Pod* before, const std::string& was, const kclient::Pod& pod,
                    const std::string& is) {
  if (!was.empty()) ledger_.Take(*before, was);
  if (!is.empty()) ledger_.Add(pod, is);
  TellRoomOf(was);
  TellRoomOf(is);
  const bool changed = MoveAntiAffinity(before, was, pod, is);
  if (!was.empty() && (was != is || LeavesRoom(*before, pod))) Improve(was);
  return changed;
}

bool Rooms::MoveAntiAffinity(const kclient::Pod* before, const std::string& was,
                             const kclient::Pod& pod, const std::string& is) {
  const bool had = !was.empty() && !before->anti_affinity.empty();
  const bool has = !is.empty() && !pod.anti_affinity.empty();
  if (!had && !has) return false;
  if (had && has && was == is && before->anti_affinity == pod.anti_affinity) return false;
  bool changed = false;
  if (has) changed |= anti_affinity_.Add(pod, is);
  if (had) {
    changed |= anti_affinity_.Take(*before, was);
    ImproveAround(was, before->anti_affinity);
  }
  return changed;
}

// All nodes that count as one place with this one, which a pod with these terms has left.
void Rooms::ImproveAround(const std::string& node,
                          const std::vector<kclient::PodAffinityTerm>& terms) {
  const NodeLoad* left = ledger_.Find(node);
  if (left == nullptr) return;
  Improve(node);
  for (const kclient::PodAffinityTerm& term : terms) {
    const auto value = left->Label(term.topology_key);
    if (!value || term.topology_key == kNodeTopology) continue;
    ledger_.ForEachNode([&](std::string_view name) {
      if (ledger_.Find(name)->Label(term.topology_key) == value) Improve(std::string(name));
    });
  }
}

void Rooms::Improve(const std::string& node) {
  changes_.Improve(node);
  for (const base::Symbol& key : PartitionsOn(node)) changes_.MarkLine(key);
}

void Rooms::SetPartition(const std::string& key, const crds::VdcuPartition* before,
                         const crds::VdcuPartition* after) {
  if (before) Unindex(key, *before);
  if (after) Index(key, *after);
  if (HoldsTheSame(before, after)) return;
  if (HoldsCards(before)) {
    Improve(before->spec.assignment->node);
    if (IsBounded(before->meta.ns)) changes_.Ease(before->meta.ns);
  }
  if (HoldsCards(after)) {
    inventory_.SetSlice(key, *after->spec.assignment, after->meta.ns);
  } else {
    inventory_.RemoveSlice(key);
  }
}

void Rooms::Index(const std::string& key, const crds::VdcuPartition& object) {
  const base::Symbol symbol(key);
  if (object.assigned()) {
    partitions_on_[base::Symbol(object.spec.assignment->node)].push_back(symbol);
  }
  if (object.holds()) holdings_.Add(symbol, object);
}

void Rooms::Unindex(const std::string& key, const crds::VdcuPartition& object) {
  if (object.assigned()) {
    const auto found = partitions_on_.find(base::Symbol(object.spec.assignment->node));
    std::erase(found->second, key);
    if (found->second.empty()) partitions_on_.erase(found);
  }
  if (object.holds()) holdings_.Take(base::Symbol(key), object);
}

const std::vector<base::Symbol>& Rooms::PartitionsOn(std::string_view node) const {
  static const std::vector<base::Symbol> kNone;
  const auto found = partitions_on_.find(base::Symbol(node));
  return found == partitions_on_.end() ? kNone : found->second;
}

void Rooms::SetNode(const std::string& name, const kclient::Node* node) {
  if (!node) return ledger_.RemoveNode(name);
  ledger_.SetNode(*node);
  TellRoomOf(name);
}

// The same numbers that WhyUnfit counts with, in whole MiB: what is too little here is so there.
void Rooms::TellRoomOf(const std::string& node) {
  const NodeLoad* load = node.empty() ? nullptr : ledger_.Find(node);
  if (load == nullptr) return;
  inventory_.SetRoom(node, {.cpu = load->Free("cpu"),
                            .memory = dcu::MiB{load->Free("memory") / dcu::kBytesPerMiB}});
}

void Rooms::SetCards(const std::string& node, const crds::DcuNode* cards) {
  if (!cards || ledger_.Find(node) == nullptr) return inventory_.RemoveNode(node);
  inventory_.SetNode(node, cards->status.devices, OptionsOf(*cards));
  TellRoomOf(node);
}

void Rooms::SetHeld(const crds::DcuNode* before, const crds::DcuNode* after) {
  if (before) {
    for (const auto& held : before->status.held) {
      inventory_.RemoveSlice(HeldId(before->meta.name, held));
    }
  }
  if (!after) return;
  for (const auto& held : after->status.held) {
    inventory_.SetSlice(HeldId(after->meta.name, held), held.assignment, held.ns);
  }
}

void Rooms::SetHold(const std::string& id, const dcu::Assignment& assignment, std::string_view ns) {
  inventory_.SetSlice(id, assignment, ns);
}

void Rooms::RemoveHold(const std::string& id, const std::string& node) {
  if (inventory_.RemoveSlice(id)) Improve(node);
}

void Rooms::Lay(const kclient::Pod& pod, const std::vector<dcu::Assignment>& slices) {
  Claim(pod, slices);
  anti_affinity_.Add(pod, slices.front().node);
}

void Rooms::Lift(const kclient::Pod& pod, const std::vector<dcu::Assignment>& slices) {
  anti_affinity_.Take(pod, slices.front().node);
  Unclaim(pod, slices);
}

void Rooms::Claim(const kclient::Pod& pod, const std::vector<dcu::Assignment>& slices) {
  const std::string& node = slices.front().node;
  for (size_t i = 0; i < slices.size(); ++i) {
    inventory_.SetSlice(IdFor(pod, i), slices[i], pod.meta.ns);
  }
  ledger_.Add(pod, node);
  TellRoomOf(node);
}

void Rooms::Unclaim(const kclient::Pod& pod, const std::vector<dcu::Assignment>& slices) {
  const std::string& node = slices.front().node;
  for (size_t i = 0; i < slices.size(); ++i) inventory_.RemoveSlice(IdFor(pod, i));
  ledger_.Take(pod, node);
  TellRoomOf(node);
}

void Rooms::Hide(const Occupant& there) {
  for (const Occupant::Slice& slice : there.slices) inventory_.RemoveSlice(slice.id);
  if (there.pod == nullptr) return;
  ledger_.Take(*there.pod, there.node);
  anti_affinity_.Hide(*there.pod, there.node);
  TellRoomOf(there.node);
}

void Rooms::Unhide(const Occupant& there) {
  for (const Occupant::Slice& slice : there.slices) {
    inventory_.SetSlice(slice.id, slice.assignment, slice.ns);
  }
  if (there.pod == nullptr) return;
  ledger_.Add(*there.pod, there.node);
  anti_affinity_.Unhide(*there.pod, there.node);
  TellRoomOf(there.node);
}

std::optional<std::string> Rooms::WhyOverQuota(
    const std::string& ns, const std::vector<dcu::SliceRequest>& asked,
    const std::vector<dcu::Assignment>& given,
    const std::function<crds::PartitionSpec(const base::Symbol& key)>& spec_of) const {
  if (!IsBounded(ns)) return {};
  const auto amounts_of = [this](const dcu::SliceRequest& request, const dcu::Assignment& gets) {
    return AmountsOf(request, gets, CardUnits(inventory_, gets));
  };
  Amounts more;
  for (size_t i = 0; i < asked.size(); ++i) more += amounts_of(asked[i], given[i]);
  return holdings_.WhyOver(ns, more, [&](const base::Symbol& key) {
    const crds::PartitionSpec spec = spec_of(key);
    return amounts_of(spec.request, *spec.assignment);
  });
}

bool Rooms::SetQuota(const std::string& key, const kclient::ResourceQuota* quota) {
  return holdings_.SetQuota(key, quota);
}

}  // namespace vdcu::reconcilers
