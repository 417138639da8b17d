#include "reconcilers/view/demands.h"

#include <utility>

namespace vdcu::reconcilers {

void Demands::Set(const kclient::Key& request, std::vector<dcu::SliceRequest> slices,
                  const dcu::NodeNeeds& needs) {
  Asked now{std::move(slices), needs};
  const auto found = asked_.find(request);
  if (found != asked_.end()) {
    if (found->second == now) return;
    rooms_.AddDemand(found->second.slices, found->second.needs, -1);
    asked_.erase(found);
  }
  if (now.slices.empty()) return;
  rooms_.AddDemand(now.slices, now.needs, 1);
  asked_.emplace(request, std::move(now));
}

dcu::NodeNeeds NeedsOf(const kclient::Pod& pod) {
  const auto amount_of = [&](const char* resource) {
    const auto found = pod.requests.find(resource);
    return found == pod.requests.end() ? 0 : found->second;
  };
  return {.cpu = amount_of("cpu"), .memory = dcu::MiB{amount_of("memory") / dcu::kBytesPerMiB}};
}

}  // namespace vdcu::reconcilers
