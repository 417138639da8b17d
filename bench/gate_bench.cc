// What the gate (controller/gate) adds to a binding of a pod that asks for no cards: the same
// requests by a user whose bindings it is asked about and by one whose it is not, in turns. Each
// goes through kubectl proxy, on a connection of its own, which is in both.
//
//   gate_bench [PODS]    default: 1000 for each user
#include <chrono>
#include <cstdio>
#include <sstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/check.h"
#include "bench/measure.h"
#include "tests/world/control_plane.h"
#include "tests/world/free_port.h"
#include "tests/world/gate.h"
#include "tests/world/http.h"
#include "tests/world/objects.h"

namespace vdcu::bench {
namespace {

using nlohmann::json;
using world::kPods;

constexpr char kGated[] = "gated";
constexpr char kPlain[] = "plain";
constexpr char kNode[] = "n1";

class World : world::ControlPlane {
 public:
  World() : ControlPlane({}) {
    // It serves no EndpointSlice here: whoever asks has its address.
    std::vector<std::string> flags = gate_.Flags();
    flags.insert(flags.end(), {"--gate-advertise", "10.20.30.40", "--listen",
                               "127.0.0.1:" + std::to_string(listen_)});
    controller = MakeController("controller", flags);
    for (const char* user : {kGated, kPlain}) MakeAdministrator(user);
    Create("/api/v1/nodes", {{"metadata", {{"name", kNode}}}});
    gate_.Configure(api, kGated);
  }

  // Milliseconds of one binding.
  double Bind(const std::string& pod, const std::string& user) const {
    json object = world::Pod(pod, {});
    object["spec"]["schedulerName"] = "default-scheduler";
    Create(kPods, object);
    const auto begin = std::chrono::steady_clock::now();
    const auto answer = api.Call("POST", kPods + ("/" + pod) + "/binding",
                                 {{"apiVersion", "v1"},
                                  {"kind", "Binding"},
                                  {"metadata", {{"name", pod}}},
                                  {"target", {{"kind", "Node"}, {"name", kNode}}}},
                                 user);
    const std::chrono::duration<double, std::milli> taken =
        std::chrono::steady_clock::now() - begin;
    CHECK(answer.code == 201, answer.body.dump());
    return taken.count();
  }
  // How often the gate was asked.
  int64_t asked() const {
    const std::string url = "http://127.0.0.1:" + std::to_string(listen_) + "/metrics";
    std::istringstream lines(world::Fetch({.url = url}).text);
    int64_t sum = 0;
    for (std::string line; std::getline(lines, line);) {
      if (line.find("webhook=\"bind\"") == std::string::npos) continue;
      sum += std::stoll(line.substr(line.rfind(' ') + 1));
    }
    return sum;
  }

 private:
  void Create(const std::string& path, const json& object) const {
    const auto answer = api.Call("POST", path, object);
    CHECK(answer.code == 201, answer.body.dump());
  }
  void MakeAdministrator(const std::string& user) const {
    const std::string group = "rbac.authorization.k8s.io";
    Create(
        "/apis/" + group + "/v1/clusterrolebindings",
        {{"metadata", {{"name", "bench-" + user}}},
         {"subjects", {{{"apiGroup", group}, {"kind", "User"}, {"name", user}}}},
         {"roleRef", {{"apiGroup", group}, {"kind", "ClusterRole"}, {"name", "cluster-admin"}}}});
  }

  const world::Gate gate_{cluster};
  const int listen_ = world::FreePort();
};

void Print(const char* name, const std::vector<double>& samples) {
  std::printf("%-28s p50 %6.2f  p90 %6.2f  p99 %6.2f ms\n", name, Quantile(samples, 0.5),
              Quantile(samples, 0.9), Quantile(samples, 0.99));
}

void Run(int pods) {
  std::printf("%s\n", DescribeMachine().c_str());
  World world;
  int first = 0;
  CHECK(world::Until([&] {
          world.Bind("first-" + std::to_string(first++), kGated);
          return world.asked() > 0;
        }),
        "the API server does not ask the gate");
  const int64_t before = world.asked();
  std::vector<double> gated;
  std::vector<double> plain;
  for (int i = 0; i < pods; ++i) {
    gated.push_back(world.Bind("gated-" + std::to_string(i), kGated));
    plain.push_back(world.Bind("plain-" + std::to_string(i), kPlain));
  }
  // Its metrics are of a second ago at most.
  CHECK(world::Until([&] { return world.asked() == before + pods; }),
        "the gate was asked about " + std::to_string(world.asked() - before) + " bindings");
  Print("the gate is not asked", plain);
  Print("the gate is asked", gated);
}

}  // namespace
}  // namespace vdcu::bench

int main(int argc, char** argv) {
  vdcu::bench::Run(argc > 1 ? std::stoi(argv[1]) : 1000);
  return 0;
}
