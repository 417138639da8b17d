#include "tests/simulation/simulated_kubelet.h"

#include <utility>

#include "base/check.h"
#include "tests/simulation/simulated_objects.h"

namespace vdcu::simulation {

using Json = SimulatedApi::Json;

namespace {

constexpr char kCgroups[] = "/sys/fs/cgroup/pids/kubepods";

// Whether the kubelet has the pod, and it has not ended.
bool IsAlive(const SimulatedApi::Json& pod) { return Text(pod, "/status/phase") != "Succeeded"; }

}  // namespace

class SimulatedKubelet::Front : public node::Frontend {
 public:
  Front(SimulatedKubelet& kubelet, const node::Lent& lent)
      : kubelet_(kubelet), loop_(lent.loop), state_(lent.state) {
    CHECK(kubelet_.front_ == nullptr, "two daemons on one node");
    kubelet_.front_ = this;
  }
  ~Front() override { kubelet_.front_ = nullptr; }
  Front(const Front&) = delete;
  Front& operator=(const Front&) = delete;

  void Begin() override {
    begun_ = true;
    OnAdmits();
  }
  void Update(const node::Noted& /*noted*/) override {}
  void Check() override {}
  bool Admits() const override { return begun_ && kubelet_.admits_; }
  std::optional<node::Refusal> DeviceLost(const crds::PodRef& /*container*/) const override {
    return std::nullopt;
  }
  void Drain(base::Duration /*most*/, std::function<void()> done) override {
    loop_.Post(std::move(done));
  }
  std::vector<std::string> NotReady() const override { return {}; }

  void OnAdmits() const {
    if (Admits()) state_.changes.NoteServing();
  }
  Assignments HeldFor(const std::string& pod_uid) const {
    Assignments held;
    for (const auto& [uid, slice] : state_.holdings.slices()) {
      if (slice.pod && slice.pod->uid == pod_uid) held[uid] = slice.assignment;
    }
    return held;
  }

 private:
  SimulatedKubelet& kubelet_;
  base::Loop& loop_;
  const node::NodeState& state_;
  bool begun_ = false;
};

SimulatedKubelet::SimulatedKubelet(SimulatedApi& api, const base::Root& host, std::string node)
    : api_(api), host_(host), node_(std::move(node)) {
  CHECK(host_.MakeFolder(kCgroups), "no cgroups");
}

node::MakeFrontend SimulatedKubelet::front() {
  return [this](const node::Lent& lent) { return std::make_unique<Front>(*this, lent); };
}

void SimulatedKubelet::SetAdmits(bool admits) {
  if (admits == std::exchange(admits_, admits)) return;
  if (front_ != nullptr) front_->OnAdmits();
}

bool SimulatedKubelet::serves() const { return front_ != nullptr && front_->Admits(); }

void SimulatedKubelet::Step(const std::function<double()>& draw, double linger) {
  EndPods(draw, linger);
  if (serves()) StartPods();
}

std::string SimulatedKubelet::CgroupOf(const std::string& pod_uid) const {
  return std::string(kCgroups) + "/pod" + pod_uid;
}

void SimulatedKubelet::RemoveCgroup(const std::string& pod_uid) const {
  CHECK(host_.RemoveFolder(CgroupOf(pod_uid)), "a cgroup stays");
}

void SimulatedKubelet::EndPods(const std::function<double()>& draw, double linger) {
  std::map<std::string, const Json*> alive;
  for (const auto& [key, pod] : api_.All("pods")) {
    if (IsAlive(pod)) alive[Text(pod, "/metadata/uid")] = &pod;
  }
  std::erase_if(running_, [&](const auto& pod) {
    if (alive.contains(pod.first) || (linger > 0 && draw() < linger)) return false;
    RemoveCgroup(pod.first);
    return true;
  });
}

void SimulatedKubelet::Reboot() {
  for (const auto& [uid, slices] : running_) RemoveCgroup(uid);
  running_.clear();
}

void SimulatedKubelet::StartPods() {
  for (const auto& [key, pod] : api_.All("pods")) {
    const std::string uid = Text(pod, "/metadata/uid");
    const bool waits = Text(pod, "/spec/nodeName") == node_ && IsAlive(pod) &&
                       !pod["metadata"].contains("deletionTimestamp") && !running_.contains(uid);
    if (!waits) continue;
    const Assignments held = front_->HeldFor(uid);
    if (held.size() != SlicesNeeded(pod)) continue;
    running_[uid] = held;
    CHECK(host_.MakeFolder(CgroupOf(uid)), "no cgroup");
    CHECK(host_.WriteAtomic(CgroupOf(uid) + "/pids.current", "1\n"), "no cgroup");
  }
}

}  // namespace vdcu::simulation
