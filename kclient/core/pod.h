// A Pod, trimmed to what placing and letting go need. No environment, no images, no managedFields.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kclient/core/affinity.h"
#include "kclient/core/meta.h"
#include "kclient/core/quantity.h"
#include "kclient/core/selector.h"

namespace vdcu::kclient {

struct Container {
  std::string name;
  ResourceList requests;  // see ContainerRequests
  ResourceList limits;
};

struct HostPort {
  std::string ip;        // empty: 0.0.0.0
  std::string protocol;  // TCP, UDP, SCTP
  int port = 0;

  friend auto operator<=>(const HostPort&, const HostPort&) = default;
};
// Ports clash when port and protocol are the same and the addresses are, or one of them is 0.0.0.0.
bool Clash(const HostPort& a, const HostPort& b);

// What only matters until the kubelet of its node has taken a pod in.
struct PodScheduling {
  std::vector<Container> init_containers;  // sidecars too
  std::vector<Container> containers;
  Labels node_selector;
  NodeSelector affinity;                      // required node affinity
  std::vector<PodAffinityTerm> pod_affinity;  // required
  std::vector<SpreadConstraint> spread;       // with DoNotSchedule
  std::vector<Toleration> tolerations;
  // Names of PersistentVolumeClaims, generic ephemeral ones as <pod>-<volume>.
  std::vector<std::string> claims;
  bool gated = false;     // has schedulingGates
  bool preempts = true;   // preemptionPolicy is not Never
  std::string nominated;  // status.nominatedNodeName: where others end for it
  // Fields that this scheduler does not understand, by their path ("spec.resourceClaims"); such a
  // pod is left alone.
  std::vector<std::string> unsupported;
  Condition scheduled;                // PodScheduled as it stands; type is empty when absent
  std::vector<Condition> conditions;  // those whose type begins as annotations that are kept do
};

struct Pod {
  ObjectMeta meta;
  std::string scheduler_name;
  std::string node_name;
  std::string phase;
  int priority = 0;
  ResourceList requests;  // the whole pod, by the kubelet's arithmetic (see PodRequests)
  std::vector<HostPort> host_ports;
  std::vector<PodAffinityTerm> anti_affinity;  // required: whom it keeps away
  bool mirror = false;                         // what a kubelet shows of a static pod
  // Until it is on a node whose kubelet has written its status: its admission is over then.
  std::shared_ptr<const PodScheduling> scheduling;

  bool bound() const { return !node_name.empty(); }
  // Succeeded or Failed: it counts for nothing on its node any more.
  bool terminal() const { return phase == "Succeeded" || phase == "Failed"; }
  // `scheduling` by its address.
  friend auto operator<=>(const Pod&, const Pod&) = default;

  // Of the annotations, and of conditions, those that begin so are kept.
  static base::Result<Pod> FromJson(JsonView object,
                                    const std::vector<std::string>& annotation_prefixes);
};

// Whether the pod is what a kubelet shows of a static one, which it runs from a file.
bool IsMirror(JsonView pod);

// What the kubelet and kube-scheduler count for a pod: the sum over containers and sidecars, at
// least each init container with the sidecars started before it, pod-level resources where they are
// set, plus overhead; for a container that is being resized the larger of spec, allocated and
// actual. Source: component-helpers resource/helpers.go.
ResourceList PodRequests(JsonView pod);

// What one container's spec asks for; limits stand in where there is no request.
ResourceList ContainerRequests(JsonView container);

}  // namespace vdcu::kclient
