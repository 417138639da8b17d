// The real kube-scheduler and the real Volcano beside the controller, configured as the documents
// say, and what the controller needs to answer them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/world/api.h"
#include "tests/world/background.h"
#include "tests/world/cluster.h"
#include "tests/world/free_port.h"

namespace vdcu::world {

// The controller may write the EndpointSlice of that Service, as the chart lets it.
void AllowAddress(const Api& api, const std::string& service);

// With these parts of its configuration; its output goes to kube-scheduler.log below the cluster's
// folder.
std::unique_ptr<Background> StartKubeScheduler(const Cluster& cluster, const nlohmann::json& parts);

// The controller as kube-scheduler's extender, on all addresses: who binds must show a certificate.
class KubeExtender {
 public:
  // Makes the certificates of docs/kube-scheduler.md for 127.0.0.1, below the cluster's folder.
  explicit KubeExtender(const Cluster& cluster);

  int port() const { return port_; }
  // The controller's.
  std::vector<std::string> Flags() const;
  // As config/schedulers/kube-scheduler.yaml has it; pods name the scheduler "vdcu-kube".
  std::unique_ptr<Background> StartScheduler() const;

 private:
  std::string Pem(const std::string& name) const { return cluster_.folder() + "/" + name; }

  const Cluster& cluster_;
  const int port_ = FreePort();
};

// The controller as Volcano's extender. What Volcano's processes write goes to
// controller-manager.log and scheduler.log below the cluster's folder.
class Volcano {
 public:
  // Arguments of the extender plugin; up to 1.12 it knows predicates alone.
  static constexpr char kUpTo112[] = R"(
      extender.predicateVerb: predicate
      extender.ignorable: false)";
  static constexpr char kToday[] = R"(
      extender.predicateVerb: predicate
      extender.allocateFuncVerb: allocate
      extender.deallocateFuncVerb: deallocate
      extender.ignorable: false
      extender.managedResources:
      - hygon.com/dcunum
      - hygon.com/hcunum)";

  // Builds it where the cache lacks it, and installs its CRDs.
  explicit Volcano(const Cluster& cluster);

  // The controller's.
  std::vector<std::string> Flags() const {
    return {"--volcano", "127.0.0.1:" + std::to_string(port_)};
  }
  // Whether the controller that leads answers.
  bool Leads() const;
  void StartControllers();
  // Another one than before. The configuration is that of the vendor's documents, with the plugin
  // as its last, unless its arguments are empty.
  void StartScheduler(const std::string& arguments);

 private:
  std::unique_ptr<Background> Start(const std::string& name,
                                    const std::vector<std::string>& flags) const;

  const Cluster& cluster_;
  const int port_ = FreePort();
  const std::string binaries_;  // their folder; the CRDs are beside it
  std::unique_ptr<Background> controllers_;
  std::unique_ptr<Background> scheduler_;
};

}  // namespace vdcu::world
