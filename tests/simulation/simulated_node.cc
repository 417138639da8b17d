#include "tests/simulation/simulated_node.h"

#include <utility>

#include "base/check.h"
#include "crds/pod_request.h"
#include "dcu/vdev.h"
#include "node/daemon.h"
#include "tests/simulation/simulated_objects.h"

namespace vdcu::simulation {

using Json = SimulatedApi::Json;

namespace {

constexpr double kChanceToClear = 0.02;
constexpr int kMostVdev = 6;

hosts::SimulatedHost MakeHost(const std::string& folder, const std::string& name, int cards) {
  auto host = hosts::SimulatedHost::Create(folder, {.cards = cards,
                                                    .model = "Z100",
                                                    .memory_mib = SimulatedNode::kCardMemory,
                                                    .serial_prefix = name});
  CHECK(host, host ? "" : host.error().message);
  return std::move(*host);
}

node::DaemonOptions OptionsOf(const std::string& node, const std::string& folder,
                              node::MakeFrontend front,
                              std::function<void(const base::Error&)> on_fatal) {
  return {.node_name = node,
          .kubelet = node::KubeletOptions{.plugin_folder = folder + "/device-plugins",
                                          .root_dir = folder + "/kubelet",
                                          .cgroup_root = "/",
                                          .resource_names = {"hygon.com/dcunum"},
                                          .fronts = {std::move(front)}},
          .on_fatal = std::move(on_fatal)};
}

}  // namespace

struct SimulatedNode::Process {
  Process(SimulatedNode& node, uint64_t seed)
      : transport(node.api_.Connect(node.name_)),
        client(*transport),
        daemon(node.loop_, client, node.host_.root(), metrics,
               OptionsOf(node.name_, node.folder_.path(), node.kubelet_.front(),
                         [&node](const base::Error& error) { node.fatal_ = error.message; }),
               [engine = std::mt19937_64(seed)]() mutable {
                 return std::uniform_real_distribution<double>(0, 1)(engine);
               }) {
    const base::Status started = daemon.Start();
    CHECK(started, started ? "" : started.error().message);
  }

