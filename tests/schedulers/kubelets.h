// What the kubelets of all nodes would do with the pods that are bound there: each is admitted when
// its slices are prepared, fails where they are not after ten seconds, and ends when it is deleted.
// (The real kubelet, of one node, is in tests/e2e.)
#pragma once

#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "tests/world/api.h"

namespace vdcu::schedulers {

class Kubelets {
 public:
  struct Failed {
    std::string pod;
    base::TimePoint since{};  // it was seen to be bound
    std::string why;          // what it says of its slice, as in "NoRoom"
  };

  explicit Kubelets(const world::Api& api) : api_(api) {}

  void Look(const std::vector<nlohmann::json>& pods);
  const std::vector<Failed>& failed() const { return failed_; }
  // Pods, by their kind.
  const std::map<std::string, int>& admitted() const { return admitted_; }
  int evicted() const { return evicted_; }  // by the Eviction API

 private:
  void Admit(const nlohmann::json& pod, size_t prepared);
  void End(const nlohmann::json& pod);
  void SetStatus(const nlohmann::json& pod, const nlohmann::json& status) const;

  const world::Api& api_;
  const base::SystemClock clock_;
  std::map<std::string, base::TimePoint> since_;  // by UID: bound, and not admitted
  std::vector<Failed> failed_;
  std::map<std::string, int> admitted_;
  int evicted_ = 0;
};

}  // namespace vdcu::schedulers
