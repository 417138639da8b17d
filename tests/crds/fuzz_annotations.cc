// A pod's annotations, one a line, in the order below: whatever users write there, what is read is
// within the bounds, and an error is short.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "crds/pod_group.h"
#include "crds/pod_request.h"

namespace {

using vdcu::kclient::Container;

constexpr std::string_view kNames[] = {
    "vdcu.io/share",           "vdcu.io/policy",        "vdcu.io/partition",
    "hygon.com/use-dcutype",   "hygon.com/use-gpuuuid", "hygon.com/nouse-dcutype",
    "hygon.com/nouse-gpuuuid", "hygon.com/use-hcutype", "vdcu.io/bound-partition",
    "vdcu.io/group",           "vdcu.io/group-size"};
constexpr size_t kMostError = 1024;

vdcu::kclient::Pod PodOf(std::string_view text) {
  vdcu::kclient::PodScheduling scheduling;
  Container container;
  container.name = "main";
  container.limits = {{"hygon.com/dcunum", 1}};
  scheduling.containers = {container};
  vdcu::kclient::Pod pod;
  pod.meta.uid = "uid";
  for (const std::string_view name : kNames) {
    if (text.empty()) break;
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (!line.empty()) pod.meta.annotations.emplace(name, line);
  }
  pod.scheduling = std::make_shared<const vdcu::kclient::PodScheduling>(scheduling);
  return pod;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto pod = PodOf({reinterpret_cast<const char*>(data), size});
  vdcu::crds::BoundPartition(pod.meta);
  const auto group = vdcu::crds::ParsePodGroup(pod.meta);
  if (!group && group.error().message.size() > kMostError) std::abort();
  if (group && *group && (**group).size > vdcu::crds::kMaxGroupSize) std::abort();
  const auto request = vdcu::crds::ParsePodRequest(pod);
  if (!request) {
    if (request.error().message.size() > kMostError) std::abort();
    return 0;
  }
  const auto& devices = *request->containers.at(0).slice.devices;
  for (const auto* names : {&devices.uuids, &devices.exclude_uuids, &devices.model_parts,
                            &devices.exclude_model_parts}) {
    if (names->size() > 64) std::abort();
  }
  return 0;
}
