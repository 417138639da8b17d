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

void NodeLedger::Charge(std::string_view pod_uid, const kclient::Pod& pod, std::string_view node) {
  Discharge(pod_uid);
  const Charged& charged = charged_[kclient::Uid(pod_uid)] = {
      base::Interned<Share>({pod.requests, pod.host_ports}), base::Symbol(node)};
  Count(charged, +1);
}

void NodeLedger::Discharge(std::string_view pod_uid) {
  const auto found = charged_.find(kclient::Uid(pod_uid));
  if (found == charged_.end()) return;
  Count(found->second, -1);
  charged_.erase(found);
}

void NodeLedger::Count(const Charged& charged, int sign) {
  NodeLoad& load = nodes_[charged.node.str()];
  load.pods += sign;
  for (const auto& [name, amount] : charged.share->requests) load.used[name] += sign * amount;
  for (const kclient::HostPort& port : charged.share->ports) {
    if (sign > 0) {
      load.ports.push_back(port);
    } else {
      load.ports.erase(std::find(load.ports.begin(), load.ports.end(), port));
    }
  }
  if (load.pods == 0 && load.node == nullptr) nodes_.erase(charged.node.str());
}

std::string NodeLedger::ChargedNode(std::string_view pod_uid) const {
  const auto found = charged_.find(kclient::Uid(pod_uid));
  return found == charged_.end() ? std::string() : found->second.node.str();
}

const NodeLoad* NodeLedger::Find(std::string_view name) const {
  const auto found = nodes_.find(name);
  return found == nodes_.end() || found->second.node == nullptr ? nullptr : &found->second;
}

}  // namespace vdcu::reconcilers
