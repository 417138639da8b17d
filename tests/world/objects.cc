#include "tests/world/objects.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace vdcu::world {

using nlohmann::json;

namespace {

constexpr char kAtOnce[] = "?propagationPolicy=Background&gracePeriodSeconds=0";

}  // namespace

json Container(const std::string& name, const Limits& limits) {
  json all = json::object();
  for (const auto& [resource, amount] : limits) all["hygon.com/" + resource] = amount;
  return {{"name", name}, {"image", "i"}, {"resources", {{"limits", all}}}};
}

json Pod(const std::string& name, const Limits& limits,
         const std::map<std::string, std::string>& annotations) {
  return {{"apiVersion", "v1"},
          {"kind", "Pod"},
          {"metadata", {{"name", name}, {"annotations", annotations}}},
          {"spec",
           {{"schedulerName", "vdcu-scheduler"},
            {"containers", json::array({Container("main", limits)})}}}};
}

json Partition(const std::string& name, const json& spec) {
  return {{"apiVersion", "vdcu.io/v1alpha1"},
          {"kind", "VDCUPartition"},
          {"metadata", {{"name", name}}},
          {"spec", spec}};
}

json Condition(const json& object, const std::string& type) {
  if (!object.is_object() || !object.contains("status")) return nullptr;
  for (const json& condition : object["status"].value("conditions", json::array())) {
    if (condition["type"] == type) return condition;
  }
  return nullptr;
}

std::string PathOf(const json& object) {
  const std::string kind = object["kind"];
  if (kind == "Pod") return kPods;
  if (kind == "ReplicaSet") return kReplicaSets;
  return kind == "Job" ? kJobs : kPartitions;
}

json Create(const Api& api, const json& object, const std::string& user) {
  Api::Answer answer = api.Call("POST", PathOf(object), object, user);
  EXPECT_EQ(answer.code, 201) << answer.body.dump();
  return std::move(answer.body);
}

void Delete(const Api& api, const std::string& path, const std::string& name) {
  const Api::Answer answer = api.Call("DELETE", path + "/" + name + kAtOnce);
  EXPECT_LT(answer.code, 300) << answer.body.dump();
}

void DeleteAll(const Api& api, const std::string& path) { api.Call("DELETE", path + kAtOnce); }

size_t CardsOf(const json& pod) {
  size_t cards = 0;
  for (const json& container : pod["spec"]["containers"]) {
    const json limits = container["resources"].value("limits", json::object());
    cards += std::stoul(limits.value("hygon.com/dcunum", "0"));
  }
  return cards;
}

size_t CountBound(const Api& api) {
  const auto pods = api.List(kPods);
  return std::count_if(pods.begin(), pods.end(),
                       [](const json& pod) { return pod["spec"].contains("nodeName"); });
}

std::vector<std::string> DifferencesOfSlices(const Api& api) {
  std::map<std::string, int> lacks;
  for (const json& pod : api.List(kPods)) {
    if (!pod["spec"].contains("nodeName") || pod["status"]["phase"] == "Failed") continue;
    lacks[pod["metadata"]["name"].get<std::string>() + " on " +
          pod["spec"]["nodeName"].get<std::string>()] += static_cast<int>(CardsOf(pod));
  }
  std::vector<std::string> differences;
  for (const json& partition : api.List(kPartitions)) {
    const json& spec = partition["spec"];
    const std::string place = spec["podRef"]["name"].get<std::string>() + " on " +
                              spec["assignment"]["node"].get<std::string>();
    --lacks[place];
    const json ready = Condition(partition, "Ready");
    if (ready.is_object() && ready["status"] == "True") continue;
    differences.push_back("a slice of " + place + " is not Ready");
  }
  for (const auto& [place, count] : lacks) {
    if (count != 0) differences.push_back(place + " lacks " + std::to_string(count) + " slices");
  }
  return differences;
}

bool HasEvent(const Api& api, const std::string& object, const std::string& reason,
              const std::string& note_part) {
  const auto events = api.List("/apis/events.k8s.io/v1/namespaces/default/events");
  return std::any_of(events.begin(), events.end(), [&](const json& event) {
    return event["regarding"].value("name", "") == object && event["reason"] == reason &&
           event.value("note", "").find(note_part) != std::string::npos;
  });
}

}  // namespace vdcu::world
