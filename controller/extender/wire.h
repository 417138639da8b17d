// The requests of two schedulers' extender protocols, and the answers to them, as JSON.
// Sources: k8s.io/kube-scheduler/extender/v1/types.go (Go field names), pkg/scheduler/extender.go;
// volcano.sh/volcano pkg/scheduler/plugins/extender, pkg/scheduler/api/{job,node}_info.go.
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

// Volcano's. `asks`: the pod asks for cards; up to 1.12 Volcano calls for those that do not, too.
struct PredicateCall {
  PodIdentity pod;
  bool asks = true;
  std::string node;
  std::vector<std::string> beside;  // UIDs of the pods that it has there, in its own books
};
struct TaskCall {
  PodIdentity pod;
  bool asks = true;
  std::string node;
  bool pipelined = false;  // it is to come there when others have gone
};

// Errors: kInvalid and kCorrupt, naming the field and what is right.
base::Result<FilterCall> ReadFilterCall(std::string_view body);
base::Result<PreemptCall> ReadPreemptCall(std::string_view body);
base::Result<BindCall> ReadBindCall(std::string_view body);
base::Result<PredicateCall> ReadPredicateCall(std::string_view body);
base::Result<TaskCall> ReadTaskCall(std::string_view body);

std::string FilterAnswer(const reconcilers::Offer& offer);
// Nothing was decided: the pod is tried again soon.
std::string FilterError(const std::string& why);
// These of the nodes that were asked about are left; what was said of them is said again.
std::string PreemptAnswer(const PreemptCall& call, const std::vector<std::string>& nodes);
// An empty error: the pod is bound.
std::string BindAnswer(const std::string& error);
// What Volcano does with a node that does not fit: it may evict pods there, or it may not; or it
// was not judged, and is asked about again in the next session.
enum class Unfit { kNotJudged = 1, kForNow = 2, kForGood = 3 };
// An empty reason: it fits.
std::string PredicateAnswer(const std::string& why, Unfit unfit);
// An empty error: it is done.
std::string TaskAnswer(const std::string& error);

}  // namespace vdcu::controller
