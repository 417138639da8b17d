// How many pending pods a second get a slice and a node, side by side on one real control plane:
//   raw        a loop of ours that makes the same three writes (create, Prepared, bind) with no
//              decision at all and no file, as many pods in flight as the controller has writes,
//              over the same connections: one as the controller and one for each node, each with
//              its watches of pods and partitions
//   stock      kube-scheduler (QPS and burst 5,000) with pods that ask hygon.com/dcunum: 1
//   vdcu       vdcu-controller and the node daemons
//   extender   kube-scheduler as above, which asks vdcu-controller (docs/kube-scheduler.md), with
//              the pods of vdcu
//
// The daemons' watches and this program's are open for all. CPU is that of the processes from the
// start of placing to the last pod that is bound.
//
//   placement_bench [PODS [NODES [ROUNDS [without-stock]]]]    default: 2000 100 3
#include <csignal>
#include <cstdio>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/random.h"
#include "bench/measure.h"
#include "bench/world.h"
#include "controller/runner.h"
#include "crds/decode.h"
#include "crds/keys.h"
#include "crds/resources.h"
#include "crds/vdcupartition.h"
#include "tests/world/free_port.h"

namespace vdcu::bench {
namespace {

using nlohmann::json;

struct Result {
  double pods_per_second = 0;
  std::map<std::string, double> cpu;  // process -> ms a pod
  std::string calls;
};

struct Options {
  size_t pods = 2000;
  int nodes = 100;
  int rounds = 3;
  bool with_stock = true;
};

// CPU time of named processes since its construction.
class Cpu {
 public:
  explicit Cpu(std::map<std::string, pid_t> pids) : pids_(std::move(pids)) {
    for (const auto& [name, pid] : pids_) before_[name] = CpuMilliseconds(pid);
  }
  std::map<std::string, double> ForEach(size_t pods) const {
    std::map<std::string, double> each;
    for (const auto& [name, pid] : pids_) {
      each[name] = (CpuMilliseconds(pid) - before_.at(name)) / static_cast<double>(pods);
    }
    return each;
  }

 private:
  std::map<std::string, pid_t> pids_;
  std::map<std::string, double> before_;
};

class Placement {
 public:
  explicit Placement(const Options& options) : options_(options), world_(options.nodes) {}

  Result Raw();
  Result Stock();
  Result Vdcu();
  Result Extender();

 private:
  void CreatePods(const std::function<json(const std::string&)>& make);
  Cpu StartCpu(std::map<std::string, pid_t> more);
  Result Finish(const Cpu& cpu, base::TimePoint start, size_t bound_before);

  const Options options_;
  World world_;
};

void Placement::CreatePods(const std::function<json(const std::string&)>& make) {
  Connection& to = world_.connection();
  to.ApplyAll(options_.pods, [&](size_t n) { return CreatePod(make("pod-" + std::to_string(n))); });
  to.RunUntil("all pods", [this] { return world_.pods().size() == options_.pods; });
  to.RunFor(std::chrono::seconds(2));  // what the server has left to do
}

Cpu Placement::StartCpu(std::map<std::string, pid_t> more) {
  more["apiserver"] = world_.PidOf("kube-apiserver");
  more["etcd"] = world_.PidOf("etcd");
  more["daemons"] = world_.daemons();
  more["this program"] = getpid();
  return Cpu(std::move(more));
}

Result Placement::Finish(const Cpu& cpu, base::TimePoint start, size_t bound_before) {
  Connection& to = world_.connection();
  to.RunUntil(
      "all pods bound", [this] { return world_.bound() == options_.pods; },
      std::chrono::seconds(300));
  const std::chrono::duration<double> took = to.Now() - start;
  const size_t placed = options_.pods - bound_before;
  std::fprintf(stderr, "%zu pods placed in %.1f s\n", placed, took.count());
  return {.pods_per_second = static_cast<double>(placed) / took.count(),
          .cpu = cpu.ForEach(placed),
          .calls = ""};
}

// What the controller would create for the pod, on a node without a daemon.
crds::VdcuPartition PartitionOf(const kclient::Pod& pod, const std::string& node, size_t n) {
  dcu::Assignment assignment;
  assignment.node = node;
  assignment.device = "DCU-" + assignment.node + "-0" + std::to_string(n / 4 % 8);
  assignment.pci_bus_id = "0000:33:00.0";
  assignment.compute_units = 18;
  assignment.units = dcu::CuMask::FirstUnits(18);
  assignment.memory = dcu::MiB{2000};
  assignment.pipe = static_cast<int>(n % 4);
  assignment.vdev = static_cast<int>(n % 32);
  crds::VdcuPartition partition;
  partition.meta.name = crds::PartitionName(pod.meta.name, pod.meta.uid, "main", 0);
  partition.meta.ns = pod.meta.ns;
  partition.meta.finalizers = {std::string(crds::kFinalizer)};
  partition.meta.owner_references = {{"v1", "Pod", pod.meta.name, pod.meta.uid, true}};
  partition.spec.request.percent = 15;
  partition.spec.request.memory = dcu::MiB{2000};
  partition.spec.pod_ref = crds::PodRef{pod.meta.name, pod.meta.uid, "main"};
  partition.spec.assignment = assignment;
  return partition;
}

// What the daemon would report.
kclient::Write ReportPrepared(const crds::VdcuPartition& partition) {
  crds::PartitionStatus status;
  for (const auto type : {crds::kPrepared, crds::kHealthy, crds::kReady}) {
    kclient::Condition condition;
    condition.type = type;
    condition.status = "True";
    condition.reason = type;
    condition.message = "/etc/vdev/vdev" + std::to_string(*partition.spec.assignment->vdev);
    condition.last_transition_time = "2026-01-01T00:00:00Z";
    condition.observed_generation = 1;
    status.conditions.push_back(condition);
  }
  status.vdev_file = status.conditions.front().message;
  return kclient::MakePatch(crds::kVdcuPartitions, partition.meta.ns, partition.meta.name, "status",
                            {{"status", crds::ToJson(status)}}, partition.meta.uid,
                            partition.meta.resource_version);
}

// Has the rights and the watches of the controller, or of the daemon of a node.
class RawClient {
 public:
  // `node` empty: the controller, which sees all pods and partitions.
  RawClient(base::UvLoop& loop, const std::string& kubeconfig, const std::string& node)
      : connection_(loop, kubeconfig),
        pods_(connection_.client(), loop, Of(kclient::kPods, "spec.nodeName", node),
              base::SystemRandom(), &crds::Decode<kclient::Pod>),
        partitions_(connection_.client(), loop,
                    Of(crds::kVdcuPartitions, "spec.assignment.node", node), base::SystemRandom(),
                    &crds::Decode<crds::VdcuPartition>) {
    pods_.Start();
    partitions_.Start();
    connection_.RunUntil("a list", [this] { return pods_.synced() && partitions_.synced(); });
  }

