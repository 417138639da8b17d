// Looks at each change of partitions and pods, as watches show them one after the other: at what is
// granted twice even for a moment, and at who was bound before its slices were Ready. Files of the
// nodes are looked at as they are at a Look.
//
// Promise: no state that the API server has had in between is left out.
#pragma once

#include <cstdint>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/world/api.h"
#include "tests/world/background.h"
#include "tests/world/node_host.h"

namespace vdcu::schedulers {

// What a watch has shown that goes on for as long as this lives.
class Watch {
 public:
  Watch(const world::Api& api, const std::string& path, const std::string& log);
  // Events, as the API has them, since the last call.
  std::vector<nlohmann::json> Take();

 private:
  world::Background stream_;
  std::ifstream lines_;
  std::string rest_;  // of a line whose end is not there yet
};

class Checker {
 public:
  // `log`: what the files of its watches begin with.
  Checker(const world::Api& api, const std::string& log, std::vector<const world::NodeHost*> nodes);

  // Takes in what has changed; a sentence for each breach.
  std::vector<std::string> Look();
  // When all has been taken in: pods that were bound by a scheduler that has their slices made
  // first, and before those were Ready; a sentence each.
  std::vector<std::string> BoundTooEarly() const;
  size_t grants() const { return grants_; }

 private:
  struct Bound {
    std::string name;
    size_t needs = 0;
    int64_t version = 0;
  };

  void TakePartition(const nlohmann::json& event, std::vector<std::string>& breaches);
  void TakePod(const nlohmann::json& event);

  const std::vector<const world::NodeHost*> nodes_;
  Watch watched_partitions_;
  Watch watched_pods_;
  std::map<std::string, nlohmann::json> partitions_;             // by name
  std::map<std::string, std::map<std::string, int64_t>> ready_;  // pod UID, partition, since when
  std::map<std::string, Bound> bound_;                           // by pod UID
  size_t grants_ = 0;
};

}  // namespace vdcu::schedulers
