// Groups of pods in the simulation: they come whole or in part, lose pods and get new ones; and
// what must hold of them.
#include <algorithm>

#include "tests/simulation/simulated_objects.h"
#include "tests/simulation/simulation.h"

namespace vdcu::simulation {

namespace {

using Json = SimulatedApi::Json;

constexpr char kGroup[] = "/metadata/annotations/vdcu.io~1group";
constexpr char kSize[] = "/metadata/annotations/vdcu.io~1group-size";

bool CountsFor(const Json& pod, const std::string& group) {
  return Text(pod, kGroup) == group && !pod["metadata"].contains("deletionTimestamp") &&
         Text(pod, "/status/phase") != "Failed";
}

bool IsReady(const Json& partition) {
  const auto decoded = Decode<crds::VdcuPartition>(partition);
  const auto* ready = kclient::FindCondition(decoded->status.conditions, "Ready");
  return !decoded->meta.deleting() && ready != nullptr && ready->status == "True" &&
         ready->observed_generation == decoded->meta.generation;
}

}  // namespace

std::string Simulation::GroupOf(const Json& pod) { return Text(pod, kGroup); }

// The first, and how many there are to be; where one lacks pods often one for that.
void Simulation::SetGroup(Json& pod) {
  std::map<std::string, int> lacks;
  for (const auto& [key, other] : api_.All("pods")) {
    if (GroupOf(other).empty()) continue;
    const auto found = lacks.try_emplace(GroupOf(other), std::stoi(Text(other, kSize))).first;
    found->second -= CountsFor(other, found->first) ? 1 : 0;
  }
  std::erase_if(lacks, [](const auto& item) { return item.second <= 0; });
  std::string group = "g" + std::to_string(made_);
  int size = 1 + Pick(3);
  if (!lacks.empty() && Draw() < 0.9) {
    group = std::next(lacks.begin(), Pick(static_cast<int>(lacks.size())))->first;
    for (const auto& [key, other] : api_.All("pods")) {
      if (GroupOf(other) == group) size = std::stoi(Text(other, kSize));
    }
  }
  pod["metadata"]["annotations"]["vdcu.io/group"] = group;
  pod["metadata"]["annotations"]["vdcu.io/group-size"] = std::to_string(size);
}

// It has lost a pod, or a slice, or a stray has bound one: it may be bound in part from now on.
void Simulation::NoteGroupLoss(const std::string& pod_key) {
  const Json* pod = api_.Find("pods", pod_key);
  if (pod != nullptr && !GroupOf(*pod).empty()) torn_groups_.insert(GroupOf(*pod));
}

bool Simulation::IsBoundOrSoon(const Json& pod) {
  const auto& unshown = api_.unshown();
  return !Text(pod, "/spec/nodeName").empty() ||
         std::any_of(unshown.begin(), unshown.end(), [&](const auto& item) {
           return item.second.subresource == "binding" &&
                  item.second.body["metadata"]["uid"] == pod["metadata"]["uid"];
         });
}

// The slices of one go back while others of its group are bound: bindings are not one write.
void Simulation::NoteWithdrawal(const std::string& partition_key) {
  const auto& partitions = api_.Shown("vdcupartitions");
  const auto partition = partitions.find(partition_key);
  if (partition == partitions.end()) return;
  const std::string name = Text(partition->second, "/spec/podRef/name");
  const Json* pod = api_.Find("pods", "team-a/" + name);
  if (pod == nullptr || GroupOf(*pod).empty()) return;
  for (const auto& [key, other] : api_.All("pods")) {
    if (GroupOf(other) == GroupOf(*pod) && IsBoundOrSoon(other)) return NoteGroupLoss(key);
  }
}

// By what is shown, and by our bindings that are not shown yet.
std::string Simulation::WhyBoundBeforeItsGroup(const Json& pod) {
  const std::string group = GroupOf(pod);
  if (group.empty()) return "";
  int there = 0;
  for (const auto& [key, other] : api_.Shown("pods")) {
    if (!CountsFor(other, group)) continue;
    const std::string uid = other["metadata"]["uid"];
    size_t ready = 0;
    for (const auto& [name, partition] : api_.Shown("vdcupartitions")) {
      if (Text(partition, "/spec/podRef/uid") == uid) ready += IsReady(partition) ? 1 : 0;
    }
    there += IsBoundOrSoon(other) || ready == SlicesNeeded(other) ? 1 : 0;
  }
  return there >= std::stoi(Text(pod, kSize))
             ? ""
             : "bound while only " + std::to_string(there) + " of group " + group + " are Ready";
}

// At rest.
std::string Simulation::WhyBoundInPart() {
  std::map<std::string, std::pair<int, int>> groups;  // bound, and to be
  for (const auto& [key, pod] : api_.All("pods")) {
    const std::string group = GroupOf(pod);
    if (group.empty() || torn_groups_.contains(group)) continue;
    groups[group].first += Text(pod, "/spec/nodeName").empty() ? 0 : 1;
    groups[group].second = std::stoi(Text(pod, kSize));
  }
  for (const auto& [group, count] : groups) {
    if (count.first > 0 && count.first < count.second) {
      return "group " + group + " is bound in part: " + std::to_string(count.first) + " of " +
             std::to_string(count.second);
    }
  }
  return "";
}

}  // namespace vdcu::simulation
