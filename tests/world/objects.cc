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

bool HasEvent(const Api& api, const std::string& object, const std::string& reason,
              const std::string& note_part) {
  const auto events = api.List("/apis/events.k8s.io/v1/namespaces/default/events");
  return std::any_of(events.begin(), events.end(), [&](const json& event) {
    return event["regarding"].value("name", "") == object && event["reason"] == reason &&
           event.value("note", "").find(note_part) != std::string::npos;
  });
}

}  // namespace vdcu::world
