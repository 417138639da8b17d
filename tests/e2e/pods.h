// Pods as the end-to-end tests create them. Each container prints the vdev file that it finds and
// each device node that it can open, then stays until SIGTERM, on which it ends with exit code 0.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/integration/placement_fixture.h"

namespace vdcu::e2e {

using world::Limits;

inline const Limits kNothing{};
inline const Limits kWholeCard{{"dcunum", "1"}};
inline const Limits kTwoCards{{"dcunum", "2"}};
// "cores" in percent of a card, memory in MiB.
Limits Slice(int cores, int mebibytes);

nlohmann::json RealContainer(const std::string& name, const Limits& limits);
// The name of its only container is "main"; vdcu-scheduler places it.
nlohmann::json RealPod(const std::string& name, const Limits& limits,
                       const std::map<std::string, std::string>& annotations = {});
nlohmann::json PodOf(const std::string& name, const std::vector<nlohmann::json>& containers);
// The pod, placed on the node by hand.
nlohmann::json On(const std::string& node, nlohmann::json pod);
// An apps/v1 or batch/v1 object whose pods are as `pod`; `name` is its own.
nlohmann::json ReplicaSet(const std::string& name, int replicas, const nlohmann::json& pod);
// Its pods end by themselves.
nlohmann::json Job(const std::string& name, int completions, const nlohmann::json& pod);

// Whether all of its containers run, as the API shows it.
bool IsRunning(const nlohmann::json& pod);

}  // namespace vdcu::e2e
