// All that a node has to do with its kubelet: the device plugins of the registered resources, the
// admission behind them, and the cgroups of pods.
//
// Promises: no plugin registers before Begin, nor while the kubelet's cgroups are not found (else a
// slice might be taken for free while its processes run) or nobody listens at its pod-resources
// (else nobody could tell whom it asks for).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/uv_loop.h"
#include "kclient/api.h"
#include "kclient/event.h"
#include "kclient/store.h"
#include "node/admission.h"
#include "node/holdings.h"
#include "node/kubelet/allocatable.h"
#include "node/kubelet/cgroups.h"
#include "node/kubelet/plugin.h"
#include "node/kubelet/pod_resources.h"
#include "node/metrics.h"
#include "node/node_pod.h"
#include "node/other_owner.h"
#include "node/stages.h"

namespace vdcu::node {

struct KubeletOptions {
  std::string node;  // its name
  // As this process sees them; both "/var/lib/kubelet" where the kubelet has no --root-dir.
  std::string dir;                          // has device-plugins
  std::string root_dir;                     // has pod-resources
  std::string cgroup_root;                  // the kubelet's cgroupRoot: "/"
  std::string dtk_dir;                      // of the host: "/opt/dtk"
  std::vector<std::string> resource_names;  // to be registered
};

class DevicePlugins {
 public:
  struct Sources {
    base::UvLoop& loop;
    kclient::Client& client;
    const base::Root& host;
    const kclient::Store<NodePod>& pods;  // of this node
    Metrics& metrics;
    Stages& stages;
    std::function<void(kclient::Event)> tell;
    std::function<void(const std::string& pod_uid)> on_pod_ended;  // it was waited for
    std::function<void()> on_admits;                               // Admits() has become true
    std::function<void(const std::string& pod_uid)> on_lost;       // DeviceLost() is other
  };

  DevicePlugins(const Sources& sources, const KubeletOptions& options, Holdings& holdings);

  // What is on the host of another plugin of these cards.
  std::vector<Trace> FindTraces();
  // What is held is known and on disk: the kubelet may ask.
  void Begin();
  // Cards or slices have changed.
  void Update();
  // A slice has become free.
  void OnReleased();
  // Repairs what no notification tells of; now and then.
  void Check();

  // Whether the kubelet would give out devices of all resources: it fails a pod for good that comes
  // before. True where no card is healthy, as there is nothing to give out.
  bool Admits() const { return allocatable_.complete(); }
  bool DeviceLost(const crds::PodRef& container) const { return admission_.DeviceLost(container); }
  bool WaitForEnd(const std::string& pod_uid) { return cgroups_.WaitForEnd(pod_uid); }
  // Runs `done` when no admission is in flight, or after `most`.
  void Drain(base::Duration most, std::function<void()> done) {
    admission_.Drain(most, std::move(done));
  }
  std::vector<std::string> NotReady() const;

 private:
  base::Status MayRegister() const;
  void OnWatched();

  const base::Root& host_;
  const std::string folder_;  // of the kubelet's device plugins
  Holdings& holdings_;
  kubelet::PodResources pod_resources_;
  kubelet::Allocatable allocatable_;
  kubelet::Cgroups cgroups_;
  Admission admission_;
  std::vector<std::unique_ptr<kubelet::Plugin>> plugins_;
  bool begun_ = false;
};

}  // namespace vdcu::node
