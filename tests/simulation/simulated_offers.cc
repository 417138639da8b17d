#include "tests/simulation/simulated_offers.h"

#include <set>

#include "tests/simulation/simulated_objects.h"

namespace vdcu::simulation {

using Json = nlohmann::json;

namespace {

constexpr int64_t kUnits = 60;
constexpr int64_t kSlices = 4;

int64_t Amount(const Json& container, const char* resource) {
  const Json limits = container["resources"]["limits"];
  return std::stoll(limits.value(std::string("hygon.com/") + resource, "0"));
}

Room Cards(int64_t count) {
  return {kSlices * count, kUnits * count, SimulatedNode::kCardMemory * count};
}

}  // namespace

void Room::Add(const Room& other) {
  slices += other.slices;
  units += other.units;
  mebibytes += other.mebibytes;
}

void Room::Add(const dcu::Assignment& slice) {
  Add(slice.whole_card() ? Cards(1) : Room{1, slice.units.Count(), slice.memory.value});
}

bool Room::IsIn(const SimulatedNode& node) const {
  const Room all = Cards(node.cards());
  return slices <= all.slices && units <= all.units && mebibytes <= all.mebibytes;
}

Room RoomFor(const Json& pod) {
  Room room;
  for (const Json& container : pod["spec"]["containers"]) {
    const int64_t percent = Amount(container, "dcucores");
    room.Add(percent == 0 ? Cards(Amount(container, "dcunum"))
                          : Room{1, kUnits * percent / 100, Amount(container, "dcumem")});
  }
  return room;
}

void Offers::Expire(SimulatedApi& api) {
  std::set<std::string> waiting;
  for (const auto& [key, pod] : api.All("pods")) {
    const bool waits = Text(pod, "/spec/nodeName").empty() &&
                       !pod["metadata"].contains("deletionTimestamp") &&
                       Text(pod, "/status/phase") == "Pending";
    if (waits) waiting.insert(Text(pod, "/metadata/uid"));
  }
  std::erase_if(offers_, [&](const auto& item) {
    return api.clock().Now() >= item.second.until || !waiting.contains(item.first);
  });
}

Room Offers::On(const std::string& node, const std::string& but_to) const {
  Room room;
  for (const auto& [uid, offer] : offers_) {
    if (uid != but_to && offer.node == node) room.Add(offer.room);
  }
  return room;
}

}  // namespace vdcu::simulation
