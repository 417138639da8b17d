// What only a leader has: the watches, the cluster that they show, and the runner that acts on it.
// Made when leadership is won, so that the first decision is made from what etcd has then.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/loop.h"
#include "base/random.h"
#include "controller/extender/extender.h"
#include "controller/gate/gate.h"
#include "controller/metrics.h"
#include "controller/runner.h"
#include "crds/dcunode.h"
#include "crds/vdcupartition.h"
#include "kclient/api.h"
#include "kclient/core/node.h"
#include "kclient/core/pod.h"
#include "kclient/core/quota.h"
#include "kclient/core/volume.h"
#include "kclient/informer.h"
#include "reconcilers/view/cluster.h"
#include "reconcilers/view/shown_sink.h"

namespace vdcu::controller {

// Of a Lease only that it has been renewed matters.
struct RenewedLease {
  kclient::ObjectMeta meta;
  static base::Result<RenewedLease> FromJson(kclient::JsonView object);
};

class LeaderState {
 public:
  LeaderState(base::Loop& loop, kclient::Client& client, kclient::EventRecorder& events,
              Metrics& metrics, reconcilers::Settings settings, std::function<bool()> may_write,
              base::Random random);
  // Runs when all kinds are listed and others may be answered; before Start.
  void OnStarted(std::function<void()> handler) { on_started_ = std::move(handler); }
  LeaderState(const LeaderState&) = delete;
  LeaderState& operator=(const LeaderState&) = delete;

  void Start();
  // Kinds that have not been listed yet, or whose watch fails, a sentence each.
  std::vector<std::string> NotReady() const;
  void UpdateMetrics() const;
  Runner& runner() { return runner_; }
  Extender& extender() { return extender_; }
  Gate& gate() { return gate_; }
  const Runner& runner() const { return runner_; }

 private:
  template <class T>
  void Watch(kclient::Informer<T>& informer);
  void OnSynced();
  template <class Visit>
  void ForEachInformer(const Visit& visit) const;

  base::Random SharedRandom() {
    return [this] { return random_(); };
  }

  base::Loop& loop_;
  Metrics& metrics_;
  const base::Random random_;
  std::function<void()> on_started_ = [] {};
  reconcilers::Cluster cluster_;
  Runner runner_;
  Extender extender_;
  Gate gate_;
  reconcilers::ShownSink<kclient::Pod> shown_pods_;
  reconcilers::ShownSink<kclient::Node> shown_nodes_;
  reconcilers::ShownSink<kclient::PersistentVolumeClaim> shown_claims_;
  reconcilers::ShownSink<kclient::PersistentVolume> shown_volumes_;
  reconcilers::ShownSink<kclient::Namespace> shown_namespaces_;
  reconcilers::ShownSink<crds::VdcuPartition> shown_partitions_;
  reconcilers::ShownSink<crds::DcuNode> shown_dcu_nodes_;
  kclient::Informer<kclient::Pod> pods_;
  kclient::Informer<kclient::Node> nodes_;
  kclient::Informer<kclient::PersistentVolumeClaim> claims_;
  kclient::Informer<kclient::PersistentVolume> volumes_;
  kclient::Informer<kclient::Namespace> namespaces_;
  kclient::Informer<kclient::ResourceQuota> quotas_;
  kclient::Informer<crds::VdcuPartition> partitions_;
  kclient::Informer<crds::DcuNode> dcu_nodes_;
  kclient::Informer<RenewedLease> leases_;  // of nodes without a kubelet
};

}  // namespace vdcu::controller
