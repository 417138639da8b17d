// One node of a test's cluster: its Node as a kubelet would register it, a simulated host, and the
// real vdcu-node with a token of its own.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/world/api.h"
#include "tests/world/background.h"
#include "tests/world/cluster.h"
#include "tests/world/node_host.h"

namespace vdcu::world {

class Worker : public NodeHost {
 public:
  // Registers the Node and starts the daemon, with these flags besides.
  Worker(const Cluster& cluster, const Api& api, const std::string& name,
         const hosts::HostOptions& options, std::vector<std::string> flags = {});

  // A Node of that name, and a token that ends with it.
  void Register();
  void Start();
  void Kill() { daemon_.reset(); }  // SIGKILL
  Background& daemon() { return *daemon_; }
  bool runs() const { return daemon_ != nullptr; }

  nlohmann::json DcuNode() const;
  bool Published() const;  // its cards, and as many resources of the Node
  std::string Log() const;

 private:
  const Cluster& cluster_;
  const Api& api_;
  const std::vector<std::string> flags_;
  std::string kubeconfig_;
  std::unique_ptr<Background> daemon_;
};

}  // namespace vdcu::world
