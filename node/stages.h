// When each pod of this node reached which stage of its start, for the histograms.
#pragma once

#include <map>
#include <string>

#include "base/clock.h"
#include "node/metrics.h"

namespace vdcu::node {

enum class Stage { kNone, kPrepared, kBound, kAllocated, kStarted };

class Stages {
 public:
  Stages(const base::Clock& clock, Metrics& metrics) : clock_(clock), metrics_(metrics) {}

  // Each stage counts once for a pod, from the one before that this process has seen.
  void Reach(const std::string& pod_uid, Stage stage);
  void Forget(const std::string& pod_uid) { pods_.erase(pod_uid); }

 private:
  struct Last {
    Stage stage = Stage::kNone;
    base::TimePoint at{};
  };

  const base::Clock& clock_;
  Metrics& metrics_;
  std::map<std::string, Last> pods_;  // by UID
};

}  // namespace vdcu::node
