#include "controller/latencies.h"

namespace vdcu::controller {

void Latencies::OnCreate(const kclient::Key& pod) {
  pods_.try_emplace(pod, Reached{clock_.Now(), std::nullopt});
}

void Latencies::OnPrepared(const kclient::Key& pod) {
  const auto found = pods_.find(pod);
  if (found == pods_.end() || found->second.prepared) return;
  found->second.prepared = clock_.Now();
  metrics_.OnPrepared(*found->second.prepared - found->second.created);
}

void Latencies::OnBound(const kclient::Key& pod) {
  const auto found = pods_.find(pod);
  if (found == pods_.end()) return;
  if (found->second.prepared) metrics_.OnBound(clock_.Now() - *found->second.prepared);
  pods_.erase(found);
}

}  // namespace vdcu::controller
