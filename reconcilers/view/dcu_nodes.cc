#include "reconcilers/view/dcu_nodes.h"

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

std::shared_ptr<const crds::DcuNode> DcuNodes::Find(std::string_view name) const {
  const auto found = nodes_.find(base::Symbol(name));
  if (found == nodes_.end()) return nullptr;
  return std::make_shared<const crds::DcuNode>(found->second.Unpack(name));
}

void DcuNodes::ForEachKey(const std::function<void(std::string_view)>& visit) const {
  for (const auto& [name, node] : nodes_) visit(name);
}

void DcuNodes::MarkDoubted() const {
  for (const auto& [name, node] : nodes_) {
    if (doubts_.Find(name) || !node.alike().ready()) changes_.MarkDcuNode(name);
  }
}

}  // namespace vdcu::reconcilers
