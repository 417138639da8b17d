// What vdcu-controller itself takes for a call of kube-scheduler's filter, from the body's text to
// the answer's, on a cluster where nine nodes of ten hold ten slices (bench/generated_cluster.h).
// Each pod of those that wait asks once, and keeps what it is offered. The names sent are drawn at
// random, as kube-scheduler sends those that its own filters left over.
//
//   extender_bench [NODES [WAITING [NAMES]]]    default: 5000 2000 200
#include <chrono>
#include <cstdio>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "bench/generated_cluster.h"
#include "bench/measure.h"
#include "bench/objects.h"

namespace vdcu::bench {
namespace {

using nlohmann::json;

constexpr size_t kSlicesOfANode = 10;
constexpr base::Duration kSettle{3'000};
constexpr unsigned kSeed = 1;

std::string Call(size_t pod, size_t nodes, size_t names, std::mt19937& random) {
  json call{{"Pod", json::parse(WaitingPodJson(pod))}, {"Nodes", nullptr}};
  std::uniform_int_distribution<size_t> any(0, nodes - 1);
  for (size_t i = 0; i < names; ++i) call["NodeNames"].push_back(NodeName(any(random)));
  return call.dump();
}

struct Asked {
  double microseconds = 0;
  bool offered = false;
};

Asked Ask(controller::Extender& extender, const std::string& body) {
  Asked asked;
  base::HttpAnswer answer;
  const auto begin = std::chrono::steady_clock::now();
  extender.Filter(body,
                  base::HttpResponder([&](base::HttpAnswer got) { answer = std::move(got); }));
  asked.microseconds =
      std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin).count();
  CHECK(answer.status == 200, answer.body);
  asked.offered = !json::parse(answer.body).at("NodeNames").empty();
  return asked;
}

void Run(size_t nodes, size_t waiting, size_t names) {
  const size_t bound = (nodes - nodes / 10) * kSlicesOfANode;
  GeneratedCluster cluster({.nodes = nodes, .bound = bound, .waiting = waiting});
  cluster.RunFor(kSettle);  // all keys are reconciled once
  std::mt19937 random(kSeed);
  std::vector<double> samples;
  size_t offered = 0;
  for (size_t pod = bound; pod < bound + waiting; ++pod) {
    const std::string body = Call(pod, nodes, names, random);
    const Asked asked = Ask(cluster.state().extender(), body);
    samples.push_back(asked.microseconds);
    offered += asked.offered ? 1 : 0;
    cluster.RunFor(base::Duration{1});
  }
  std::printf(
      "filter, %zu nodes, %zu names sent: p50 %.0f  p99 %.0f us; %zu of %zu were offered a node\n",
      nodes, names, Quantile(samples, 0.5), Quantile(samples, 0.99), offered, waiting);
}

}  // namespace
}  // namespace vdcu::bench

int main(int argc, char** argv) {
  const size_t nodes = argc > 1 ? std::stoul(argv[1]) : 5'000;
  const size_t waiting = argc > 2 ? std::stoul(argv[2]) : 2'000;
  const size_t names = argc > 3 ? std::stoul(argv[3]) : 200;
  vdcu::base::SetUpHeap();
  vdcu::base::SetUpLogging(vdcu::base::Level::kError, vdcu::base::LogFormat::kText);
  std::printf("%s\n", vdcu::bench::DescribeMachine().c_str());
  vdcu::bench::Run(nodes, waiting, names);
  return 0;
}
