#include "bench/world.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/check.h"
#include "base/random.h"
#include "bench/measure.h"
#include "crds/dcunode.h"
#include "crds/decode.h"
#include "crds/resources.h"
#include "tests/world/objects.h"

namespace vdcu::bench {

using nlohmann::json;
using std::chrono::seconds;
using world::Background;
using world::kPartitions;

namespace {

kclient::ReflectorOptions All(const kclient::Resource& resource, const std::string& ns) {
  return {.resource = resource, .ns = ns, .field_selector = "", .label_selector = ""};
}

// In memory where that is possible: 100 nodes have 100 disks, here they would share one.
std::string MakeHostsFolder(const world::Cluster& cluster) {
  const std::filesystem::path folder = cluster.folder();
  const std::filesystem::path memory = "/dev/shm";
  const auto hosts = std::filesystem::exists(memory)
                         ? memory / folder.parent_path().filename() / folder.filename()
                         : folder / "hosts";
  std::filesystem::create_directories(hosts);
  return hosts;
}

std::string ReadFile(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

kclient::Write DeletePartition(const json& partition) {
  const json& meta = partition["metadata"];
  return kclient::MakeDelete(crds::kVdcuPartitions, meta["namespace"].get<std::string>(),
                             meta["name"].get<std::string>(), meta["uid"].get<std::string>(), "");
}

// 15 % of a card.
json SliceLimits() {
  return {{"hygon.com/dcunum", "1"}, {"hygon.com/dcumem", "2000"}, {"hygon.com/dcucores", "15"}};
}

// As config/schedulers/kube-scheduler.yaml has it, but for TLS.
json ExtenderOn(int port) {
  json managed{{{"name", "hygon.com/dcunum"}}};
  for (const char* name : {"hygon.com/dcumem", "hygon.com/dcucores"}) {
    managed.push_back({{"name", name}, {"ignoredByScheduler", true}});
  }
  return {{"urlPrefix", "http://127.0.0.1:" + std::to_string(port) + "/kube"},
          {"filterVerb", "filter"},
          {"preemptVerb", "preempt"},
          {"bindVerb", "bind"},
          {"nodeCacheCapable", true},
          {"httpTimeout", "30s"},
          {"managedResources", managed}};
}

json Pod(const std::string& name, const std::string& scheduler, const json& limits) {
  return {{"apiVersion", "v1"},
          {"kind", "Pod"},
          {"metadata", {{"name", name}, {"namespace", "default"}}},
          {"spec",
           {{"schedulerName", scheduler},
            {"containers",
             {{{"name", "main"}, {"image", "busybox"}, {"resources", {{"limits", limits}}}}}}}}};
}

}  // namespace

World::World(int nodes) : hosts_(MakeHostsFolder(plane_.cluster)) {
  daemons_ = std::make_unique<Background>(
      std::vector<std::string>{VDCU_MANY_NODES_BINARY, plane_.cluster.admin_kubeconfig(), hosts_,
                               std::to_string(nodes)},
      folder() + "/daemons.log");
  connection_ = std::make_unique<Connection>(loop_, plane_.cluster.admin_kubeconfig());
  kclient::Informer<crds::DcuNode> published(connection_->client(), connection_->loop(),
                                             All(crds::kDcuNodes, ""), base::SystemRandom());
  size_t ready = 0;
  published.AddHandler([&ready](const auto& old_object, const auto& new_object) {
    if (new_object->ready() && !(old_object && old_object->ready())) ++ready;
  });
  published.Start();
  const auto all_ready = [&] {
    CHECK(daemons_->Wait(base::Duration(0)) < 0, ReadFile(folder() + "/daemons.log"));
    return ready == static_cast<size_t>(nodes);
  };
  connection_->RunUntil("all DCUNodes", all_ready, seconds(300));
  WatchPods();
}

World::~World() {
  pods_.reset();
  daemons_.reset();
  std::filesystem::remove_all(hosts_);
}

void World::WatchPods() {
  pods_ = std::make_unique<kclient::Informer<kclient::Pod>>(
      connection_->client(), connection_->loop(), All(kclient::kPods, "default"),
      base::SystemRandom(), &crds::Decode<kclient::Pod>);
  pods_->AddHandler([this](const auto& old_pod, const auto& new_pod) {
    if (old_pod && old_pod->bound()) --bound_;
    if (new_pod && new_pod->bound()) ++bound_;
  });
  pods_->Start();
  connection_->RunUntil("the list of pods", [this] { return pods_->synced(); });
}

std::string World::DaemonKubeconfig(const std::string& node) {
  connection_->ApplyAll(1, [&](size_t) {
    return kclient::MakeCreate(
        kclient::kNodes, "", node,
        {{"apiVersion", "v1"}, {"kind", "Node"}, {"metadata", {{"name", node}}}});
  });
  return plane_.cluster.TokenKubeconfig("vdcu-system", "vdcu-node", node);
}

void World::DeleteNode(const std::string& node) {
  connection_->Request("DELETE", "/api/v1/nodes/" + node);
}

pid_t World::PidOf(const std::string& name) const {
  return std::stoi(ReadFile(folder() + "/c/pids/" + name));
}

std::unique_ptr<Background> World::StartController(const std::vector<std::string>& flags) {
  const std::string name = "controller-" + std::to_string(++controllers_);
  auto controller = plane_.MakeController(name, flags);
  connection_->RunUntil("the controller", [this, &name] {
    return ReadFile(folder() + "/" + name + ".log").find("placing begins") != std::string::npos;
  });
  return controller;
}

std::unique_ptr<Background> World::StartKubeScheduler(int extender_port) const {
  json config{
      {"apiVersion", "kubescheduler.config.k8s.io/v1"},
      {"kind", "KubeSchedulerConfiguration"},
      {"leaderElection", {{"leaderElect", false}}},
      {"clientConnection",
       {{"kubeconfig", plane_.cluster.admin_kubeconfig()}, {"qps", 5000}, {"burst", 5000}}}};
  if (extender_port != 0) config["extenders"].push_back(ExtenderOn(extender_port));
  const std::string path = folder() + "/kube-scheduler.yaml";
  std::ofstream(path) << config;
  return std::make_unique<Background>(std::vector<std::string>{folder() + "/c/bin/kube-scheduler",
                                                               "--config", path, "--secure-port=0"},
                                      folder() + "/kube-scheduler.log");
}

void World::CleanUp() {
  Connection& to = *connection_;
  std::vector<std::shared_ptr<const kclient::Pod>> left;
  for (const auto& [key, pod] : pods().objects()) left.push_back(pod);
  to.ApplyAll(left.size(), [&](size_t n) { return DeletePod(*left[n]); });
  to.RunUntil("all pods gone", [this] { return pods().size() == 0; });
  // No garbage collector runs that would delete what the pods own.
  const json partitions = Partitions();
  to.ApplyAll(partitions.size(), [&](size_t n) { return DeletePartition(partitions[n]); });
  const base::TimePoint deadline = to.Now() + seconds(300);
  while (!Partitions().empty()) {
    CHECK(to.Now() < deadline, "partitions stay");
    to.RunFor(base::Duration(500));
  }
}

json World::Partitions() { return json::parse(connection_->Request("GET", kPartitions))["items"]; }

json SlicePod(const std::string& name, const std::string& node) {
  json pod = Pod(name, "vdcu-scheduler", SliceLimits());
  if (!node.empty()) pod["spec"]["nodeSelector"] = {{"kubernetes.io/hostname", node}};
  return pod;
}

json CardPod(const std::string& name, const std::string& node) {
  json pod = Pod(name, "vdcu-scheduler", {{"hygon.com/dcunum", "1"}});
  pod["spec"]["nodeSelector"] = {{"kubernetes.io/hostname", node}};
  return pod;
}

json StockPod(const std::string& name) {
  return Pod(name, "default-scheduler", {{"hygon.com/dcunum", "1"}});
}

json StockSlicePod(const std::string& name) {
  return Pod(name, "default-scheduler", SliceLimits());
}

kclient::Write CreatePod(const json& pod) {
  return kclient::MakeCreate(kclient::kPods, "default", pod["metadata"]["name"].get<std::string>(),
                             pod);
}

kclient::Write DeletePod(const kclient::Pod& pod) {
  kclient::Write write =
      kclient::MakeDelete(kclient::kPods, pod.meta.ns, pod.meta.name, pod.meta.uid, "");
  write.body["gracePeriodSeconds"] = 0;
  return write;
}

}  // namespace vdcu::bench
