// The objects that tests make and look at, as JSON: pods that ask for cards, and partitions.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/world/api.h"

namespace vdcu::world {

// Lists of the namespace "default", and of all nodes.
inline constexpr char kPods[] = "/api/v1/namespaces/default/pods";
inline constexpr char kPartitions[] = "/apis/vdcu.io/v1alpha1/namespaces/default/vdcupartitions";
inline constexpr char kReplicaSets[] = "/apis/apps/v1/namespaces/default/replicasets";
inline constexpr char kJobs[] = "/apis/batch/v1/namespaces/default/jobs";
inline constexpr char kDcuNodes[] = "/apis/vdcu.io/v1alpha1/dcunodes";

inline constexpr char kControllerUser[] = "system:serviceaccount:vdcu-system:vdcu-controller";

// "hygon.com/" is put before the names.
using Limits = std::map<std::string, std::string>;
nlohmann::json Container(const std::string& name, const Limits& limits);
nlohmann::json Pod(const std::string& name, const Limits& limits,
                   const std::map<std::string, std::string>& annotations = {});
nlohmann::json Partition(const std::string& name, const nlohmann::json& spec);

// The condition of that type, or null.
nlohmann::json Condition(const nlohmann::json& object, const std::string& type);

// The list of its kind.
std::string PathOf(const nlohmann::json& object);
// The object as it was stored; a failure of the test where it was not.
nlohmann::json Create(const Api& api, const nlohmann::json& object, const std::string& user = "");
// Without a grace period and without waiting.
void Delete(const Api& api, const std::string& path, const std::string& name);
void DeleteAll(const Api& api, const std::string& path);

// How many slices the pod asks for.
size_t CardsOf(const nlohmann::json& pod);
size_t CountBound(const Api& api);
// Each bound pod that has not failed has its Ready slices, on its node, and nothing else has one.
// Returns a sentence for each difference.
std::vector<std::string> DifferencesOfSlices(const Api& api);

// An event in "default" on an object of that name.
bool HasEvent(const Api& api, const std::string& object, const std::string& reason,
              const std::string& note_part);

}  // namespace vdcu::world
