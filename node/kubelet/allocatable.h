// Asks the kubelet which devices it would give out, until it has some of each resource: from then
// on a pod that is bound to this node is not failed for want of a plugin. (A kubelet fails a pod
// for good that it admits before it has taken in the plugin's list, and no message tells when it
// has.) Of a kubelet that lacks this call (before 1.21, and before 1.23 unless a gate is on)
// somebody else says it. Source: module k8s.io/kubelet, pkg/apis/podresources/v1/api.proto,
// GetAllocatableResources.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "base/loop.h"
#include "base/result.h"

namespace vdcu::kubelet {

class Allocatable {
 public:
  using Resources = base::Result<std::set<std::string>>;

  // `socket` is that of pod-resources; `instead` says which resources it has devices of where the
  // kubelet lacks the call; `on_complete` runs each time that asking has an end.
  Allocatable(base::Loop& loop, std::string socket, std::function<Resources()> instead,
              std::function<void()> on_complete);
  ~Allocatable();
  Allocatable(const Allocatable&) = delete;
  Allocatable& operator=(const Allocatable&) = delete;

  // Forgets what is known and asks until the kubelet has devices of all `resources`.
  void Ask(std::set<std::string> resources);
  // Forgets what is known.
  void Forget();
  // Whether it had, after the last Ask.
  bool complete() const { return complete_; }
  // Why it is not complete; logged once when that lasts for some seconds.
  const std::string& problem() const { return problem_; }

 private:
  class Attempt;

  void Begin();
  void OnAnswer(const Resources& resources);
  void SetProblem(const Resources& resources);

  base::Loop& loop_;
  const std::string socket_;
  const std::function<Resources()> instead_;
  const std::function<void()> on_complete_;
  std::set<std::string> wanted_;
  std::unique_ptr<Attempt> attempt_;
  base::TimerPtr retry_timer_;
  base::Duration retry_delay_{};
  bool complete_ = false;
  std::string problem_ = "the kubelet has not been asked yet";
};

}  // namespace vdcu::kubelet
