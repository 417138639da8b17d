#include "reconcilers/view/node_ledger.h"

#include <algorithm>
#include <utility>

namespace vdcu::reconcilers {

namespace {

void AddTo(std::vector<std::pair<base::Symbol, int64_t>>& used, std::string_view resource,
           int64_t amount) {
  for (auto& [name, sum] : used) {
    if (name == resource) {
      sum += amount;
      return;
    }
  }
  used.emplace_back(resource, amount);
}

}  // namespace

int64_t NodeLoad::Used(std::string_view resource) const {
  const auto found = std::find_if(used.begin(), used.end(),
                                  [&](const auto& item) { return item.first == resource; });
  return found == used.end() ? 0 : found->second;
}

int64_t NodeLoad::Free(std::string_view resource) const {
  const kclient::ResourceList& allocatable = node->alike().allocatable;
  const auto has = allocatable.find(resource);
  return (has == allocatable.end() ? 0 : has->second) - Used(resource);
}

bool LeavesRoom(const kclient::Pod& before, const kclient::Pod& after) {
  const auto asks_less = [&](const auto& item) {
    const auto found = after.requests.find(item.first);
    return item.second > (found == after.requests.end() ? 0 : found->second);
  };
  const auto closes = [&](const kclient::HostPort& port) {
    return std::find(after.host_ports.begin(), after.host_ports.end(), port) ==
           after.host_ports.end();
  };
  return std::any_of(before.requests.begin(), before.requests.end(), asks_less) ||
         std::any_of(before.host_ports.begin(), before.host_ports.end(), closes);
}

NodeLoad& NodeLedger::LoadOf(const base::Symbol& node) {
  NodeLoad& load = nodes_[node];
  load.name = node;
  return load;
}

void NodeLedger::SetNode(const kclient::Node& node) {
  LoadOf(base::Symbol(node.meta.name)).node.emplace(node);
}

void NodeLedger::RemoveNode(const std::string& name) {
  const auto found = nodes_.find(base::Symbol(name));
  if (found == nodes_.end()) return;
  found->second.node.reset();
  if (found->second.pods == 0) nodes_.erase(found);
}

void NodeLedger::Count(const kclient::Pod& pod, std::string_view node, int sign) {
  const base::Symbol name(node);
  NodeLoad& load = LoadOf(name);
  load.pods += sign;
  for (const auto& [resource, amount] : pod.requests) AddTo(load.used, resource, sign * amount);
  for (const kclient::HostPort& port : pod.host_ports) {
    if (sign > 0) {
      load.ports.push_back(port);
    } else {
      load.ports.erase(std::find(load.ports.begin(), load.ports.end(), port));
    }
  }
  if (load.pods == 0 && !load.node) nodes_.erase(name);
}

size_t NodeLedger::node_count() const {
  return std::count_if(nodes_.begin(), nodes_.end(),
                       [](const auto& item) { return item.second.node.has_value(); });
}

const NodeLoad* NodeLedger::Find(std::string_view name) const {
  const auto found = nodes_.find(base::Symbol(name));
  return found == nodes_.end() || !found->second.node ? nullptr : &found->second;
}

}  // namespace vdcu::reconcilers
