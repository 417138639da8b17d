// Pods that run with slices of their own, for tests of who goes for whom.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>

#include "tests/reconcilers/shown.h"

namespace vdcu::reconcilers {

struct Running {
  std::string name;
  std::string node;
  int units = 0;  // of the node's first card; 0: it has no slice
  int priority = 0;
  std::string created = builders::kCreated;
  int64_t memory = 100;
  std::function<void(builders::PodBuilder&)> more = [](builders::PodBuilder&) {};
  bool gone = false;  // only its slice is there yet
};

// Of the host, by the label "app".
inline kclient::PodAffinityTerm OfApp(const std::string& app) {
  kclient::PodAffinityTerm term;
  term.pods.present = true;
  term.pods.match_labels = {{"app", app}};
  term.namespaces = {"team-a"};
  term.topology_key = "kubernetes.io/hostname";
  return term;
}

// Slices one after the other on the first card of each node.
class Cards {
 public:
  explicit Cards(ShownCluster& shown) : shown_(shown) {}

  PodPtr Run(const Running& running) {
    auto builder = builders::MakePod(running.name).Priority(running.priority);
    builder.Created(running.created).Limits({{"hygon.com/dcunum", 1}}).Node(running.node);
    running.more(builder);
    const PodPtr pod = builder.Obj();
    if (running.units > 0) {
      auto& [units, slices] = taken_[running.node];
      shown_.Show(builders::MakePartition("")
                      .For(pod)
                      .Assigned(builders::MakeSlice(running.node, 0, units, running.units,
                                                    running.memory, slices, slices))
                      .Ready()
                      .Obj());
      units += running.units;
      ++slices;
    }
    if (!running.gone) shown_.Show(pod);
    return pod;
  }
  // The pod goes, and its slice with it.
  void End(const PodPtr& pod) {
    shown_.Remove(pod);
    LetGo(pod);
  }
  void LetGo(const PodPtr& pod) { shown_.Remove(builders::MakePartition("").For(pod).Obj()); }

 private:
  ShownCluster& shown_;
  std::map<std::string, std::pair<int, int>> taken_;  // by node: units and slices
};

}  // namespace vdcu::reconcilers
