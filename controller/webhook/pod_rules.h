// What becomes of a new pod that asks for cards, where the cluster has no admission policies: it is
// given our scheduler, and refused where the controller could never place it. Pods that ask for no
// card are let through as they are.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "crds/memory_unit.h"
#include "kclient/core/json.h"

namespace vdcu::controller {

struct PodRules {
  std::string scheduler_name;
  std::vector<std::string> schedulers;  // besides, that such a pod may name
  std::string tolerated_taint;          // its key; empty: there is none
  crds::MemoryUnit memory_unit = crds::MemoryUnit::kMi;
};

// Operations of a JSON Patch: the scheduler, where the pod names none, and the toleration of the
// taint of nodes with cards. An empty array: it stays as it is.
nlohmann::json PatchOf(kclient::JsonView pod, const PodRules& rules);

// Errors: kInvalid, in the words in which the controller would report it (crds/pod_request.h), or
// naming the scheduler or node that would make it fail on its node.
base::Status CheckPod(kclient::JsonView pod, const PodRules& rules);

}  // namespace vdcu::controller
