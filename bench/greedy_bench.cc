// How long a pod waits from its create until a watch shows it bound, while others are greedy:
// nobody; a crowd of pods of another namespace that name one reserved partition, which is made and
// deleted every 0.6 s; a crowd that waits for other pods to move, each for others; clients that ask
// the controller for its metrics as fast as they can.
//
//   greedy_bench [PODS [CROWD [CLIENTS]]]    default: 100 1500 64
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bench/flood.h"
#include "bench/measure.h"
#include "bench/world.h"
#include "crds/resources.h"
#include "tests/world/free_port.h"

namespace vdcu::bench {
namespace {

using nlohmann::json;

constexpr char kCrowd[] = "crowd";
constexpr kclient::Resource kNamespaces{"", "v1", "namespaces", "Namespace"};
constexpr int kNodes = 10;
constexpr base::Duration kEvery{300};

void MakeNamespace(Connection& to, const std::string& name) {
  to.ApplyAll(1, [&](size_t) {
    return kclient::MakeCreate(
        kNamespaces, "", name,
        {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", name}}}});
  });
}

// Pods that fit nowhere, and keep away from all pods there are: a class each.
void MakeShyCrowd(Connection& to, size_t pods) {
  constexpr char kShy[] = "shy";
  MakeNamespace(to, kShy);
  to.ApplyAll(pods, [&](size_t n) {
    const std::string name = "shy-" + std::to_string(n);
    json pod = CardPod(name, "none");
    pod["metadata"]["namespace"] = kShy;
    pod["metadata"]["labels"] = {{"app", name}};
    const json term = {{"labelSelector", json::object()},
                       {"namespaceSelector", json::object()},
                       {"topologyKey", "kubernetes.io/hostname"}};
    pod["spec"]["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"] = {
        term};
    return kclient::MakeCreate(kclient::kPods, kShy, name, pod);
  });
}

// Pods that name one partition. The partition comes and goes from the constructor on; the pods stay
// when it is destroyed.
class Crowd {
 public:
  Crowd(Connection& to, size_t pods);
  ~Crowd();
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

 private:
  void Toggle();

  Connection& to_;
  base::TimerPtr timer_;
  bool asked_ = false;  // and not answered yet
  std::string uid_;     // of the partition; empty: it is not there
};

Crowd::Crowd(Connection& to, size_t pods)
    : to_(to), timer_(to.loop().MakeTimer([this] { Toggle(); })) {
  MakeNamespace(to_, kCrowd);
  to_.ApplyAll(pods, [](size_t n) {
    const std::string name = "crowd-" + std::to_string(n);
    json pod = CardPod(name, "");
    pod["metadata"]["namespace"] = kCrowd;
    pod["metadata"]["annotations"] = {{"vdcu.io/partition", "r"}};
    pod["spec"].erase("nodeSelector");
    return kclient::MakeCreate(kclient::kPods, kCrowd, name, pod);
  });
  Toggle();
}

Crowd::~Crowd() {
  to_.RunUntil("the crowd's last answer", [this] { return !asked_; });
  timer_->Stop();
}

void Crowd::Toggle() {
  const auto answered = [this] {
    asked_ = false;
    timer_->Start(kEvery);
  };
  asked_ = true;
  if (!uid_.empty()) {
    return to_.Apply(
        kclient::MakeDelete(crds::kVdcuPartitions, kCrowd, "r", std::exchange(uid_, ""), ""),
        [answered](kclient::JsonView) { answered(); });
  }
  // On no node, so that no pod ever has it.
  const json partition = {{"apiVersion", "vdcu.io/v1alpha1"},
                          {"kind", "VDCUPartition"},
                          {"metadata", {{"name", "r"}, {"namespace", kCrowd}}},
                          {"spec", {{"cores", 10}, {"nodeSelector", {{"no", "node"}}}}}};
  to_.Apply(kclient::MakeCreate(crds::kVdcuPartitions, kCrowd, "r", partition),
            [this, answered](kclient::JsonView stored) {
              uid_ = kclient::GetStringOr(*kclient::Get(stored, "metadata"), "uid");
              answered();
            });
}

class Greedy {
 public:
  explicit Greedy(size_t pods)
      : pods_(pods),
        world_(kNodes),
        port_(world::FreePort()),
        controller_(world_.StartController({"--listen", "127.0.0.1:" + std::to_string(port_)})) {}

  void Run(size_t crowd, int clients) {
    Measure("nobody");
    {
      const Flood flood(port_, "/metrics", clients);
      Measure((std::to_string(clients) + " clients ask for metrics").c_str());
      std::printf("  %.1f MiB answered\n", static_cast<double>(flood.answered()) / (1 << 20));
    }
    Measure("nobody again");
    Connection& to = world_.connection();
    {
      const Crowd beside(to, crowd);
      MeasureWithCost((std::to_string(crowd) + " pods name one partition").c_str(), crowd);
    }
    MakeShyCrowd(to, crowd);
    MeasureWithCost((std::to_string(crowd) + " pods mind all others").c_str(), crowd);
  }

 private:
  void Measure(const char* beside);
  // And says what the controller and the crowd have cost meanwhile.
  void MeasureWithCost(const char* beside, size_t crowd);
  double Time(const std::string& name);

  const size_t pods_;
  World world_;
  const uint16_t port_;
  std::unique_ptr<world::Background> controller_;
  size_t next_ = 0;
};

// Milliseconds from its create until it is bound.
double Greedy::Time(const std::string& name) {
  Connection& to = world_.connection();
  const auto began = to.loop().clock().Wall();
  to.Apply(CreatePod(SlicePod(name)), [](kclient::JsonView) {});
  to.RunUntil(name, [&] {
    const auto pod = world_.pods().Get("default/" + name);
    return pod && pod->bound();
  });
  return std::chrono::duration<double, std::milli>(to.loop().clock().Wall() - began).count();
}

void Greedy::Measure(const char* beside) {
  std::vector<double> times;
  for (size_t n = 0; n < pods_; ++n) {
    times.push_back(Time("pod-" + std::to_string(next_++)));
    world_.connection().RunFor(base::Duration(50));
  }
  std::printf("%-32s p50 %7.1f ms   p99 %7.1f ms   most %7.1f ms\n", beside, Quantile(times, 0.5),
              Quantile(times, 0.99), Quantile(times, 1));
  world_.CleanUp();
}

void Greedy::MeasureWithCost(const char* beside, size_t crowd) {
  Connection& to = world_.connection();
  const double before = CpuMilliseconds(controller_->pid());
  const auto began = to.Now();
  const auto calls = ParseApiCalls(to.Request("GET", "/metrics"));
  Measure(beside);
  const double seconds = std::chrono::duration<double>(to.Now() - began).count();
  std::printf("  %.0f %% of a processor; in %.1f s, for each pod of the crowd:\n%s",
              (CpuMilliseconds(controller_->pid()) - before) / seconds / 10, seconds,
              CallsForEach(calls, ParseApiCalls(to.Request("GET", "/metrics")), crowd).c_str());
}

}  // namespace
}  // namespace vdcu::bench

int main(int argc, char** argv) {
  const size_t pods = argc > 1 ? std::stoul(argv[1]) : 100;
  const size_t crowd = argc > 2 ? std::stoul(argv[2]) : 1500;
  const int clients = argc > 3 ? std::stoi(argv[3]) : 64;
  std::printf("%s\n", vdcu::bench::DescribeMachine().c_str());
  vdcu::bench::Greedy(pods).Run(crowd, clients);
  return 0;
}
