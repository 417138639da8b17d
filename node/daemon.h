// The node daemon: watches the VDCUPartitions, pods and DCUNode of its node, scans the host, and
// keeps disk and objects true to each other.
//
// Level-triggered, as the controller is: what changes the node's state notes it (changes.h), one
// pass maps the notes to keys (keys.h) and lets the fronts read the state, and Reconcile plans for
// a key what the state asks for then. The executor carries that out.
//
// Promises: nothing is decided before the first lists are complete, the cards are scanned and the
// disk is repaired, and no front begins before that; only the host's sysfs is polled (every 5 s).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <prometheus/metric_family.h>

#include "base/file.h"
#include "base/loop.h"
#include "base/random.h"
#include "kclient/api.h"
#include "kclient/engine/decider.h"
#include "kclient/engine/executor.h"
#include "kclient/event_recorder.h"
#include "kclient/informer.h"
#include "node/fronts.h"
#include "node/hami_register.h"
#include "node/holdings.h"
#include "node/housekeeping.h"
#include "node/metrics.h"
#include "node/node_lease.h"
#include "node/node_object.h"
#include "node/node_state.h"
#include "node/owner_check.h"
#include "node/partitions.h"
#include "node/stages.h"

namespace vdcu::node {

struct DaemonOptions {
  std::string node_name;
  Advertised advertise = {};                             // to be written into the Node
  std::optional<KubeletOptions> kubelet = std::nullopt;  // none: no kubelet runs here
  std::string lease_namespace = "";                      // of the Lease that stands in for it
  bool take_over = false;                                // remove what another plugin left behind
  bool pod_metrics = false;                              // that name pods
  std::vector<std::string> metric_names = {};            // of kFamiliarMetrics
  crds::Hami hami = crds::Hami::kOff;  // as what the Node's annotations show cards
  // It cannot go on: another plugin owns the cards.
  std::function<void(const base::Error&)> on_fatal = nullptr;
};

class Daemon : private kclient::Decider {
 public:
  Daemon(base::Loop& loop, kclient::Client& client, const base::Root& host, Metrics& metrics,
         DaemonOptions options, base::Random random);
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;
  ~Daemon() override;  // of many large members: compiled in daemon.cc alone

  // Errors: what is on disk is of a newer version, or cannot be read.
  base::Status Start();
  // Finishes the kubelet's admissions that are in flight, then drops all else; `done` runs when the
  // events are sent, within two seconds.
  void Stop(std::function<void()> done);
  // Why it is not ready, a sentence each.
  std::vector<std::string> NotReady() const;
  void UpdateMetrics() const;
  std::vector<prometheus::MetricFamily> CardMetrics() const;

 private:
  void UseKubelet(const KubeletOptions& options);
  void WatchPartitions();
  void WatchPods();
  void NotePod(const NodePod& pod);
  void WatchNodes();
  bool synced() const;
  template <class Visit>
  void ForEachInformer(const Visit& visit) const;
  void OnSynced();
  void OnOwnerChecked(const base::Status& ours);
  // The first scan and the repair of the disk; again after a while where the disk fails.
  void Begin();
  void OnLookTimer();
  // After something was noted.
  void Pass();
  void CountHoldings() const;
  kclient::WorkPlan Reconcile(const kclient::Key& key) override;
  kclient::WorkPlan ReconcileDcuNode();
  // Both count what fails.
  void OnWritten(const kclient::Write& write, const base::Status& status,
                 base::Duration took) override;
  void OnFailed(const kclient::Key& key, const base::Error& error) override;

  base::Loop& loop_;
  kclient::Client& client_;
  const base::Root& host_;
  Metrics& metrics_;
  const DaemonOptions options_;
  kclient::EventRecorder events_;
  kclient::Informer<crds::VdcuPartition> partition_informer_;
  kclient::Informer<NodePod> pod_informer_;
  kclient::Informer<crds::DcuNode> dcunode_informer_;
  std::unique_ptr<kclient::Informer<kclient::Node>> node_informer_;  // only to advertise
  base::TimerPtr pass_timer_;  // armed from a note until the pass
  Changes changes_;
  RootFileOps files_;
  Holdings holdings_;
  NodeState state_;
  Stages stages_;
  kclient::Executor executor_;
  std::unique_ptr<Fronts> fronts_;  // if a kubelet runs here
  Partitions partitions_;
  NodeObject node_object_;
  Housekeeping housekeeping_;
  std::unique_ptr<HamiRegister> hami_;       // if tools of HAMi are to see the cards
  std::unique_ptr<NodeLease> lease_;         // if no kubelet runs here
  std::unique_ptr<OwnerCheck> owner_check_;  // until it is known that the cards are ours
  bool begun_ = false;
  base::TimerPtr look_timer_;
};

}  // namespace vdcu::node
