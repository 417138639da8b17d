#include "node/fronts.h"

#include <algorithm>
#include <utility>

namespace vdcu::node {

namespace {
constexpr char kPodResourcesSocket[] = "/pod-resources/kubelet.sock";
}  // namespace

Fronts::Fronts(const Sources& sources, const KubeletOptions& options)
    : pod_resources_(sources.loop, options.root_dir + kPodResourcesSocket),
      cgroups_(
          sources.loop, sources.host, options.cgroup_root,
          [&changes = sources.state.changes](const std::string& uid) { changes.NotePod(uid); }) {
  const Lent lent{.loop = sources.loop,
                  .client = sources.client,
                  .host = sources.host,
                  .state = sources.state,
                  .pod_resources = pod_resources_,
                  .cgroups = cgroups_,
                  .metrics = sources.metrics,
                  .stages = sources.stages,
                  .tell = sources.tell};
  for (const MakeFrontend& make : options.fronts) fronts_.push_back(make(lent));
}

bool Fronts::Admits() const {
  return std::all_of(fronts_.begin(), fronts_.end(),
                     [](const auto& front) { return front->Admits(); });
}

std::optional<Refusal> Fronts::DeviceLost(const crds::PodRef& container) const {
  for (const auto& front : fronts_) {
    if (auto lost = front->DeviceLost(container)) return lost;
  }
  return std::nullopt;
}

void Fronts::Begin() {
  for (const auto& front : fronts_) front->Begin();
}

void Fronts::Update(const Noted& noted) {
  for (const auto& front : fronts_) front->Update(noted);
}

void Fronts::Check() {
  for (const auto& front : fronts_) front->Check();
}

void Fronts::Drain(base::Duration most, const std::function<void()>& done) {
  draining_ = fronts_.size() + 1;
  const auto on_drained = [this, done] {
    if (--draining_ == 0) done();
  };
  for (const auto& front : fronts_) front->Drain(most, on_drained);
  on_drained();
}

std::vector<std::string> Fronts::NotReady() const {
  std::vector<std::string> reasons;
  for (const auto& front : fronts_) {
    for (std::string& reason : front->NotReady()) reasons.push_back(std::move(reason));
  }
  return reasons;
}

}  // namespace vdcu::node
