// One process that plays the vdcu-node daemons of many nodes: the daemon's own classes, each with a
// connection, a token and a simulated host of its own, all on one loop.
//
//   many_nodes ADMIN-KUBECONFIG FOLDER COUNT
//
// Registers the Nodes node-0, node-1, ... as kubelets would, with 4 hygon.com/dcunum for each of
// their 8 cards.
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/file.h"
#include "base/log.h"
#include "base/random.h"
#include "bench/connection.h"
#include "kclient/config.h"
#include "node/daemon.h"
#include "node/metrics.h"
#include "tests/hosts/simulated_host.h"

namespace vdcu::bench {
namespace {

using nlohmann::json;

constexpr int kCards = 8;
constexpr kclient::Resource kServiceAccounts{"", "v1", "serviceaccounts", "ServiceAccount"};

std::string NameOf(size_t node) { return "node-" + std::to_string(node); }

kclient::Write CreateNode(const std::string& name) {
  const json resources{{"cpu", "64"},
                       {"memory", "512Gi"},
                       {"pods", "110"},
                       {"hygon.com/dcunum", std::to_string(4 * kCards)}};
  return kclient::MakeCreate(
      kclient::kNodes, "", name,
      {{"apiVersion", "v1"},
       {"kind", "Node"},
       {"metadata", {{"name", name}, {"labels", {{"kubernetes.io/hostname", name}}}}},
       {"status",
        {{"capacity", resources},
         {"allocatable", resources},
         {"conditions", {{{"type", "Ready"}, {"status", "True"}, {"reason", "Simulated"}}}}}}});
}

// The admission of a new node taints it, and no controller is there to lift that.
kclient::Write Untaint(kclient::JsonView node) {
  const auto uid = kclient::GetStringOr(*kclient::Get(node, "metadata"), "uid");
  const auto name = kclient::GetStringOr(*kclient::Get(node, "metadata"), "name");
  return kclient::MakePatch(kclient::kNodes, "", name, "", {{"spec", {{"taints", nullptr}}}}, uid,
                            "");
}

kclient::Write RequestToken(const std::string& node, const std::string& uid) {
  // Not MakeCreate, which would name the service account's own kind.
  kclient::Write write;
  write.resource = kServiceAccounts;
  write.ns = "vdcu-system";
  write.name = "vdcu-node";
  write.subresource = "token";
  write.body = {{"apiVersion", "authentication.k8s.io/v1"},
                {"kind", "TokenRequest"},
                {"spec",
                 {{"expirationSeconds", 86'400},
                  {"boundObjectRef",
                   {{"apiVersion", "v1"}, {"kind", "Node"}, {"name", node}, {"uid", uid}}}}}};
  return write;
}

// Registers all nodes; returns a token for each.
std::vector<std::string> Register(Connection& admin, size_t count) {
  std::vector<std::string> tokens(count);
  admin.ForEach(count, 16, [&](size_t n, const std::function<void()>& done) {
    admin.Apply(CreateNode(NameOf(n)), [&, n, done](kclient::JsonView node) {
      const auto uid = kclient::GetStringOr(*kclient::Get(node, "metadata"), "uid");
      admin.Apply(Untaint(node), [&, n, uid, done](kclient::JsonView) {
        admin.Apply(RequestToken(NameOf(n), uid), [&, n, done](kclient::JsonView answer) {
          tokens[n] = kclient::GetStringOr(*kclient::Get(answer, "status"), "token");
          done();
        });
      });
    });
  });
  return tokens;
}

struct Played {
  Played(base::UvLoop& loop, const kclient::Config& config, const std::string& folder,
         const std::string& name)
      : host(hosts::SimulatedHost::Create(folder + "/" + name,
                                          {.cards = kCards, .serial_prefix = name})
                 .value()),
        transport(loop, config, "vdcu-node"),
        client(transport),
        daemon(loop, client, host.root(), metrics,
               {.node_name = name, .lease_namespace = "vdcu-system"}, base::SystemRandom()) {
    const base::Status started = daemon.Start();
    CHECK(started.has_value(), started.error().message);
  }

  hosts::SimulatedHost host;
  node::Metrics metrics;
  kclient::CurlTransport transport;
  kclient::Client client;
  node::Daemon daemon;
};

int Main(const std::string& kubeconfig, const std::string& folder, size_t count) {
  base::SetUpLogging(base::Level::kWarning, base::LogFormat::kText);
  base::UvLoop loop;
  Connection admin(loop, kubeconfig);
  const std::vector<std::string> tokens = Register(admin, count);
  auto config = kclient::LoadKubeconfig({kubeconfig}).value();
  config.cert_data.clear();
  config.key_data.clear();
  std::vector<std::unique_ptr<Played>> nodes;
  for (size_t n = 0; n < count; ++n) {
    config.token = tokens[n];
    nodes.push_back(std::make_unique<Played>(loop, config, folder, NameOf(n)));
  }
  loop.Run();  // until it is killed
  return 0;
}

}  // namespace
}  // namespace vdcu::bench

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: many_nodes ADMIN-KUBECONFIG FOLDER COUNT\n";
    return 2;
  }
  return vdcu::bench::Main(argv[1], argv[2], std::stoul(argv[3]));
}
