// One pass over one VDCUPartition of this node: gathers what is known, plans, and does the plan's
// part on the disk.
//
// Promises: already admitted slices hold against new ones; of those that wait the older is admitted
// first (creationTimestamp, then name), in whatever order their keys come; a slice whose object is
// gone stays held, and is published, until its pod is gone from this node.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "crds/vdcupartition.h"
#include "kclient/event.h"
#include "kclient/store.h"
#include "node/holdings.h"
#include "node/metrics.h"
#include "node/node_pod.h"
#include "node/partition_plan.h"
#include "node/runner.h"

namespace vdcu::node {

class Partitions {
 public:
  struct Sources {
    std::string node;
    const kclient::Store<crds::VdcuPartition>& partitions;  // of this node
    const kclient::Store<NodePod>& pods;                    // of this node
    const base::Clock& clock;
    Metrics& metrics;
    // Whether a process of the pod is left; if so, its partitions are processed again when none
    // is.
    std::function<bool(const std::string& pod_uid)> wait_for_end;
    // Why a container that holds a slice cannot be started again; nothing: it can.
    std::function<std::optional<Refusal>(const crds::PodRef& container)> device_lost;
    // Whether a pod may be bound here now; if not, what waits for that is processed again then.
    std::function<bool()> kubelet_admits;
    std::function<void(kclient::Event)> tell;
    std::function<void()> on_held;  // what is held has changed
    // Those that wait may fit now; the UID of the pod that had it, or none.
    std::function<void(const std::string& pod_uid)> on_released;
    std::function<void(const std::string& pod_uid)> on_prepared;
  };

  Partitions(Sources sources, Holdings& holdings)
      : sources_(std::move(sources)), holdings_(holdings) {}

  // Holds what has a folder on disk and no checkpoint, as its object says: a container may run with
  // that folder, and would see the whole card if mending the disk removed it. Before that.
  base::Status Adopt();

  // `key` is "namespace/name"; `unreadable` says why the object there does not decode, if so.
  Work Process(const std::string& key, const std::optional<std::string>& unreadable);

  // Notes of each held slice that no object names, and that may be in use, that it is lost: what is
  // published from then on has it. Errors: what cannot be noted on the disk.
  base::Status NoteLost();

  // Keys of the partitions that the pod uses or may use.
  std::vector<std::string> KeysOf(const NodePod& pod) const;
  // The same of a pod that may be gone from the API.
  std::vector<std::string> KeysOf(const std::string& pod_uid) const;
  // Keys of all objects and of all that is held.
  std::vector<std::string> AllKeys() const;
  // Keys of the objects that are not held.
  std::vector<std::string> WaitingKeys() const;

 private:
  using Asked = std::map<std::string, PodState>;  // by pod UID, answers of the API
  using Ptr = kclient::Store<crds::VdcuPartition>::Ptr;

  base::Status NoteLost(Slice slice);
  Work ProcessReadable(const std::string& key, const Asked& asked);
  // Work, where a question must be asked first or the disk fails.
  std::optional<Work> ProcessLost(const std::string& key, const Ptr& partition, const Asked& asked);
  Work ProcessDeleted(const Ptr& partition, const Asked& asked);
  Work ProcessWanted(const Ptr& partition);
  Work AskForPod(const std::string& key, const crds::PodRef& pod, const Asked& asked);
  Work AskForUnreadable(const std::string& key, const std::string& error);

  PodState StateOf(const std::string& ns, const std::optional<crds::PodRef>& pod,
                   const Asked& asked) const;
  std::optional<crds::PodRef> UserOf(const crds::VdcuPartition& partition) const;
  static Slice SliceOf(const crds::VdcuPartition& partition,
                       const std::optional<crds::PodRef>& user);
  std::optional<Refusal> Hold(const crds::VdcuPartition& partition,
                              const std::optional<crds::PodRef>& user);
  std::vector<const crds::VdcuPartition*> OlderWaiting(const crds::VdcuPartition& partition) const;
  base::Status Release(const std::string& uid);
  void OnStatusWritten(const Ptr& partition, const std::optional<Refusal>& refusal);

  const Sources sources_;
  Holdings& holdings_;
};

}  // namespace vdcu::node
