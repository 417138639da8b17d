// What must hold of all cards at any moment, seen from outside: the objects and the files alone.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/integration/worker.h"

namespace vdcu::integration {

// Of one consistent list of partitions: no unit, MiB, pipe or vdev number is granted twice, none
// past its card. Returns a sentence for each breach.
std::vector<std::string> BreachesOfObjects(const std::vector<nlohmann::json>& partitions,
                                           const std::vector<const Worker*>& workers);

// The same of the vdev files of one node, whatever the objects say.
std::vector<std::string> BreachesOfFiles(const Worker& worker);

// At rest: the files of the node are exactly those of the partitions assigned to it.
std::vector<std::string> DifferencesOfFiles(const std::vector<nlohmann::json>& partitions,
                                            const Worker& worker);

}  // namespace vdcu::integration
