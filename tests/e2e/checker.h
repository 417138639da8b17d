// Looks, for as long as it lives and whatever the test does meanwhile, at every vdev file, every
// container that runs and all VDCUPartitions of one machine, for anything that is in two hands at
// one instant, and for a container that sees another slice than its partition's.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/e2e/containers.h"
#include "tests/e2e/machine.h"
#include "tests/world/api.h"

namespace vdcu::e2e {

class Checker {
 public:
  Checker(const world::Api& api, const Machine& machine);
  ~Checker();
  Checker(const Checker&) = delete;
  Checker& operator=(const Checker&) = delete;

  // Sentences, so far.
  std::vector<std::string> Breaches() const;
  int looks() const { return looks_; }
  size_t most_containers() const { return most_containers_; }

 private:
  // Of a partition, for as long as the test lasts: assignments never change.
  struct Known {
    std::string vdev_file;
    std::string pod_uid;  // empty: reserved
  };

  void LookAtFiles();
  void LookAtObjects();
  void LookAtContainers();
  void CheckSlice(const RunningContainer& container);
  void Add(const std::vector<std::string>& breaches);

  const world::Api& api_;
  const Machine& machine_;
  std::map<std::string, Known> known_;  // by UID
  std::atomic<bool> ends_{false};
  std::atomic<int> looks_{0};
  std::atomic<size_t> most_containers_{0};
  mutable std::mutex mutex_;
  std::set<std::string> breaches_;
  std::thread thread_;
};

}  // namespace vdcu::e2e
