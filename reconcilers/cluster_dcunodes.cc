// Cluster's DCUNodes: the cards, and how far their daemons' word is to be taken.
#include <string>
#include <utility>
#include <vector>

#include "reconcilers/cluster.h"

namespace vdcu::reconcilers {

namespace {

std::string HeldId(const std::string& node, const crds::HeldSlice& held) {
  return "held:" + node + ":" + held.partition_uid;
}

// Only the daemon writes that it is Ready, and what stands beside it.
bool IsWord(const crds::DcuNode* before, const crds::DcuNode& now) {
  return now.ready() && (!before || before->status != now.status);
}

}  // namespace

void Cluster::OnDcuNode(const std::shared_ptr<const crds::DcuNode>& old_node,
                        const std::shared_ptr<const crds::DcuNode>& new_node, base::TimePoint now) {
  const std::string& name = (new_node ? *new_node : *old_node).meta.name;
  if (old_node) {
    for (const auto& held : old_node->status.held) inventory_.RemoveSlice(HeldId(name, held));
    CountReady(*old_node, -1);
  }
  doubted_.erase(name);
  if (new_node) {
    for (const auto& held : new_node->status.held) {
      inventory_.SetSlice(HeldId(name, held), held.assignment, held.ns);
    }
    CountReady(*new_node, +1);
    dcu_nodes_[base::Symbol(name)] = PackedDcuNode(*new_node);
    if (IsWord(old_node.get(), *new_node)) {
      doubts_.OnWord(name, old_node && old_node->ready_status() == "Unknown", now);
    }
  } else {
    dcu_nodes_.erase(base::Symbol(name));
  }
  JudgeDaemon(name, now);
  if (new_node && (!new_node->ready() || doubts_.Find(name))) MarkDirtyDcuNode(name);
  const bool same = old_node && new_node && old_node->spec == new_node->spec &&
                    old_node->status.devices == new_node->status.devices &&
                    old_node->status.held == new_node->status.held &&
                    old_node->status.occupied_vdevs == new_node->status.occupied_vdevs &&
                    old_node->ready() == new_node->ready();
  if (same) return;
  RefreshInventory(name);
  Improve(name);
  reshaped_ = true;
}

void Cluster::JudgeDaemon(const std::string& node, base::TimePoint now) {
  const auto found = dcu_nodes_.find(base::Symbol(node));
  if (found == dcu_nodes_.end()) return doubts_.Forget(node);
  const NodeLoad* load = ledger_.Find(node);
  const kclient::Node* shown = load ? &load->node->alike() : nullptr;
  if (doubts_.Judge(node, shown, found->second.alike(), now)) MarkDirtyDcuNode(node);
}

void Cluster::MarkDirtyDcuNode(std::string_view name) {
  if (!all_dirty_) dirty_dcu_nodes_.emplace(name);
}

void Cluster::CountReady(const crds::DcuNode& node, int sign) {
  dcu_nodes_by_ready_[std::string(node.ready_status())] += sign;
}

bool Cluster::IsBeingDoubted(const crds::DcuNode& shown) const {
  const auto found = doubted_.find(shown.meta.name);
  return found != doubted_.end() && found->second == shown.meta.resource_version;
}

// A node's cards count only while both its Node and its DCUNode exist.
void Cluster::RefreshInventory(const std::string& node) {
  const auto shown = ShownDcuNode(node);
  if (!shown || ledger_.Find(node) == nullptr) {
    inventory_.RemoveNode(node);
    return;
  }
  const crds::DcuNode& dcu_node = *shown;
  dcu::NodeOptions options;
  options.unschedulable_devices = {dcu_node.spec.unschedulable_devices.begin(),
                                   dcu_node.spec.unschedulable_devices.end()};
  options.memory_reserve = dcu_node.spec.memory_reserve;
  options.occupied_vdevs = dcu_node.status.occupied_vdevs;
  options.ready = dcu_node.ready();
  options.share = dcu_node.spec.share_cards;
  inventory_.SetNode(node, dcu_node.status.devices, options);
  NoteSharing();
}

}  // namespace vdcu::reconcilers
