// Every name that objects carry and more than one part reads: group, annotations, labels,
// finalizer, condition types and reasons.
#pragma once

#include <string>
#include <string_view>

namespace vdcu::crds {

inline constexpr std::string_view kGroup = "vdcu.io";
inline constexpr std::string_view kVersion = "v1alpha1";
inline constexpr std::string_view kApiVersion = "vdcu.io/v1alpha1";

// Where the Leases of controller and nodes are: the namespace that the process itself is in, which
// a kubeconfig that names none calls "default".
inline std::string LeaseNamespace(const std::string& of_process) {
  return of_process != "default" ? of_process : "vdcu-system";
}

// VDCUPartition: of the node that its assignment names, NodeLabel(); controller. Daemons ask by it
// where the API server does not select by fields of our kinds.
inline constexpr std::string_view kNodeLabel = "vdcu.io/node";
inline constexpr std::string_view kFinalizer = "vdcu.io/in-use";
inline constexpr std::string_view kPartitionAnnotation =
    "vdcu.io/partition";  // pod: name of a reserved partition in its namespace
inline constexpr std::string_view kBoundPartitionAnnotation =
    "vdcu.io/bound-partition";  // pod: the one that it was bound for; written by its binding
inline constexpr std::string_view kPolicyAnnotation = "vdcu.io/policy";  // pod: see ParsePolicy

inline constexpr std::string_view kShareAnnotation =
    "vdcu.io/share";  // pod or namespace: cluster or namespace

inline constexpr std::string_view kAssigned =
    "Assigned";  // controller, while there is no assignment
inline constexpr std::string_view kPrepared =
    "Prepared";  // node daemon: the files are there and right
inline constexpr std::string_view kHealthy = "Healthy";  // node daemon: the card is
inline constexpr std::string_view kReady =
    "Ready";  // node daemon: Prepared and Healthy, and its container can be started

inline constexpr std::string_view kAccepted =
    "Accepted";  // DCUNode, node daemon: False while its spec cannot be read

// The reason where an object's spec cannot be read.
inline constexpr std::string_view kInvalid = "Invalid";
inline constexpr std::string_view kSliceHeld =
    "vdcu.io/SliceHeld";  // controller, on a pod: another scheduler may ask again
inline constexpr std::string_view kSliceAssigned =
    "vdcu.io/SliceAssigned";  // controller, on a bound pod: False: it has no slice, and why
inline constexpr std::string_view kNoRoom =
    "NoRoom";  // its reason where there may be one when others go; any other: never

// Reasons of a DCUNode's Ready=Unknown, which the controller says.
inline constexpr std::string_view kDaemonSilent = "DaemonSilent";
// Nothing is heard of the node: until it is, its daemon does not say that it is Ready.
inline constexpr std::string_view kNodeNotReady = "NodeNotReady";
inline constexpr std::string_view kAwaitingDaemon = "AwaitingDaemon";  // the node is back

}  // namespace vdcu::crds
