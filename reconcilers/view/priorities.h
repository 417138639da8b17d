// Of which priorities there are pods with cards on which node, so that who looks for less important
// ones looks at few nodes. Kept up to date change by change.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/symbol.h"

namespace vdcu::reconcilers {

class Priorities {
 public:
  // A pod of that priority is on the node, and is not any more.
  void Add(std::string_view node, int priority);
  void Remove(std::string_view node, int priority);

  // Of all nodes. Nothing: there is no such pod.
  std::optional<int> Lowest() const;
  bool AnyBelow(std::string_view node, int priority) const;
  // The nodes with one of a lower priority: that with the lowest first, then by name.
  std::vector<base::Symbol> NodesBelow(int priority) const;

 private:
  using Counts = std::map<int, int>;  // of pods, by priority

  static std::optional<int> LowestOf(const Counts& counts);
  void Turn(const base::Symbol& node, std::optional<int> before, std::optional<int> after);

  std::unordered_map<base::Symbol, Counts> nodes_;    // none is empty
  std::set<std::pair<int, base::Symbol>> by_lowest_;  // nodes_, turned round
};

}  // namespace vdcu::reconcilers
