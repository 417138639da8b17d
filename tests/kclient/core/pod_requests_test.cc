#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kclient/core/pod.h"
#include "tests/kclient/core/parsed.h"

namespace vdcu::kclient {
namespace {

struct Case {
  std::string name;
  std::string pod;
  ResourceList want;
};

constexpr int64_t kMi = 1024 * 1024;

const std::vector<Case> kSpecs = {
    {"containers add up",
     R"({"spec": {"containers": [
          {"name": "a", "resources": {"requests": {"cpu": "500m", "memory": "1Mi"}}},
          {"name": "b", "resources": {"requests": {"cpu": "1", "hygon.com/dcunum": "1"}}},
          {"name": "c"}]}})",
     {{"cpu", 1500}, {"memory", kMi}, {"hygon.com/dcunum", 1}}},
    {"limits stand in where there is no request",
     R"({"spec": {"containers": [{"name": "a", "resources": {
          "requests": {"cpu": "100m"}, "limits": {"cpu": "2", "hygon.com/dcunum": "2"}}}]}})",
     {{"cpu", 100}, {"hygon.com/dcunum", 2}}},
    {"a request of zero stays zero",
     R"({"spec": {"containers": [{"name": "a", "resources": {
          "requests": {"cpu": "0"}, "limits": {"cpu": "2"}}}]}})",
     {{"cpu", 0}}},
    {"the largest init container is a minimum",
     R"({"spec": {
          "initContainers": [
            {"name": "i1", "resources": {"requests": {"cpu": "2", "memory": "1Mi"}}},
            {"name": "i2", "resources": {"requests": {"cpu": "1", "memory": "3Mi"}}}],
          "containers": [{"name": "a", "resources": {"requests": {"cpu": "1", "memory": "2Mi"}}}]}})",
     {{"cpu", 2000}, {"memory", 3 * kMi}}},
    {"sidecars run beside the containers",
     R"({"spec": {
          "initContainers": [{"name": "s", "restartPolicy": "Always",
                              "resources": {"requests": {"cpu": "300m"}}}],
          "containers": [{"name": "a", "resources": {"requests": {"cpu": "1"}}}]}})",
     {{"cpu", 1300}}},
    {"an init container runs beside the sidecars before it",
     R"({"spec": {
          "initContainers": [
            {"name": "s1", "restartPolicy": "Always", "resources": {"requests": {"cpu": "1"}}},
            {"name": "i", "resources": {"requests": {"cpu": "4"}}},
            {"name": "s2", "restartPolicy": "Always", "resources": {"requests": {"cpu": "2"}}}],
          "containers": [{"name": "a", "resources": {"requests": {"cpu": "1"}}}]}})",
     {{"cpu", 5000}}},
    {"sidecars after an init container do not run with it",
     R"({"spec": {
          "initContainers": [
            {"name": "i", "resources": {"requests": {"cpu": "4"}}},
            {"name": "s", "restartPolicy": "Always", "resources": {"requests": {"cpu": "2"}}}],
          "containers": [{"name": "a", "resources": {"requests": {"cpu": "1"}}}]}})",
     {{"cpu", 4000}}},
    {"overhead is added",
     R"({"spec": {"overhead": {"cpu": "250m", "memory": "1Mi"},
          "containers": [{"name": "a", "resources": {"requests": {"cpu": "1"}}}]}})",
     {{"cpu", 1250}, {"memory", kMi}}},
    {"overhead is added to the init minimum as well",
     R"({"spec": {"overhead": {"cpu": "250m"},
          "initContainers": [{"name": "i", "resources": {"requests": {"cpu": "4"}}}],
          "containers": [{"name": "a", "resources": {"requests": {"cpu": "1"}}}]}})",
     {{"cpu", 4250}}},
    {"pod-level requests replace the containers' cpu, memory and huge pages",
     R"({"spec": {"overhead": {"cpu": "100m"},
          "resources": {"requests": {"cpu": "3", "hugepages-2Mi": "4Mi", "hygon.com/dcunum": "9"}},
          "containers": [{"name": "a", "resources": {"requests": {
            "cpu": "1", "memory": "1Mi", "hygon.com/dcunum": "1"}}}]}})",
     {{"cpu", 3100}, {"memory", kMi}, {"hygon.com/dcunum", 1}, {"hugepages-2Mi", 4 * kMi}}},
    {"no containers, no requests", R"({"spec": {}})", {}},
    {"no spec", R"({})", {}},
};

