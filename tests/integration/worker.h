// One node of a test's cluster: its Node as a kubelet would register it, a simulated host, and the
// real vdcu-node with a token of its own.
#pragma once

#include <map>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include "tests/hosts/simulated_host.h"
#include "tests/integration/api.h"
#include "tests/integration/background.h"
#include "tests/integration/cluster.h"

namespace vdcu::integration {

class Worker {
 public:
  // Registers the Node and starts the daemon.
  Worker(const Cluster& cluster, const Api& api, const std::string& name,
         const hosts::HostOptions& options);

  const std::string& name() const { return name_; }
  hosts::SimulatedHost& host() { return host_; }
  const hosts::SimulatedHost& host() const { return host_; }

  // A Node of that name, and a token that ends with it.
  void Register();
  void Start();
  void Kill() { daemon_.reset(); }  // SIGKILL
  Background& daemon() { return *daemon_; }
  bool runs() const { return daemon_ != nullptr; }

  nlohmann::json DcuNode() const;
  bool Published() const;  // its cards, and as many resources of the Node
  // What the daemon has written: path on the host to bytes.
  std::map<std::string, std::string> Files() const;
  std::string Log() const;

  // The bytes of the vdev file that an assignment asks for.
  std::string VdevFile(const nlohmann::json& assignment) const;

 private:
  std::string folder() const { return cluster_.folder() + "/" + name_; }

  const Cluster& cluster_;
  const Api& api_;
  const std::string name_;
  hosts::SimulatedHost host_;
  std::string kubeconfig_;
  std::unique_ptr<Background> daemon_;
};

}  // namespace vdcu::integration
