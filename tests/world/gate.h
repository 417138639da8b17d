// The API server asks vdcu-controller about bindings before it stores them.
#pragma once

#include <string>
#include <vector>

#include "tests/world/api.h"
#include "tests/world/cluster.h"
#include "tests/world/free_port.h"

namespace vdcu::world {

class Gate {
 public:
  // Makes its certificate, below the cluster's folder.
  explicit Gate(const Cluster& cluster);

  int port() const { return port_; }
  std::string Url() const { return "https://127.0.0.1:" + std::to_string(port_) + "/bindings"; }
  std::string certificate() const { return cluster_.folder() + "/gate.crt"; }
  // The controller's.
  std::vector<std::string> Flags() const;
  // As config/schedulers/gate.yaml, but for where it is, and of this user's bindings, "admin" is
  // the administrator. The API server takes it up a moment later.
  void Configure(const Api& api, const std::string& user = "admin") const;
  void Remove(const Api& api) const;

 private:
  const Cluster& cluster_;
  const int port_ = FreePort();
};

}  // namespace vdcu::world
