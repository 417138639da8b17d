// Which container the kubelet allocates for: the device plugin API does not say.
//
// The kubelet lists a pod in its pod-resources API before it admits it, admits one pod at a time
// and fills in a container's devices when its Allocate has been answered. So the asker is the one
// listed pod that has a container that asks for the resource, has no device of it yet and has had
// no answer, and whose admission is not over (it does not run, nor has the kubelet written its
// status). None or several: nobody is named. Pods that do not belong here (their node was set by
// hand, they have no slice) are counted, too, as it may be they who ask. A kubelet before 1.34 also
// lists pods that have ended, and for a moment the API shows neither that nor a refusal.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "node/kubelet/pod_resources.h"
#include "node/node_pod.h"
#include "node/slices.h"

namespace vdcu::node {

struct Asker {
  crds::PodRef pod;
  std::string ns;
  std::string partition;  // the reserved one that the pod was bound for; empty: none
  std::optional<kclient::OwnerReference> owner = std::nullopt;  // who makes the pod anew
  size_t count = 0;  // devices that the container asks for

  std::string key() const { return ns + "/" + pod.name; }
  friend bool operator==(const Asker&, const Asker&) = default;
};

struct IdentityView {
  const kubelet::Listing& listing;
  std::string resource;
  // The pod as the API shows it, by "namespace/name"; null: not known, or not there.
  std::function<const NodePod*(const std::string& key)> pod;
  std::function<bool(const std::string& uid)> has_processes;
  // Whether this kubelet has had its answer for the container: it does not ask again.
  std::function<bool(const std::string& uid, const std::string& container)> answered;
  // Keys of the pods that were read from the API for this question: what they show is the truth.
  const std::set<std::string>& read;
};

// What of `held` is the container's, by name.
std::vector<Slice> SlicesOf(const Slices& held, const Asker& container);

// One of the three says something.
struct Identity {
  std::optional<Asker> asker = std::nullopt;
  std::set<std::string> unknown = {};             // keys: read these from the API, then ask again
  std::optional<Refusal> refusal = std::nullopt;  // NobodyAsks or SeveralAsk
  std::vector<Asker> several = {};                // with SeveralAsk
};

Identity WhoAsks(const IdentityView& view);

}  // namespace vdcu::node
