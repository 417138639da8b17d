// The fault proxy (proxy/) before a test's cluster: each client that is redirected through it can
// be made to meet any fault. What a plan may say stands in proxy/plan.go.
//
// Errors: none are returned; a proxy that does not answer aborts the test.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/world/background.h"
#include "tests/world/cluster.h"

namespace vdcu::faults {

class Proxy {
 public:
  // `clients` are names, comma-separated.
  Proxy(const world::Cluster& cluster, const std::string& clients);

  // Makes whoever reads the kubeconfig from now on go through the port of `client`.
  void Redirect(const std::string& kubeconfig, const std::string& client) const;

  // Replaces what was planned and forgets what was seen.
  void Plan(const std::vector<nlohmann::json>& rules,
            const nlohmann::json& watches = nlohmann::json::object()) const;

  struct Seen {
    std::vector<nlohmann::json> writes;  // client, method, path, did, code
    std::vector<int> fired;              // of each rule, how often it did something
  };
  Seen Record() const;

  // Ends all watches, at once or in the middle of an event.
  void CutWatches(bool in_the_middle = false) const;

 private:
  std::string Control(const std::string& method, const std::string& path,
                      const std::string& body = "") const;

  world::Background process_;
  nlohmann::json urls_;
};

}  // namespace vdcu::faults
