// Looks at objects and files for as long as it lives, at least once, whatever the test does
// meanwhile, for anything that is granted twice.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/world/api.h"
#include "tests/world/worker.h"

namespace vdcu::faults {

class Guard {
 public:
  Guard(const world::Api& api, const world::Worker& node);
  ~Guard();
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

  // Sentences, so far.
  std::vector<std::string> Breaches() const;

 private:
  void Look();

  const world::Api& api_;
  const world::Worker& node_;
  std::atomic<bool> ends_{false};
  mutable std::mutex mutex_;
  std::vector<std::string> breaches_;
  std::thread thread_;
};

}  // namespace vdcu::faults
