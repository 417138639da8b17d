#include "reconcilers/node_ledger.h"

#include <algorithm>
#include <utility>

namespace vdcu::reconcilers {

void NodeLedger::SetNode(std::shared_ptr<const kclient::Node> node) {
  NodeLoad& load = nodes_[node->meta.name];
  load.node = std::move(node);
}

void NodeLedger::RemoveNode(const std::string& name) {
  const auto found = nodes_.find(name);
  if (found == nodes_.end()) return;
  found->second.node = nullptr;
  if (found->second.pods == 0) nodes_.erase(found);
}

void NodeLedger::Charge(const std::string& pod_uid, std::shared_ptr<const kclient::Pod> pod,
                        const std::string& node) {
  if (const auto found = charged_.find(pod_uid); found != charged_.end()) {
    Count(found->second, -1);
    charged_.erase(found);
  }
  if (node.empty()) return;
  const Charged& charged = charged_[pod_uid] = {std::move(pod), node};
  Count(charged, +1);
}

void NodeLedger::Count(const Charged& charged, int sign) {
  NodeLoad& load = nodes_[charged.node];
  load.pods += sign;
  for (const auto& [name, amount] : charged.pod->requests) load.used[name] += sign * amount;
  for (const kclient::HostPort& port : charged.pod->host_ports) {
    if (sign > 0) {
      load.ports.push_back(port);
    } else {
      load.ports.erase(std::find(load.ports.begin(), load.ports.end(), port));
    }
  }
  if (load.pods == 0 && load.node == nullptr) nodes_.erase(charged.node);
}

const std::string& NodeLedger::ChargedNode(const std::string& pod_uid) const {
  static const std::string kNowhere;
  const auto found = charged_.find(pod_uid);
  return found == charged_.end() ? kNowhere : found->second.node;
}

const NodeLoad* NodeLedger::Find(std::string_view name) const {
  const auto found = nodes_.find(name);
  return found == nodes_.end() || found->second.node == nullptr ? nullptr : &found->second;
}

}  // namespace vdcu::reconcilers
