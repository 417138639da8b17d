// How long one pod waits on an idle cluster: from the moment in which its create is sent to the
// moment in which a watch shows it bound; and how long a pod that waits for a card waits after the
// pod that holds one is deleted (by force: no kubelet has to end it).
//
//   latency_bench [PODS [NODES]]    default: 200 100
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "bench/measure.h"
#include "bench/world.h"

namespace vdcu::bench {
namespace {

using nlohmann::json;

constexpr int kCards = 8;

class Latency {
 public:
  explicit Latency(int nodes) : world_(nodes), controller_(world_.StartController()) {}

  std::vector<double> OfNewPods(size_t count);
  std::vector<double> OfFreedCards(size_t count);
  const std::string& calls() const { return calls_; }

 private:
  void Create(const json& pod) {
    world_.connection().Apply(CreatePod(pod), [](kclient::JsonView) {});
  }
  bool Bound(const std::string& name) const {
    const auto pod = world_.pods().Get("default/" + name);
    return pod && pod->bound();
  }
  // Milliseconds from `start` until the pod is bound.
  double Time(const std::string& name, const std::function<void()>& start);

  World world_;
  std::string calls_;  // for each freed card
  std::unique_ptr<world::Background> controller_;
};

double Latency::Time(const std::string& name, const std::function<void()>& start) {
  Connection& to = world_.connection();
  const auto began = to.loop().clock().Wall();
  start();
  to.RunUntil(name, [&] { return Bound(name); });
  return std::chrono::duration<double, std::milli>(to.loop().clock().Wall() - began).count();
}

std::vector<double> Latency::OfNewPods(size_t count) {
  std::vector<double> times;
  for (size_t n = 0; n < count; ++n) {
    const std::string name = "new-" + std::to_string(n);
    times.push_back(Time(name, [&] { Create(SlicePod(name)); }));
    world_.connection().RunFor(base::Duration(20));
  }
  world_.CleanUp();
  return times;
}

std::vector<double> Latency::OfFreedCards(size_t count) {
  Connection& to = world_.connection();
  const auto name = [](size_t n) { return "card-" + std::to_string(n); };
  for (size_t n = 0; n < kCards; ++n) {
    Create(CardPod(name(n), "node-0"));
    to.RunUntil(name(n), [&] { return Bound(name(n)); });
  }
  std::vector<double> times;
  const ApiCalls before = ParseApiCalls(to.Request("GET", "/metrics"));
  for (size_t n = 0; n < count; ++n) {
    Create(CardPod(name(n + kCards), "node-0"));
    to.RunFor(base::Duration(300));  // until it has been told that it must wait
    times.push_back(Time(name(n + kCards), [&] {
      to.Apply(DeletePod(*world_.pods().Get("default/" + name(n))), [](kclient::JsonView) {});
    }));
  }
  calls_ = CallsForEach(before, ParseApiCalls(to.Request("GET", "/metrics")), count);
  world_.CleanUp();
  return times;
}

void Print(const char* what, const std::vector<double>& times) {
  std::printf("%-40s p50 %6.1f ms   p99 %6.1f ms   most %6.1f ms\n", what, Quantile(times, 0.5),
              Quantile(times, 0.99), Quantile(times, 1));
}

}  // namespace
}  // namespace vdcu::bench

int main(int argc, char** argv) {
  const size_t pods = argc > 1 ? std::stoul(argv[1]) : 200;
  const int nodes = argc > 2 ? std::stoi(argv[2]) : 100;
  const std::string machine = vdcu::bench::DescribeMachine();
  vdcu::bench::Latency latency(nodes);
  const auto fresh = latency.OfNewPods(pods);
  const auto freed = latency.OfFreedCards(pods);
  std::printf("%zu pods one at a time on %d nodes (%s)\n", pods, nodes, machine.c_str());
  vdcu::bench::Print("pod created -> bound", fresh);
  vdcu::bench::Print("card freed -> the waiting pod bound", freed);
  std::printf("\nAPI calls for each freed card:\n%s", latency.calls().c_str());
  return 0;
}
