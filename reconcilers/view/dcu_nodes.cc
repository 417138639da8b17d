#include "reconcilers/view/dcu_nodes.h"

#include <algorithm>

namespace vdcu::reconcilers {

namespace {

// Only the daemon writes that it is Ready, and what stands beside it.
bool IsWord(const crds::DcuNode* before, const crds::DcuNode& now) {
  return now.ready() && (!before || before->status != now.status);
}

}  // namespace

void DcuNodes::Set(const std::string& name, const crds::DcuNode* before, const crds::DcuNode* after,
                   base::TimePoint now) {
  if (before) --by_ready_[std::string(before->ready_status())];
  written_.erase(name);
  if (after) {
    ++by_ready_[std::string(after->ready_status())];
    nodes_[base::Symbol(name)] = PackedDcuNode(*after);
    if (IsWord(before, *after)) {
      doubts_.OnWord(name, before && before->ready_status() == "Unknown", now);
    }
  } else {
    nodes_.erase(base::Symbol(name));
  }
  JudgeDaemon(name, now);
  if (after && (!after->ready() || doubts_.Find(name))) changes_.MarkDcuNode(name);
}

void DcuNodes::JudgeDaemon(const std::string& name, base::TimePoint now) {
  const auto found = nodes_.find(base::Symbol(name));
  if (found == nodes_.end()) return doubts_.Forget(name);
  if (FindUntainted(name)) changes_.MarkDcuNode(name);
  const NodeLoad* load = ledger_.Find(name);
  const kclient::Node* shown = load ? &load->node->alike() : nullptr;
  if (doubts_.Judge(name, shown, found->second.alike(), now)) changes_.MarkDcuNode(name);
}

void DcuNodes::OnMissed(const std::string& name, base::TimePoint now) {
  doubts_.OnMissed(name);
  JudgeDaemon(name, now);
}

bool DcuNodes::IsWritten(const crds::DcuNode& shown) const {
  const auto found = written_.find(shown.meta.name);
  return found != written_.end() && found->second == shown.meta.resource_version;
}

std::optional<kclient::Node> DcuNodes::FindUntainted(std::string_view name) const {
  if (taint_.empty()) return {};
  const auto found = nodes_.find(base::Symbol(name));
  const NodeLoad* load = ledger_.Find(name);
  if (found == nodes_.end() || load == nullptr) return {};
  if (found->second.alike().status.devices.empty()) return {};
  const auto& taints = load->node->alike().taints;
  const auto settles = [&](const kclient::Taint& taint) {
    return taint.key == taint_ || taint.effect == "NoExecute";
  };
  if (std::any_of(taints.begin(), taints.end(), settles)) return {};
  kclient::Node node = load->node->Unpack(name);
  const auto written = tainted_.find(name);
  if (written != tainted_.end() && written->second == node.meta.resource_version) return {};
  return node;
}

std::shared_ptr<const crds::DcuNode> DcuNodes::Find(std::string_view name) const {
  const auto found = nodes_.find(base::Symbol(name));
  if (found == nodes_.end()) return nullptr;
  return std::make_shared<const crds::DcuNode>(found->second.Unpack(name));
}

void DcuNodes::ForEachKey(const std::function<void(std::string_view)>& visit) const {
  for (const auto& [name, node] : nodes_) visit(name);
}

void DcuNodes::MarkDue() const {
  for (const auto& [name, node] : nodes_) {
    const bool due = doubts_.Find(name) || !node.alike().ready() || FindUntainted(name);
    if (due) changes_.MarkDcuNode(name);
  }
}

}  // namespace vdcu::reconcilers
