// The kubelet of this node and the fronts by which it gives containers what is held: what the
// fronts share, and all of them as one.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "node/frontend.h"

namespace vdcu::node {

struct KubeletOptions {
  // As this process sees them.
  std::string plugin_folder;                // "/var/lib/kubelet/device-plugins"
  std::string root_dir;                     // has pod-resources: "/var/lib/kubelet"
  std::string cgroup_root;                  // the kubelet's cgroupRoot: "/"
  std::vector<std::string> resource_names;  // that are registered
  std::vector<MakeFrontend> fronts;
};

class Fronts : public Kubelet {
 public:
  struct Sources {
    base::Loop& loop;
    kclient::Client& client;
    const base::Root& host;
    const NodeState& state;
    Metrics& metrics;
    Stages& stages;
    std::function<void(kclient::Event)> tell;
  };

  Fronts(const Sources& sources, const KubeletOptions& options);

  // Kubelet's: all fronts admit; any has lost the device.
  bool Admits() const override;
  std::optional<Refusal> DeviceLost(const crds::PodRef& container) const override;
  bool WaitForEnd(const std::string& pod_uid) override { return cgroups_.WaitForEnd(pod_uid); }

  // Each front's. Drain waits for all.
  void Begin();
  void Update(const Noted& noted);
  void Check();
  void Drain(base::Duration most, const std::function<void()>& done);
  std::vector<std::string> NotReady() const;

  const kubelet::Cgroups& cgroups() const { return cgroups_; }

 private:
  kubelet::PodResources pod_resources_;
  kubelet::Cgroups cgroups_;
  std::vector<std::unique_ptr<Frontend>> fronts_;
  size_t draining_ = 0;
};

}  // namespace vdcu::node
