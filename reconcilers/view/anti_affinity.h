// Pods that are on nodes and keep others away by required podAntiAffinity, whatever their
// scheduler. Kept up to date change by change; such pods are few, and those with the same terms are
// one row.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/symbol.h"
#include "kclient/core/affinity.h"
#include "kclient/core/pod.h"

namespace vdcu::reconcilers {

// A term of pods that keeps some pod away, and where those pods are.
struct Keeper {
  uint64_t id = 0;  // of all pods with these terms; never used again
  const kclient::PodAffinityTerm* term = nullptr;
  const std::map<base::Symbol, int>* nodes = nullptr;  // with how many of them
};

class AntiAffinity {
 public:
  // The pod is on the node, and is not any more. Whether it is the first, or was the last, of all
  // that have its terms.
  bool Add(const kclient::Pod& pod, std::string_view node);
  bool Take(const kclient::Pod& pod, std::string_view node);
  // The pod, which is on the node, counts there or does not for a moment: nothing comes or goes.
  void Hide(const kclient::Pod& pod, std::string_view node) { Count(pod, node, -1); }
  void Unhide(const kclient::Pod& pod, std::string_view node) { Count(pod, node, +1); }

  // Holds until the next change.
  std::vector<Keeper> KeepersOf(const std::string& ns, const kclient::Labels& ns_labels,
                                const kclient::Labels& labels) const;
  bool IsOn(std::string_view node) const;
  // Whether what some of them select depends on the labels of namespaces.
  bool SelectsNamespaces() const;

 private:
  struct Group {
    uint64_t id = 0;
    std::map<base::Symbol, int> nodes;
  };

  void Count(const kclient::Pod& pod, std::string_view node, int more);

  std::map<std::vector<kclient::PodAffinityTerm>, Group> groups_;  // none is empty
  uint64_t next_id_ = 0;
};

}  // namespace vdcu::reconcilers
