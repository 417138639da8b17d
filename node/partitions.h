// One pass over one VDCUPartition of this node: gathers what is known, plans, and does the plan's
// part on the disk.
//
// Promises: already admitted slices hold against new ones; of those that wait the older is admitted
// first (creationTimestamp, then name), in whatever order their keys come; a slice whose object is
// gone stays held, and is published, until its pod is gone from this node. An object is gone when
// the API says so: the watch may go by a label that a hand has changed.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "crds/vdcupartition.h"
#include "kclient/engine/key.h"
#include "kclient/engine/plan.h"
#include "kclient/event.h"
#include "kclient/store.h"
#include "node/metrics.h"
#include "node/node_state.h"
#include "node/partition_plan.h"
#include "node/stages.h"

namespace vdcu::node {

class Partitions {
 public:
  struct Sources {
    const NodeState& state;
    const base::Clock& clock;
    Metrics& metrics;
    Stages& stages;
    std::function<void(kclient::Event)> tell;
  };

  explicit Partitions(Sources sources)
      : sources_(std::move(sources)), state_(sources_.state), holdings_(state_.holdings) {}

  // Holds what has a folder on disk and no checkpoint, as its object says: a container may run with
  // that folder, and would see the whole card if repairing the disk removed it. Before that.
  base::Status Adopt();

  kclient::WorkPlan Reconcile(const kclient::Key& key) { return Reconcile(key, {}); }

  // Notes of each held slice that no object names, and that may be in use, that it is lost: what is
  // published from then on has it. Errors: what cannot be noted on the disk.
  base::Status NoteLost();

 private:
  // Answers of the API.
  struct Asked {
    std::map<std::string, PodState> pods = {};  // by UID
    bool partition_is_gone = false;             // or names nothing that is held here
  };
  using Ptr = kclient::Store<crds::VdcuPartition>::Ptr;

  base::Status NoteLost(Slice slice);
  kclient::WorkPlan Reconcile(const kclient::Key& key, const Asked& asked);
  // A plan, where something must be read first or the disk fails.
  std::optional<kclient::WorkPlan> ReconcileLost(const kclient::Key& key, const Ptr& partition,
                                                 const Asked& asked);
  kclient::WorkPlan ReconcileDeleted(const kclient::Key& key, const Ptr& partition,
                                     const Asked& asked);
  kclient::WorkPlan ReconcileWanted(const Ptr& partition);
  kclient::WorkPlan ReconcileUnread(const crds::VdcuPartition& partition);
  bool HoldsOf(const kclient::Key& key) const;
  kclient::WorkPlan ReadPartition(const kclient::Key& key, const Asked& asked);
  bool StillNames(const kclient::Key& key, const base::Result<kclient::JsonView>& answer) const;
  kclient::WorkPlan ReadPod(const kclient::Key& key, const crds::PodRef& pod, const Asked& asked);
  static bool MayGoUnseen(const Asked& asked);

  PodState StateOf(const std::string& ns, const std::optional<crds::PodRef>& pod,
                   const Asked& asked) const;
  std::optional<crds::PodRef> UserOf(const crds::VdcuPartition& partition) const;
  static Slice SliceOf(const crds::VdcuPartition& partition,
                       const std::optional<crds::PodRef>& user);
  std::optional<Refusal> Hold(const crds::VdcuPartition& partition,
                              const std::optional<crds::PodRef>& user);
  std::vector<const crds::VdcuPartition*> OlderWaiting(const crds::VdcuPartition& partition) const;
  void OnStatusWritten(const Ptr& partition, const std::optional<Refusal>& refusal);

  const Sources sources_;
  const NodeState& state_;
  Holdings& holdings_;
};

}  // namespace vdcu::node
