// The node daemon: watches the VDCUPartitions, pods and DCUNode of its node, scans the host, and
// keeps disk and objects true to each other.
//
// Promises: nothing is decided before the first lists are complete, the cards are scanned and the
// disk is mended, and no front begins before that; only the host's sysfs is polled (every 5 s).
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/random.h"
#include "base/uv_loop.h"
#include "kclient/api.h"
#include "kclient/event_recorder.h"
#include "kclient/informer.h"
#include "node/frontend.h"
#include "node/holdings.h"
#include "node/metrics.h"
#include "node/node_lease.h"
#include "node/node_object.h"
#include "node/owner_check.h"
#include "node/partitions.h"
#include "node/runner.h"
#include "node/stages.h"

namespace vdcu::node {

struct KubeletOptions {
  // As this process sees them.
  std::string plugin_folder;                // "/var/lib/kubelet/device-plugins"
  std::string root_dir;                     // has pod-resources: "/var/lib/kubelet"
  std::string cgroup_root;                  // the kubelet's cgroupRoot: "/"
  std::vector<std::string> resource_names;  // that are registered
  std::vector<MakeFrontend> fronts;
};

struct DaemonOptions {
  std::string node_name;
  std::vector<std::string> advertise =
      {};  // resources to write into the Node, where no kubelet does
  std::optional<KubeletOptions> kubelet = std::nullopt;  // none: no kubelet runs here
  std::string lease_namespace = "";                      // of the Lease that stands in for it
  bool take_over = false;                                // remove what another plugin left behind
  // It cannot go on: another plugin owns the cards.
  std::function<void(const base::Error&)> on_fatal = nullptr;
};

class Daemon {
 public:
  Daemon(base::UvLoop& loop, kclient::Client& client, const base::Root& host, Metrics& metrics,
         DaemonOptions options, base::Random random);
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // Errors: what is on disk is of a newer version, or cannot be read.
  base::Status Start();
  // Finishes the kubelet's admissions that are in flight, then drops all else; `done` runs when the
  // events are sent, within two seconds.
  void Stop(std::function<void()> done);
  // Why it is not ready, a sentence each.
  std::vector<std::string> NotReady() const;
  void UpdateMetrics() const;

 private:
  struct Kubelet {
    kubelet::PodResources pod_resources;
    kubelet::Cgroups cgroups;
  };

  void UseKubelet(const KubeletOptions& options);
  void WatchPartitions();
  void WatchPods();
  void WatchNodes();
  bool synced() const;
  template <class Visit>
  void ForEachInformer(const Visit& visit) const;
  void OnSynced();
  void OnOwnerChecked(const base::Status& ours);
  // The first scan and the mending of the disk; again with the next scan where the disk fails.
  void Begin();
  void OnScanTimer();
  void CheckDisk();
  void LogDisk(const DiskState& before) const;
  // Once after each time of work.
  void TrimWhenQuiet();
  void TakeScan(Scan scan);
  void LogNewProblems(const std::vector<std::string>& problems) const;
  Work Process(const std::string& key);
  Work ProcessDcuNode();
  void AddPartitions(const std::vector<std::string>& keys);
  void OnHeld();
  // Whether the kubelet, where there is one, would give out devices.
  bool admits() const;
  std::optional<Refusal> DeviceLost(const crds::PodRef& container) const;
  void OnAdmits();
  void OnReleased(const std::string& pod_uid);

  base::UvLoop& loop_;
  kclient::Client& client_;
  const base::Root& host_;
  Metrics& metrics_;
  const DaemonOptions options_;
  kclient::EventRecorder events_;
  kclient::Informer<crds::VdcuPartition> partition_informer_;
  kclient::Informer<NodePod> pod_informer_;
  kclient::Informer<crds::DcuNode> dcunode_informer_;
  std::unique_ptr<kclient::Informer<kclient::Node>> node_informer_;  // only to advertise
  RootFileOps files_;
  Holdings holdings_;
  std::map<std::string, std::string> unreadable_;  // partitions that do not decode, and why
  Runner runner_;
  Stages stages_;
  std::unique_ptr<Kubelet> kubelet_;  // if one runs here
  std::vector<std::unique_ptr<Frontend>> fronts_;
  Partitions partitions_;
  NodeObject node_object_;
  std::unique_ptr<NodeLease> lease_;         // if no kubelet runs here
  Scan scan_;                                // the last one
  std::unique_ptr<OwnerCheck> owner_check_;  // until it is known that the cards are ours
  size_t draining_ = 0;                      // fronts
  bool begun_ = false;
  bool worked_ = true;        // since the last scan
  bool trim_is_due_ = false;  // it has worked since the last trim
  base::TimerPtr scan_timer_;
};

}  // namespace vdcu::node
