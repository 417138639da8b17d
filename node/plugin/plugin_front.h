// The front that is the kubelet's device plugin: one for each registered resource, and the
// admission behind them.
//
// Promises: no plugin registers before Begin, nor while the kubelet's cgroups are not found (else a
// slice might be taken for free while its processes run) or nobody listens at its pod-resources
// (else nobody could tell whom it asks for).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/uv_loop.h"
#include "node/frontend.h"
#include "node/kubelet/allocatable.h"
#include "node/kubelet/plugin.h"
#include "node/plugin/admission.h"
#include "node/plugin/kubelet_checkpoint.h"
#include "node/plugin/token_ledger.h"

namespace vdcu::node {

struct PluginOptions {
  std::string folder;                       // the kubelet's device-plugins, as this process sees it
  std::string dtk_dir;                      // of the host: "/opt/dtk"
  std::vector<std::string> resource_names;  // to be registered
};

class PluginFront : public Frontend {
 public:
  PluginFront(base::UvLoop& loop, const Lent& lent, const PluginOptions& options);

  void Begin() override;
  void Update(const Noted& noted) override;
  void Check() override;

  // True where no card is healthy, as there is nothing to give out.
  bool Admits() const override { return allocatable_.complete(); }
  std::optional<Refusal> DeviceLost(const crds::PodRef& container) const override;
  void Drain(base::Duration most, std::function<void()> done) override {
    admission_.Drain(most, std::move(done));
  }
  std::vector<std::string> NotReady() const override;

 private:
  base::Status MayRegister() const;
  void SetDevices();
  void OnRegistered();
  void OnWatched();

  const Holdings& holdings_;
  const kubelet::PodResources& pod_resources_;
  const kubelet::Cgroups& cgroups_;
  KubeletCheckpoint checkpoint_;
  kubelet::Allocatable allocatable_;
  TokenLedger tokens_;
  Admission admission_;
  std::vector<std::unique_ptr<kubelet::Plugin>> plugins_;
  bool begun_ = false;
};

}  // namespace vdcu::node
