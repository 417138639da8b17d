// Where a waiting pod may go beside the pods that are on nodes: its required affinity and
// anti-affinity, its spread constraints with DoNotSchedule, and the anti-affinity of those pods.
// Source: kube-scheduler plugins interpodaffinity and podtopologyspread, filtering.go.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/symbol.h"
#include "kclient/core/affinity.h"
#include "kclient/core/pod.h"
#include "reconcilers/view/anti_affinity.h"
#include "reconcilers/view/node_ledger.h"

namespace vdcu::reconcilers {

// Of a namespace.
using LabelsOf = std::function<const kclient::Labels&(std::string_view ns)>;

// Whether where it may go depends on where other pods are; and on where this one is.
bool MindsPods(const kclient::Pod& waiting);
bool MindsPod(const kclient::Pod& waiting, const kclient::Pod& other, const LabelsOf& labels_of);
// Two pods with the same text may go to the same nodes.
nlohmann::json TextOfTopology(const kclient::Pod& waiting);

// A pod that is on a node.
struct PodThere {
  std::string_view ns;
  const kclient::Labels& labels;
  const NodeLoad& load;
  bool deleting = false;
};
using VisitPods = std::function<void(const std::function<void(const PodThere&)>&)>;

// Holds until a pod, a node or a namespace changes.
class PodTopology {
 public:
  PodTopology(const kclient::Pod& pod, const std::vector<Keeper>& keepers, const NodeLedger& ledger,
              const LabelsOf& labels_of, const VisitPods& visit_pods);

  // Nothing: it may go there. Else why not, as one countable phrase.
  std::optional<std::string> WhyNot(const NodeLoad& load) const;

 private:
  // Pods by the value of a node label.
  struct Tally {
    std::string key;
    std::map<std::string, int, std::less<>> counts;

    void Count(const NodeLoad& load);
    int Of(const NodeLoad& load) const;
  };
  struct Spread {
    Tally tally;  // of the nodes that count, those without pods too
    std::unordered_set<base::Symbol> nodes;
    int max_skew = 1;
    int of_itself = 0;  // the pod counts as one of them
    int least = 0;
  };

  void CountKeepers(const std::vector<Keeper>& keepers, const NodeLedger& ledger);
  void FindDomains(const kclient::Pod& pod, const NodeLedger& ledger);
  void CountPod(const kclient::Pod& pod, const PodThere& there, const LabelsOf& labels_of);
  void FindLeast(const kclient::Pod& pod);
  std::optional<std::string> WhyFarFromOthers(const NodeLoad& load) const;
  std::optional<std::string> WhyTooUneven(const NodeLoad& load) const;

  std::vector<Tally> keepers_;
  std::vector<Tally> anti_affinity_;
  std::vector<Tally> affinity_;
  bool is_first_ = false;  // of those that its affinity names: no other is anywhere
  std::vector<Spread> spreads_;
};

}  // namespace vdcu::reconcilers
