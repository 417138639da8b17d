// The simulated host of one node as the tests look at it from outside: its cards, and what the
// daemon has written below its folder.
#pragma once

#include <map>
#include <string>

#include <nlohmann/json.hpp>

#include "tests/hosts/simulated_host.h"

namespace vdcu::world {

class NodeHost {
 public:
  // Makes the host below `folder`.
  NodeHost(std::string name, std::string folder, const hosts::HostOptions& options);

  const std::string& name() const { return name_; }
  const std::string& folder() const { return folder_; }
  hosts::SimulatedHost& host() { return host_; }
  const hosts::SimulatedHost& host() const { return host_; }

  // What the daemon has written: path on the host to bytes.
  std::map<std::string, std::string> Files() const;
  // The bytes of the vdev file that an assignment asks for.
  std::string VdevFile(const nlohmann::json& assignment) const;

 private:
  const std::string name_;
  const std::string folder_;
  hosts::SimulatedHost host_;
};

}  // namespace vdcu::world
