// What users make and take away at random: pods of vdcu-scheduler and of kube-scheduler, groups and
// Volcano's gangs, important pods, and pods that are bound by hand.
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/world/api.h"
#include "tests/world/objects.h"

namespace vdcu::schedulers {

class Workload {
 public:
  // Pods that are made together. Their names are that of the work, and begin with its kind: "ours",
  // "kube", "high", "hand", "group", "gang".
  struct Work {
    int members = 1;
    bool small = true;  // a quarter of a card each, at most
  };

  // `nodes`: where pods are bound by hand. The PriorityClasses "low" and "high" must be there.
  Workload(const world::Api& api, std::vector<std::string> nodes, uint64_t seed)
      : api_(api), nodes_(std::move(nodes)), random_(seed) {}

  // One thing: something is made, or taken away.
  void Act();
  // Takes away what is not small, and then one after the other until all that is left fits.
  void Shrink(int members);
  void DropAll() { Shrink(0); }
  void Drop(const std::string& name);
  // Forgets works whose pods have been evicted, or have failed; ends what belongs to those that
  // were dropped. `pods`: all that there are.
  void Tidy(const std::vector<nlohmann::json>& pods);

  const std::map<std::string, Work>& works() const { return works_; }

 private:
  int Pick(int count) { return static_cast<int>(random_() % static_cast<uint64_t>(count)); }
  world::Limits PickLimits(Work& work);
  void Make(const std::string& kind);
  void MakeGroup(const std::string& name, const Work& work, const world::Limits& limits);
  void MakeGang(const std::string& name, const Work& work, const world::Limits& limits);
  int Members() const;
  void DropOne();

  const world::Api& api_;
  const std::vector<std::string> nodes_;
  std::mt19937_64 random_;
  std::map<std::string, Work> works_;  // by name
  std::map<std::string, int> made_;    // by kind
};

std::string KindOf(const nlohmann::json& pod);
// The name of the work that the pod is of.
std::string WorkOf(const nlohmann::json& pod);

}  // namespace vdcu::schedulers
