// Resident memory of the controller with a big cluster in its cache, and of both processes at rest.
//
// 50,000 pods of 10 KiB with their partitions and 5,000 nodes would take an API server longer to
// make than they take to read, so here a transport of this program answers the controller's lists
// from generated JSON, page by page: the controller's own LeaderState, informers and decoders take
// it from there. What is reported is how much that process grows; the real binaries at rest, on a
// real control plane, stand beside it.
//
//   memory_bench [NODES [PODS]]    default: 5000 50000
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <string>

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/uv_loop.h"
#include "bench/measure.h"
#include "bench/objects.h"
#include "bench/world.h"
#include "controller/leader_state.h"
#include "kclient/transport.h"
#include "tests/hosts/simulated_host.h"
#include "tests/world/paths.h"

namespace vdcu::bench {
namespace {

// Answers lists; watches stay open and say nothing.
class GeneratedLists : public kclient::Transport {
 public:
  GeneratedLists(base::Loop& loop, size_t nodes, size_t pods)
      : loop_(loop), nodes_(nodes), pods_(pods) {}

  kclient::CallPtr Send(kclient::HttpRequest request, kclient::ResponseCallback on_done) override {
    loop_.Post([this, path = request.path, on_done = std::move(on_done)] {
      on_done(kclient::HttpResponse{.status = 200, .body = Page(path)});
    });
    return std::make_unique<kclient::Call>();
  }
  kclient::CallPtr Stream(kclient::HttpRequest, kclient::DataCallback,
                          kclient::ResponseCallback) override {
    ++watches_;
    return std::make_unique<kclient::Call>();
  }
  size_t watches() const { return watches_; }

 private:
  struct Kind {
    size_t count;
    std::function<std::string(size_t)> make;
  };

  Kind KindOf(const std::string& path) const {
    const auto is = [&](const char* part) { return path.find(part) != std::string::npos; };
    if (is("/dcunodes")) return {nodes_, DcuNodeJson};
    if (is("/vdcupartitions")) return {pods_, PartitionJson};
    if (is("/nodes")) return {nodes_, NodeJson};
    if (is("/pods")) return {pods_, PodJson};
    return {0, nullptr};
  }

  std::string Page(const std::string& path) const {
    constexpr size_t kPage = 500;
    const Kind kind = KindOf(path);
    const size_t at = path.find("continue=");
    const size_t from = at == std::string::npos ? 0 : std::stoul(path.substr(at + 9));
    const size_t to = std::min(kind.count, from + kPage);
    std::string page = R"({"apiVersion":"v1","kind":"List","metadata":{"resourceVersion":"9")";
    if (to < kind.count) page += R"(,"continue":")" + std::to_string(to) + "\"";
    page += R"(},"items":[)";
    for (size_t n = from; n < to; ++n) page += (n == from ? "" : ",") + kind.make(n);
    return page + "]}";
  }

  base::Loop& loop_;
  const size_t nodes_;
  const size_t pods_;
  size_t watches_ = 0;
};

constexpr base::Duration kSettle{2'000};

void Fill(size_t node_count, size_t pod_count) {
  base::UvLoop loop;
  GeneratedLists transport(loop, node_count, pod_count);
  kclient::Client client(transport);
  kclient::EventRecorder events(loop, client,
                                {.reporting_controller = "vdcu.io/controller",
                                 .reporting_instance = "bench",
                                 .idle = [] { return true; }},
                                base::SystemRandom());
  controller::Metrics metrics;
  PodJson(0);
  // The process's own: pages of files are those of this program, not of the controller.
  const double before = AnonymousMebibytes(getpid());
  controller::LeaderState state(
      loop, client, events, metrics, {}, [] { return true; }, base::SystemRandom());
  // Posted work alone does not keep a loop going.
  const base::TimerPtr alive = loop.MakeTimer([] {});
  alive->Start(std::chrono::hours(1));
  state.Start();
  while (!state.NotReady().empty() || transport.watches() < 7) loop.RunOnce();
  const base::TimePoint rest = loop.clock().Now() + kSettle;
  alive->Start(kSettle);
  while (loop.clock().Now() < rest) loop.RunOnce();  // all keys are reconciled once
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