const std::vector<Case> kResized = {
    {"shrinking in place counts what is still actual",
     R"({"spec": {"containers": [{"name": "a", "resources": {"requests": {"cpu": "1"}}}]},
         "status": {"containerStatuses": [{"name": "a",
           "allocatedResources": {"cpu": "1"}, "resources": {"requests": {"cpu": "3"}}}]}})",
     {{"cpu", 3000}}},
    {"growing in place counts what is asked",
     R"({"spec": {"containers": [{"name": "a", "resources": {"requests": {"cpu": "4"}}}]},
         "status": {"containerStatuses": [{"name": "a",
           "allocatedResources": {"cpu": "2"}, "resources": {"requests": {"cpu": "1"}}}]}})",
     {{"cpu", 4000}}},
    {"what is allocated counts while it is being actuated",
     R"({"spec": {"containers": [{"name": "a", "resources": {"requests": {"cpu": "1"}}}]},
         "status": {"containerStatuses": [{"name": "a",
           "allocatedResources": {"cpu": "2"}, "resources": {"requests": {"cpu": "1"}}}]}})",
     {{"cpu", 2000}}},
    {"allocated alone, without actual resources, does not count",
     R"({"spec": {"containers": [{"name": "a", "resources": {"requests": {"cpu": "1"}}}]},
         "status": {"containerStatuses": [{"name": "a", "allocatedResources": {"cpu": "2"}}]}})",
     {{"cpu", 1000}}},
    {"a resize that is infeasible does not count",
     R"({"spec": {"containers": [{"name": "a", "resources": {"requests": {"cpu": "64"}}}]},
         "status": {"conditions": [{"type": "PodResizePending", "status": "True",
                                    "reason": "Infeasible"}],
           "containerStatuses": [{"name": "a",
             "allocatedResources": {"cpu": "2"}, "resources": {"requests": {"cpu": "1"}}}]}})",
     {{"cpu", 2000}}},
    {"a resize that is deferred counts",
     R"({"spec": {"containers": [{"name": "a", "resources": {"requests": {"cpu": "64"}}}]},
         "status": {"conditions": [{"type": "PodResizePending", "status": "True",
                                    "reason": "Deferred"}],
           "containerStatuses": [{"name": "a",
             "allocatedResources": {"cpu": "2"}, "resources": {"requests": {"cpu": "1"}}}]}})",
     {{"cpu", 64'000}}},
    {"sidecars are resized as well",
     R"({"spec": {"initContainers": [{"name": "s", "restartPolicy": "Always",
                                      "resources": {"requests": {"cpu": "1"}}}]},
         "status": {"initContainerStatuses": [{"name": "s",
           "allocatedResources": {"cpu": "1"}, "resources": {"requests": {"cpu": "2"}}}]}})",
     {{"cpu", 2000}}},
    {"plain init containers are not",
     R"({"spec": {"initContainers": [{"name": "i", "resources": {"requests": {"cpu": "1"}}}]},
         "status": {"initContainerStatuses": [{"name": "i",
           "allocatedResources": {"cpu": "1"}, "resources": {"requests": {"cpu": "2"}}}]}})",
     {{"cpu", 1000}}},
    {"the pod level is resized by the pod's status",
     R"({"spec": {"resources": {"requests": {"cpu": "2", "memory": "1Mi"}},
                  "containers": [{"name": "a"}]},
         "status": {"resources": {"requests": {"cpu": "1", "memory": "4Mi"}},
                    "allocatedResources": {"cpu": "3", "memory": "1Mi"}}})",
     {{"cpu", 3000}, {"memory", 4 * kMi}}},
    {"the pod level's infeasible resize does not count",
     R"({"spec": {"resources": {"requests": {"cpu": "64"}}, "containers": [{"name": "a"}]},
         "status": {"conditions": [{"type": "PodResizePending", "reason": "Infeasible"}],
                    "resources": {"requests": {"cpu": "1"}},
                    "allocatedResources": {"cpu": "2"}}})",
     {{"cpu", 2000}}},
    {"the pod level without a status is as the spec says",
     R"({"spec": {"resources": {"requests": {"cpu": "2"}}, "containers": [{"name": "a"}]},
         "status": {"conditions": [{"type": "PodResizePending", "reason": "Infeasible"}],
                    "allocatedResources": {"cpu": "3"}}})",
     {{"cpu", 2000}}},
};

TEST(PodRequests, AddsUpTheSpecAsTheKubeletDoes) {
  for (const auto& [name, pod, want] : kSpecs) {
    const Parsed json(pod);
    EXPECT_EQ(PodRequests(json.view()), want) << name;
  }
}

TEST(PodRequests, CountsResizesInPlace) {
  for (const auto& [name, pod, want] : kResized) {
    const Parsed json(pod);
    EXPECT_EQ(PodRequests(json.view()), want) << name;
  }
}

}  // namespace
}  // namespace vdcu::kclient
