#include "reconcilers/view/priorities.h"

namespace vdcu::reconcilers {

void Priorities::Add(std::string_view node, int priority) {
  const base::Symbol name(node);
  Counts& counts = nodes_[name];
  const auto before = LowestOf(counts);
  ++counts[priority];
  Turn(name, before, LowestOf(counts));
}

void Priorities::Remove(std::string_view node, int priority) {
  const base::Symbol name(node);
  const auto found = nodes_.find(name);
  Counts& counts = found->second;
  const auto before = LowestOf(counts);
  const auto count = counts.find(priority);
  if (--count->second == 0) counts.erase(count);
  Turn(name, before, LowestOf(counts));
  if (counts.empty()) nodes_.erase(found);
}

std::optional<int> Priorities::LowestOf(const Counts& counts) {
  if (counts.empty()) return {};
  return counts.begin()->first;
}

void Priorities::Turn(const base::Symbol& node, std::optional<int> before,
                      std::optional<int> after) {
  if (before == after) return;
  if (before) by_lowest_.erase({*before, node});
  if (after) by_lowest_.emplace(*after, node);
}

std::optional<int> Priorities::Lowest() const {
  if (by_lowest_.empty()) return {};
  return by_lowest_.begin()->first;
}

bool Priorities::AnyBelow(std::string_view node, int priority) const {
  const auto found = nodes_.find(base::Symbol(node));
  return found != nodes_.end() && found->second.begin()->first < priority;
}

std::vector<base::Symbol> Priorities::NodesBelow(int priority) const {
  std::vector<base::Symbol> nodes;
  for (const auto& [lowest, node] : by_lowest_) {
    if (lowest >= priority) break;
    nodes.push_back(node);
  }
  return nodes;
}

}  // namespace vdcu::reconcilers
