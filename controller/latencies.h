// How long the steps from a pod's slices to its binding take, for the histograms.
//
// Promises: each step of a pod is measured once, from the first time that it was reached, whatever
// is repeated; nothing is kept of a pod that was bound or forgotten.
#pragma once

#include <optional>
#include <unordered_map>

#include "base/clock.h"
#include "controller/metrics.h"
#include "kclient/engine/key.h"

namespace vdcu::controller {

class Latencies {
 public:
  Latencies(const base::Clock& clock, Metrics& metrics) : clock_(clock), metrics_(metrics) {}

  // A slice of the pod is being created.
  void OnCreate(const kclient::Key& pod);
  // All its slices are prepared: its binding is planned.
  void OnPrepared(const kclient::Key& pod);
  // The API server has said so.
  void OnBound(const kclient::Key& pod);
  // It is placed anew, was bound unseen, or is gone.
  void Forget(const kclient::Key& pod) { pods_.erase(pod); }
  bool Knows(const kclient::Key& pod) const { return pods_.contains(pod); }

 private:
  struct Reached {
    base::TimePoint created;
    std::optional<base::TimePoint> prepared;
  };

  const base::Clock& clock_;
  Metrics& metrics_;
  std::unordered_map<kclient::Key, Reached, kclient::HashOfKey> pods_;
};

}  // namespace vdcu::controller
