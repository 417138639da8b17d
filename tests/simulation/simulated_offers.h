// What other schedulers were offered in the simulation, and may still take up. Which cards were
// meant an offer does not say, so the room of a node is counted as a sum.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include <nlohmann/json.hpp>

#include "tests/simulation/simulated_api.h"
#include "tests/simulation/simulated_node.h"

namespace vdcu::simulation {

// Of cards.
struct Room {
  int64_t slices = 0;
  int64_t units = 0;
  int64_t mebibytes = 0;

  void Add(const Room& other);
  void Add(const dcu::Assignment& slice);
  bool IsIn(const SimulatedNode& node) const;
};
// What the pod asks for.
Room RoomFor(const nlohmann::json& pod);

class Offers {
 public:
  struct Offer {
    std::string node;
    base::TimePoint until{};
    Room room;
  };

  void Set(const std::string& pod_uid, Offer offer) { offers_[pod_uid] = std::move(offer); }
  void Drop(const std::string& pod_uid) { offers_.erase(pod_uid); }
  void Clear() { offers_.clear(); }
  // Drops those that have lapsed, and those of pods that do not wait any more.
  void Expire(SimulatedApi& api);
  // On that node, to others than that pod.
  Room On(const std::string& node, const std::string& but_to) const;

 private:
  std::map<std::string, Offer> offers_;  // by the pod's UID
};

}  // namespace vdcu::simulation