  std::unique_ptr<kclient::Transport> transport;
  kclient::Client client;
  node::Metrics metrics;
  node::Daemon daemon;
};

std::string Overlap(const dcu::Assignment& a, const dcu::Assignment& b) {
  if (a.node != b.node) return "";
  if (a.vdev && a.vdev == b.vdev) return "vdev " + std::to_string(*a.vdev);
  if (a.device != b.device) return "";
  if (a.whole_card() || b.whole_card()) return "a whole card";
  if ((a.units & b.units) != dcu::CuMask()) return "compute units";
  return a.pipe == b.pipe ? "pipe" : "";
}

std::string WhyOverbooked(const std::vector<dcu::Assignment>& slices) {
  std::map<std::string, int64_t> memory;
  for (size_t i = 0; i < slices.size(); ++i) {
    const dcu::Assignment& slice = slices[i];
    memory[slice.device] += slice.memory.value;
    if ((slice.units & ~dcu::CuMask::FirstUnits(60)) != dcu::CuMask()) return "units past the card";
    if (memory[slice.device] > SimulatedNode::kCardMemory) return slice.device + ": memory twice";
    for (size_t j = 0; j < i; ++j) {
      const std::string why = Overlap(slice, slices[j]);
      if (!why.empty()) return slice.device + " of " + slice.node + ": twice: " + why;
    }
  }
  return "";
}

bool Runs(SimulatedApi& api, const std::string& pod_uid, const std::string& node) {
  for (const auto& [key, pod] : api.All("pods")) {
    if (pod["metadata"]["uid"] != pod_uid) continue;
    const std::string bound = pod["spec"].value("nodeName", "");
    const std::string phase = pod["status"].value("phase", "");
    return !bound.empty() && (node.empty() || bound == node) && phase != "Succeeded";
  }
  return false;
}

std::vector<crds::VdcuPartition> Partitions(SimulatedApi& api) {
  std::vector<crds::VdcuPartition> partitions;
  for (const auto& partition : DecodeAll<crds::VdcuPartition>(api.All("vdcupartitions"))) {
    partitions.push_back(*partition);
  }
  return partitions;
}

SimulatedNode::SimulatedNode(base::Loop& loop, SimulatedApi& api, std::string name, int cards,
                             uint64_t seed)
    : loop_(loop),
      api_(api),
      name_(std::move(name)),
      random_(seed),
      host_(MakeHost(folder_.path(), name_, cards)),
      kubelet_(api_, host_.root(), name_) {
  Return();
  SetUp(true);
}

SimulatedNode::~SimulatedNode() = default;

// --- the Node object ---

void SimulatedNode::Remove() {
  there_ = false;
  Connect();
  api_.Delete("nodes", name_);
}

void SimulatedNode::Return() {
  there_ = true;
  ready_ = "True";
  cordoned_ = false;
  out_of_service_ = false;
  Connect();
  api_.Create("nodes", {{"metadata", {{"name", name_}}},
                        {"spec", Json::object()},
                        {"status",
                         {{"allocatable",
                           {{"cpu", std::to_string(kCpu)},
                            {"memory", "64Gi"},
                            {"pods", "20"},
                            {"hygon.com/dcunum", std::to_string(4 * cards())}}},
                          {"conditions", {{{"type", "Ready"}, {"status", "True"}}}}}}});
}

void SimulatedNode::SetReady(const std::string& status) {
  if (!there_ || status == ready_) return;
  ready_ = status;
  out_of_service_ = false;
  Connect();
  api_.Change("nodes", name_, [&](Json& node) {
    node["status"]["conditions"] = {
        {{"type", "Ready"},
         {"status", status},
         {"lastTransitionTime", base::FormatTime(api_.clock().Wall())}}};
  });
}

void SimulatedNode::SetCordoned(bool cordoned) {
  if (!there_ || cordoned == cordoned_) return;
  cordoned_ = cordoned;
  api_.Change("nodes", name_, [&](Json& node) { node["spec"]["unschedulable"] = cordoned; });
}

void SimulatedNode::SetOutOfService() {
  if (!there_ || ready_ == "True") return;
  out_of_service_ = true;
  Taint();
  const auto pods = api_.All("pods");
  for (const auto& [key, pod] : pods) {
    if (pod["spec"].value("nodeName", "") != name_) continue;
    api_.Delete("pods", key);
    if (!api_.Find("pods", key)) continue;
    api_.Change("pods", key, [](Json& p) { p["metadata"]["finalizers"] = Json::array(); });
  }
}

void SimulatedNode::Taint() {
  if (!there_) return;
  Json taints = Json::array();
  const auto add = [&](const std::string& key, const char* effect) {
    taints.push_back({{"key", "node.kubernetes.io/" + key}, {"effect", effect}});
  };
  if (ready_ != "True") {
    for (const char* effect : {"NoSchedule", "NoExecute"}) {
      add(ready_ == "False" ? "not-ready" : "unreachable", effect);
    }
  }
  if (cordoned_) add("unschedulable", "NoSchedule");
  if (out_of_service_) add("out-of-service", "NoExecute");
  api_.Change("nodes", name_, [&](Json& node) { node["spec"]["taints"] = taints; });
}

void SimulatedNode::Offer() {
  if (!connected()) return;
  const std::string slots =
      std::to_string(kubelet_.serves() ? dcu::kMaxSlicesPerCard * cards() : 0);
  api_.Change("nodes", name_,
              [&](Json& node) { node["status"]["allocatable"]["hygon.com/dcunum"] = slots; });
}

// --- the machine ---

void SimulatedNode::Connect() { api_.SetCutOff(name_, !connected() || deaf_); }

void SimulatedNode::SetUp(bool up) {
  if (up == (daemon_ != nullptr)) return;
  daemon_ = up ? std::make_unique<Process>(*this, random_()) : nullptr;
}

void SimulatedNode::SetDeaf(bool deaf) {
  deaf_ = deaf;
  Connect();
}

void SimulatedNode::Reboot() {
  SetUp(false);
  kubelet_.Reboot();
  SetUp(true);
}

void SimulatedNode::SetSick(int card, bool sick) {
  constexpr hosts::Sickness kWays[] = {hosts::Sickness::kDriver, hosts::Sickness::kRas,
                                       hosts::Sickness::kDri};
  const size_t way = random_() % (std::size(kWays) + 1);
  const bool vanishes = sick && way == std::size(kWays);
  const base::Status seen = host_.SetVanished(card, vanishes);
  CHECK(seen, seen ? "" : seen.error().message);
  const base::Status done = sick && !vanishes ? host_.MakeSick(card, kWays[way]) : host_.Heal(card);
  CHECK(done, done ? "" : done.error().message);
}

void SimulatedNode::SetMood(double chance, double linger) {
  mood_ = chance;
  linger_ = linger;
  if (chance == 0) ClearTheWay();
}

void SimulatedNode::Step(const std::function<double()>& draw) {
  if (works()) worked_at_ = loop_.clock().Now();
  Occupy(draw);
  if (connected()) kubelet_.Step(draw, linger_);
}

void SimulatedNode::Occupy(const std::function<double()>& draw) {
  if (mood_ == 0) return;
  if (draw() < kChanceToClear) ClearTheWay();
  if (draw() >= mood_ || !in_the_way_.empty()) return;
  const std::string path = std::string(node::kVdevFolder) + "/vdev" +
                           std::to_string(static_cast<int>(draw() * kMostVdev)) + ".conf";
  if (host_.root().Exists(path)) return;
  CHECK(host_.root().MakeFolder(path + "/full"), "cannot make " + path);
  in_the_way_ = host_.root().Resolve(path);
}

void SimulatedNode::ClearTheWay() {
  if (!in_the_way_.empty()) std::filesystem::remove_all(std::exchange(in_the_way_, {}));
}

SimulatedKubelet::Assignments SimulatedNode::held() const {
  node::RootFileOps files(host_.root());
  const auto found = node::SliceFiles(files).Load();
  CHECK(found && found->corrupt.empty(), "a checkpoint cannot be read");
  SimulatedKubelet::Assignments held;
  for (const auto& [uid, slice] : found->slices) held[uid] = slice.assignment;
  return held;
}

std::string SimulatedNode::WhyNotOnDisk(const std::string& uid,
                                        const dcu::Assignment& slice) const {
  const auto slices = held();
  const auto found = slices.find(uid);
  if (found == slices.end()) return "it is not held";
  if (found->second != slice) return "another slice is held";
  if (slice.whole_card()) return "";
  std::string bus_id;
  for (int card = 0; card < cards(); ++card) {
    if (host_.Uuid(card) == slice.device) bus_id = host_.cards()[card].pci_bus_id;
  }
  const std::string want = dcu::Render(dcu::MakeVdevFile(slice, bus_id));
  for (const std::string& path :
       {node::HostVdevPath(slice), node::SliceFolder(uid) + "/vdev0.conf"}) {
    if (host_.root().Read(path).value_or("") != want) return path + " is not its vdev file";
  }
  return "";
}

}  // namespace vdcu::simulation
