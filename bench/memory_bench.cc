// Resident memory of the controller with a big cluster in its cache, and of both processes at rest.
//
// 50,000 pods of 10 KiB with their partitions and 5,000 nodes would take an API server longer to
// make than they take to read, so here the lists are generated (bench/generated_cluster.h).
// What is reported is how much that process grows; the real binaries at rest, on a
// real control plane, stand beside it.
//
//   memory_bench [NODES [PODS]]    default: 5000 50000
#include <unistd.h>

#include <cstdio>
#include <string>

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "bench/generated_cluster.h"
#include "bench/measure.h"
#include "bench/objects.h"
#include "bench/world.h"
#include "tests/hosts/simulated_host.h"
#include "tests/world/paths.h"

namespace vdcu::bench {
namespace {

constexpr base::Duration kSettle{2'000};

void Fill(size_t node_count, size_t pod_count) {
  PodJson(0);
  // The process's own: pages of files are those of this program, not of the controller.
  const double before = AnonymousMebibytes(getpid());
  GeneratedCluster cluster({.nodes = node_count, .bound = pod_count});
  cluster.RunFor(kSettle);  // all keys are reconciled once
  std::printf("controller's cache, %zu nodes (%zu cards), %zu bound pods: grows by %.1f MiB\n",
              node_count, 8 * node_count, pod_count, AnonymousMebibytes(getpid()) - before);
}

void PrintRest(const char* what, pid_t pid) {
  std::printf("%s, at rest: RSS %.1f MiB, %.1f MiB of that its own (not pages of files)\n", what,
              ResidentMebibytes(pid), AnonymousMebibytes(pid));
}

void AtRest() {
  World world(1);
  const auto controller = world.StartController();
  const std::string kubeconfig = world.DaemonKubeconfig("alone");
  const std::string host = world.folder() + "/alone";
  const auto made = hosts::SimulatedHost::Create(host, {.serial_prefix = "alone"});
  CHECK(made.has_value(), made.error().message);
  const world::Background daemon({world::NodeBinary(), "--kubeconfig", kubeconfig, "--node-name",
                                  "alone", "--host-root", host, "--kubelet-dir", ""},
                                 world.folder() + "/alone.log");
  world.connection().RunFor(
      std::chrono::seconds(13));  // a quiet interval between two scans of the host
  PrintRest("vdcu-controller, empty cluster", controller->pid());
  PrintRest("vdcu-node, 8 cards", daemon.pid());
}

}  // namespace
}  // namespace vdcu::bench

int main(int argc, char** argv) {
  const size_t nodes = argc > 1 ? std::stoul(argv[1]) : 5'000;
  const size_t pods = argc > 2 ? std::stoul(argv[2]) : 50'000;
  vdcu::base::SetUpHeap();
  vdcu::base::SetUpLogging(vdcu::base::Level::kWarning, vdcu::base::LogFormat::kText);
  std::printf("%s\n", vdcu::bench::DescribeMachine().c_str());
  vdcu::bench::Fill(nodes, pods);
  vdcu::bench::AtRest();
  return 0;
}