  Connection& connection() { return connection_; }

 private:
  static kclient::ReflectorOptions Of(const kclient::Resource& resource, const std::string& field,
                                      const std::string& node) {
    return {.resource = resource,
            .ns = "",
            .field_selector = node.empty() ? "" : field + "=" + node,
            .label_selector = ""};
  }

  Connection connection_;
  kclient::Informer<kclient::Pod> pods_;
  kclient::Informer<crds::VdcuPartition> partitions_;
};

class RawWriters {
 public:
  RawWriters(World& world, int nodes)
      : world_(world), controller_(world.loop(), world.controller_kubeconfig(), "") {
    for (int n = 0; n < nodes; ++n) {
      const std::string name = NameOf(static_cast<size_t>(n));
      daemons_.push_back(
          std::make_unique<RawClient>(world.loop(), world.DaemonKubeconfig(name), name));
    }
  }
  // Without their nodes a controller lets their slices go. A node's token ends with it.
  ~RawWriters() {
    const size_t nodes = daemons_.size();
    daemons_.clear();
    for (size_t n = 0; n < nodes; ++n) world_.DeleteNode(NameOf(n));
  }
  RawWriters(const RawWriters&) = delete;
  RawWriters& operator=(const RawWriters&) = delete;

  void Place(const kclient::Pod& pod, size_t n, const std::function<void()>& done);

 private:
  static std::string NameOf(size_t node) { return "raw-" + std::to_string(node); }

