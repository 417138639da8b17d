#include "tests/schedulers/checker.h"

#include <algorithm>
#include <utility>

#include "tests/world/invariants.h"
#include "tests/world/objects.h"

namespace vdcu::schedulers {

using nlohmann::json;

namespace {

int64_t VersionOf(const json& object) {
  return std::stoll(object["metadata"]["resourceVersion"].get<std::string>());
}

bool IsTrue(const json& condition) {
  return condition.is_object() && condition["status"] == "True";
}

// Volcano's pods and those that are bound by hand get their slices where they are.
bool IsBoundWhenReady(const json& pod) {
  const std::string name = pod["metadata"]["name"];
  const std::string scheduler = pod["spec"]["schedulerName"];
  return scheduler != "volcano" && !name.starts_with("hand");
}

}  // namespace

Watch::Watch(const world::Api& api, const std::string& path, const std::string& log)
    : stream_(api.WatchCommand(path), log) {
  world::Until([&] {
    lines_.open(log);
    return lines_.is_open();
  });
}

std::vector<json> Watch::Take() {
  std::vector<json> events;
  lines_.clear();  // it may have grown since its end was reached
  for (std::string part; std::getline(lines_, part);) {
    rest_ += part;
    if (lines_.eof()) break;
    events.push_back(json::parse(std::exchange(rest_, {})));
  }
  return events;
}

Checker::Checker(const world::Api& api, const std::string& log,
                 std::vector<const world::NodeHost*> nodes)
    : nodes_(std::move(nodes)),
      watched_partitions_(api, world::kPartitions, log + ".partitions"),
      watched_pods_(api, world::kPods, log + ".pods") {}

std::vector<std::string> Checker::Look() {
  std::vector<std::string> breaches;
  for (const json& event : watched_partitions_.Take()) TakePartition(event, breaches);
  for (const json& event : watched_pods_.Take()) TakePod(event);
  for (const world::NodeHost* node : nodes_) {
    const auto found = world::BreachesOfSteadyFiles(*node);
    breaches.insert(breaches.end(), found.begin(), found.end());
  }
  return breaches;
}

void Checker::TakePartition(const json& event, std::vector<std::string>& breaches) {
  const json& object = event["object"];
  const std::string name = object["metadata"]["name"];
  if (event["type"] == "DELETED") {
    partitions_.erase(name);
    return;
  }
  const json before = std::exchange(partitions_[name], object);
  const std::string pod = object["spec"].value("/podRef/uid"_json_pointer, "");
  if (IsTrue(world::Condition(object, "Ready"))) ready_[pod].emplace(name, VersionOf(object));
  const bool granted = object["spec"].contains("assignment");
  if (!granted || (before.is_object() && before["spec"].contains("assignment"))) return;
  ++grants_;
  std::vector<json> all;
  for (const auto& [other, partition] : partitions_) all.push_back(partition);
  const auto found = world::BreachesOfObjects(all, nodes_);
  breaches.insert(breaches.end(), found.begin(), found.end());
}

void Checker::TakePod(const json& event) {
  const json& pod = event["object"];
  if (!pod["spec"].contains("nodeName") || !IsBoundWhenReady(pod)) return;
  bound_.try_emplace(pod["metadata"]["uid"],
                     Bound{pod["metadata"]["name"], world::CardsOf(pod), VersionOf(pod)});
}

std::vector<std::string> Checker::BoundTooEarly() const {
  std::vector<std::string> breaches;
  for (const auto& [uid, bound] : bound_) {
    const auto slices = ready_.find(uid);
    size_t ready = 0;
    if (slices != ready_.end()) {
      ready = std::count_if(slices->second.begin(), slices->second.end(),
                            [&](const auto& slice) { return slice.second < bound.version; });
    }
    if (ready >= bound.needs) continue;
    breaches.push_back(bound.name + " was bound with " + std::to_string(ready) + " of " +
                       std::to_string(bound.needs) + " slices Ready");
  }
  return breaches;
}

}  // namespace vdcu::schedulers
