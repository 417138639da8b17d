#include "node/report.h"

#include <algorithm>
#include <set>
#include <utility>

#include "crds/keys.h"

namespace vdcu::node {

namespace {

constexpr size_t kMostMessage = 2048;

// A whole card leaves no room for slices: it counts as all that the card could hold.
std::string UseOf(const ReportInput& input) {
  int used = 0;
  int most = 0;
  for (const dcu::Device& device : input.devices) {
    if (device.mode == dcu::Mode::kVdcu) most += dcu::kMaxSlicesPerCard;
  }
  for (const auto& [uid, slice] : input.slices) {
    used += slice.assignment.whole_card() ? dcu::kMaxSlicesPerCard : 1;
  }
  return std::to_string(used) + "/" + std::to_string(most);
}

std::string ModelsOf(const std::vector<dcu::Device>& devices) {
  std::set<std::string> models;
  for (const dcu::Device& device : devices) models.insert(device.model);
  std::string list;
  for (const std::string& model : models) list += (list.empty() ? "" : ",") + model;
  return list;
}

std::string HealthyOf(const std::vector<dcu::Device>& devices) {
  const auto healthy = std::count_if(devices.begin(), devices.end(),
                                     [](const dcu::Device& device) { return device.healthy; });
  return std::to_string(healthy) + "/" + std::to_string(devices.size());
}

// True: the controller may place slices here.
kclient::Condition ReadyOf(const ReportInput& input, int64_t generation, base::WallTime now) {
  std::string problems;
  const auto add = [&problems](const std::string& problem) { problems += "; " + problem; };
  for (const std::string& problem : input.problems) add(problem);
  for (const std::string& problem : input.disk.problems) add(problem);
  for (const auto& [vdev, why] : input.disk.occupied_vdevs) {
    add("vdev " + std::to_string(vdev) + " is passed over: " + why);
  }
  const bool fails = !input.disk.failure.empty();
  const std::string first = fails ? "no slice can be kept on this disk: " + input.disk.failure
                                  : "cards and held slices are published";
  return {.type = std::string(crds::kReady),
          .status = fails ? "False" : "True",
          .reason = fails              ? "DiskFails"
                    : problems.empty() ? "Published"
                                       : "PublishedInPart",
          .message = (first + problems).substr(0, kMostMessage),
          .last_transition_time = base::FormatTime(now),
          .observed_generation = generation};
}

std::vector<int> OccupiedVdevs(const DiskState& disk) {
  std::vector<int> numbers;
  for (const auto& [vdev, why] : disk.occupied_vdevs) {
    if (numbers.size() < crds::kMostOccupiedVdevs) numbers.push_back(vdev);
  }
  return numbers;
}

bool IsOfNodeNotReady(const std::vector<kclient::Condition>& conditions) {
  const kclient::Condition* ready = kclient::FindCondition(conditions, crds::kReady);
  return ready != nullptr && ready->status == "Unknown" && ready->reason == crds::kNodeNotReady;
}

void SetAccepted(std::vector<kclient::Condition>& conditions, const ReportInput& input,
                 int64_t generation, base::WallTime now) {
  if (input.spec_unread.empty()) {
    std::erase_if(conditions, [](const auto& c) { return c.type == crds::kAccepted; });
    return;
  }
  kclient::SetCondition(conditions,
                        {.type = std::string(crds::kAccepted),
                         .status = "False",
                         .reason = std::string(crds::kInvalid),
                         .message = input.spec_unread + "; until it is mended it counts as absent, "
                                                        "shareCards as namespace",
                         .last_transition_time = base::FormatTime(now),
                         .observed_generation = generation});
}

}  // namespace

crds::DcuNodeStatus BuildStatus(const ReportInput& input, const crds::DcuNodeStatus& before,
                                int64_t generation, base::WallTime now) {
  crds::DcuNodeStatus status;
  status.driver_version = input.driver_version;
  status.devices = input.devices;
  status.models = ModelsOf(input.devices);
  status.vdcus = UseOf(input);
  status.healthy = HealthyOf(input.devices);
  for (const auto& [uid, slice] : input.slices) {
    if (slice.lost_since.empty()) continue;
    status.held.push_back({.partition_uid = uid,
                           .assignment = slice.assignment,
                           .pod_uid = slice.pod ? slice.pod->uid : "",
                           .since = slice.lost_since,
                           .ns = slice.ns});
  }
  status.occupied_vdevs = OccupiedVdevs(input.disk);
  status.heartbeat = input.heartbeat;
  status.serving_since = before.serving_since;
  status.conditions = before.conditions;
  SetAccepted(status.conditions, input, generation, now);
  kclient::Condition ready = ReadyOf(input, generation, now);
  const bool may_say_true = input.serves && !IsOfNodeNotReady(before.conditions);
  if (ready.status == "True" && !may_say_true) return status;
  if (may_say_true) status.serving_since = input.serving_since;
  kclient::SetCondition(status.conditions, std::move(ready));
  return status;
}

bool OnlyUseDiffers(const crds::DcuNodeStatus& a, const crds::DcuNodeStatus& b) {
  crds::DcuNodeStatus other = b;
  other.vdcus = a.vdcus;
  return a == other && a.vdcus != b.vdcus;
}

}  // namespace vdcu::node