  World& world_;
  RawClient controller_;
  std::vector<std::unique_ptr<RawClient>> daemons_;
};

void RawWriters::Place(const kclient::Pod& pod, size_t n, const std::function<void()>& done) {
  const size_t node = n % daemons_.size();
  const std::string name = NameOf(node);
  const crds::VdcuPartition partition = PartitionOf(pod, name, n / daemons_.size());
  const kclient::Write bind = kclient::MakeBind(pod.meta.ns, pod.meta.name, pod.meta.uid, name);
  const kclient::Write create = kclient::MakeCreate(crds::kVdcuPartitions, partition.meta.ns,
                                                    partition.meta.name, crds::ToJson(partition));
  Connection& controller = controller_.connection();
  Connection& daemon = daemons_[node]->connection();
  controller.Apply(create, [&controller, &daemon, bind, done](kclient::JsonView stored) {
    daemon.Apply(ReportPrepared(crds::VdcuPartition::FromJson(stored).value()),
                 [&controller, bind, done](kclient::JsonView) {
                   controller.Apply(bind, [done](kclient::JsonView) { done(); });
                 });
  });
}

Result Placement::Raw() {
  CreatePods([](const std::string& name) { return SlicePod(name); });
  std::vector<std::shared_ptr<const kclient::Pod>> pods;
  for (const auto& [key, pod] : world_.pods().objects()) pods.push_back(pod);
  auto writers = std::make_unique<RawWriters>(world_, options_.nodes);
  Connection& to = world_.connection();
  const Cpu cpu = StartCpu({});
  const base::TimePoint start = to.Now();
  to.ForEach(
      pods.size(), controller::Runner::kMostInFlight,
      [&](size_t n, const std::function<void()>& done) { writers->Place(*pods[n], n, done); });
  const Result result = Finish(cpu, start, 0);
  writers.reset();
  const auto cleaner = world_.StartController();
  world_.CleanUp();
  return result;
}

Result Placement::Stock() {
  CreatePods(StockPod);
  const auto scheduler = world_.StartKubeScheduler();
  Connection& to = world_.connection();
  to.RunUntil("the first pod", [this] { return world_.bound() > 0; });
  const size_t bound_before = world_.bound();
  const Cpu cpu = StartCpu({{"scheduler", scheduler->pid()}});
  const Result result = Finish(cpu, to.Now(), bound_before);
  scheduler->Signal(SIGTERM);
  world_.CleanUp();
  return result;
}

Result Placement::Vdcu() {
  CreatePods([](const std::string& name) { return SlicePod(name); });
  Connection& to = world_.connection();
  const ApiCalls before = ParseApiCalls(to.Request("GET", "/metrics"));
  const auto controller = world_.StartController();
  const Cpu cpu = StartCpu({{"controller", controller->pid()}});
  Result result = Finish(cpu, to.Now(), world_.bound());
  to.RunFor(base::Duration(2000 + 5 * options_.pods));  // events come after
  result.calls = CallsForEach(before, ParseApiCalls(to.Request("GET", "/metrics")), options_.pods);
  world_.CleanUp();
  return result;
}

Result Placement::Extender() {
  CreatePods(StockSlicePod);
  Connection& to = world_.connection();
  const int port = world::FreePort();
  const auto controller =
      world_.StartController({"--extender", "127.0.0.1:" + std::to_string(port)});
  const auto scheduler = world_.StartKubeScheduler(port);
  to.RunUntil("the first pod", [this] { return world_.bound() > 0; });
  const size_t bound_before = world_.bound();
  const Cpu cpu = StartCpu({{"scheduler", scheduler->pid()}, {"controller", controller->pid()}});
  const Result result = Finish(cpu, to.Now(), bound_before);
  scheduler->Signal(SIGTERM);
  world_.CleanUp();
  return result;
}

double Median(const std::vector<Result>& results) {
  std::vector<double> rates;
  for (const Result& result : results) rates.push_back(result.pods_per_second);
  return Quantile(rates, 0.5);
}

void PrintRow(const std::string& name, const std::vector<Result>& results, double raw) {
  std::printf("%-8s %8.0f %9.2f  ", name.c_str(), Median(results), Median(results) / raw);
  std::map<std::string, std::vector<double>> cpu;
  for (const Result& result : results) {
    for (const auto& [process, each] : result.cpu) cpu[process].push_back(each);
  }
  for (const char* process :
       {"scheduler", "controller", "daemons", "apiserver", "etcd", "this program"}) {
    std::printf(" %12.2f", cpu.contains(process) ? Quantile(cpu[process], 0.5) : 0);
  }
  std::printf("   ");
  for (const Result& result : results) std::printf(" %.0f", result.pods_per_second);
  std::printf("\n");
}

int Main(const Options& options) {
  const std::string machine = DescribeMachine();
  Placement placement(options);
  std::vector<Result> raw;
  std::vector<Result> stock;
  std::vector<Result> vdcu;
  std::vector<Result> extender;
  for (int round = 0; round < options.rounds; ++round) {
    raw.push_back(placement.Raw());
    vdcu.push_back(placement.Vdcu());
    if (!options.with_stock) continue;
    stock.push_back(placement.Stock());
    extender.push_back(placement.Extender());
  }
  std::printf("Placing %zu pending pods on %d nodes, median of %d (%s)\n\n", options.pods,
              options.nodes, options.rounds, machine.c_str());
  std::printf(
      "           pods/s     / raw     CPU-ms a pod: scheduler, controller, daemons, apiserver, "
      "etcd, "
      "this program    each round, pods/s\n");
  PrintRow("raw", raw, Median(raw));
  PrintRow("vdcu", vdcu, Median(raw));
  if (options.with_stock) {
    PrintRow("stock", stock, Median(raw));
    PrintRow("extender", extender, Median(raw));
  }
  std::printf("\nAPI calls for each placed pod (vdcu, last round):\n%s", vdcu.back().calls.c_str());
  return 0;
}

}  // namespace
}  // namespace vdcu::bench

int main(int argc, char** argv) {
  vdcu::bench::Options options;
  if (argc > 1) options.pods = std::stoul(argv[1]);
  if (argc > 2) options.nodes = std::stoi(argv[2]);
  if (argc > 3) options.rounds = std::stoi(argv[3]);
  if (argc > 4) options.with_stock = std::strcmp(argv[4], "without-stock") != 0;
  return vdcu::bench::Main(options);
}
