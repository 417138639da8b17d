// What the watches of node daemons cost the API server: its CPU time and memory while partitions
// are created at a steady rate, each on one of the nodes, with so many watches open that each
// select one node's (spec.assignment.node). The same watches without placements are measured too.
//
//   watchers_bench [RATE [SECONDS [WATCHERS...]]]    default: 50 20 0 100 1000 5000
#include <algorithm>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "bench/measure.h"
#include "bench/world.h"
#include "crds/keys.h"
#include "crds/resources.h"
#include "crds/vdcupartition.h"

namespace vdcu::bench {
namespace {

constexpr size_t kAtOnce = 50;

std::string NodeOf(size_t n) { return "watched-" + std::to_string(n); }

// One slice on the node, as the controller creates it.
kclient::Write CreateOn(const std::string& name, const std::string& node) {
  dcu::Assignment assignment;
  assignment.node = node;
  assignment.device = "DCU-" + node + "-00";
  assignment.pci_bus_id = "0000:33:00.0";
  assignment.compute_units = 18;
  assignment.units = dcu::CuMask::FirstUnits(18);
  assignment.memory = dcu::MiB{2000};
  assignment.pipe = 0;
  assignment.vdev = 0;
  crds::VdcuPartition partition;
  partition.meta.ns = "default";
  partition.meta.name = name;
  partition.spec.request.percent = 15;
  partition.spec.request.memory = dcu::MiB{2000};
  partition.spec.pod_ref = crds::PodRef{name, name + "-uid", "main"};
  partition.spec.assignment = assignment;
  return kclient::MakeCreate(crds::kVdcuPartitions, "default", name, crds::ToJson(partition));
}

class Watchers {
 public:
  Watchers(World& world, size_t count) : world_(world) {
    Connection& to = world.connection();
    for (size_t n = 0; n < count; n += kAtOnce) {
      for (size_t i = n; i < std::min(count, n + kAtOnce); ++i) Open(i);
      to.RunFor(base::Duration(100));
    }
    to.RunFor(std::chrono::seconds(3));  // until the last is served
  }

  size_t bytes() const { return bytes_; }
  size_t ended() const { return ended_; }

 private:
  void Open(size_t n) {
    calls_.push_back(world_.connection().client().Watch(
        crds::kVdcuPartitions, "",
        {.field_selector = "spec.assignment.node=" + NodeOf(n),
         .label_selector = "",
         .resource_version = "",
         .timeout_seconds = 3600},
        [this](std::string_view data) { bytes_ += data.size(); },
        [this](const base::Status&) { ++ended_; }));
  }

  World& world_;
  std::vector<kclient::CallPtr> calls_;
  size_t bytes_ = 0;
  size_t ended_ = 0;
};

struct Cost {
  double cpu_percent_idle = 0;
  double cpu_percent = 0;
  double rate = 0;  // placements a second that were reached
  double mebibytes = 0;
};

double CpuPercent(World& world, const std::function<void()>& work) {
  const pid_t server = world.PidOf("kube-apiserver");
  const double before = CpuMilliseconds(server);
  const base::TimePoint began = world.connection().Now();
  work();
  const std::chrono::duration<double, std::milli> took = world.connection().Now() - began;
  return 100 * (CpuMilliseconds(server) - before) / took.count();
}

Cost Measure(World& world, Connection& controller, size_t watchers, size_t rate, size_t seconds) {
  const Watchers watching(world, watchers);
  Cost cost;
  cost.cpu_percent_idle =
      CpuPercent(world, [&] { world.connection().RunFor(std::chrono::seconds(5)); });
  size_t created = 0;
  const base::TimePoint began = controller.Now();
  cost.cpu_percent = CpuPercent(world, [&] {
    for (size_t n = 0; n < rate * seconds; ++n) {
      const std::string name = "w" + std::to_string(watchers) + "-" + std::to_string(n);
      controller.Apply(CreateOn(name, NodeOf(n * 7919 % std::max<size_t>(watchers, 100))),
                       [&created](kclient::JsonView) { ++created; });
      const base::TimePoint next = began + base::Duration(1000 * (n + 1) / rate);
      if (next > controller.Now()) controller.RunFor(next - controller.Now());
    }
    controller.RunUntil("all partitions", [&] { return created == rate * seconds; });
  });
  const std::chrono::duration<double> took = controller.Now() - began;
  cost.rate = static_cast<double>(created) / took.count();
  cost.mebibytes = ResidentMebibytes(world.PidOf("kube-apiserver"));
  if (watching.ended() > 0) {
    std::fprintf(stderr, "%zu of %zu watches ended\n", watching.ended(), watchers);
  }
  return cost;
}

}  // namespace
}  // namespace vdcu::bench

int main(int argc, char** argv) {
  using namespace vdcu::bench;  // NOLINT(google-build-using-namespace)
  const size_t rate = argc > 1 ? std::stoul(argv[1]) : 50;
  const size_t seconds = argc > 2 ? std::stoul(argv[2]) : 20;
  std::vector<size_t> counts{0, 100, 1000, 5000};
  if (argc > 3) counts.clear();
  for (int i = 3; i < argc; ++i) counts.push_back(std::stoul(argv[i]));
  const std::string machine = DescribeMachine();
  World world(1);
  Connection controller(world.loop(), world.controller_kubeconfig());
  std::printf("%zu placements a second for %zu s (%s)\n", rate, seconds, machine.c_str());
  std::printf("%10s  %22s  %22s  %10s  %12s\n", "watchers", "apiserver CPU, idle", "CPU, placing",
              "reached/s", "RSS");
  for (const size_t count : counts) {
    const Cost cost = Measure(world, controller, count, rate, seconds);
    std::printf("%10zu  %20.1f %%  %20.1f %%  %10.1f  %8.0f MiB\n", count, cost.cpu_percent_idle,
                cost.cpu_percent, cost.rate, cost.mebibytes);
    std::fflush(stdout);
  }
  return 0;
}
