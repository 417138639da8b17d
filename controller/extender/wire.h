// The requests of kube-scheduler's extender protocol, and the answers to them, as JSON.
// Source: k8s.io/kube-scheduler/extender/v1/types.go (Go field names); pkg/scheduler/extender.go.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "reconcilers/offer.h"

namespace vdcu::controller {

struct PodIdentity {
  std::string uid;
  std::string key;  // "namespace/name", for messages
};

struct FilterCall {
  PodIdentity pod;
  std::vector<std::string> nodes;
};
struct PreemptCall {
  PodIdentity pod;
  reconcilers::Victims victims;
  std::map<std::string, std::string> texts;  // what was said of each node, as JSON
};
struct BindCall {
  PodIdentity pod;
  std::string node;
};

// Errors: kInvalid and kCorrupt, naming the field and what is right.
base::Result<FilterCall> ReadFilterCall(std::string_view body);
base::Result<PreemptCall> ReadPreemptCall(std::string_view body);
base::Result<BindCall> ReadBindCall(std::string_view body);

std::string FilterAnswer(const reconcilers::Offer& offer);
// Nothing was decided: the pod is tried again soon.
std::string FilterError(const std::string& why);
// These of the nodes that were asked about are left; what was said of them is said again.
std::string PreemptAnswer(const PreemptCall& call, const std::vector<std::string>& nodes);
// An empty error: the pod is bound.
std::string BindAnswer(const std::string& error);

}  // namespace vdcu::controller
