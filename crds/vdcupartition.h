// VDCUPartition: one slice of one card (or one whole card), namespaced. The schema is
// vdcupartition.yaml; a test holds the two together.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "dcu/assignment.h"
#include "kclient/core/json.h"
#include "kclient/core/meta.h"

namespace vdcu::crds {

// A container of a pod, by the pod's UID.
struct PodRef {
  std::string name;
  std::string uid;
  std::string container;

  friend auto operator<=>(const PodRef&, const PodRef&) = default;
};

struct PartitionSpec {
  dcu::SliceRequest request;  // computeUnits, cores, memory, devices: immutable
  kclient::Labels node_selector;
  std::optional<dcu::Policy> policy;  // none: the controller's
  dcu::Sharing share = dcu::Sharing::kCluster;
  std::optional<PodRef> pod_ref;  // only on those that the controller made for a pod
  std::optional<dcu::Assignment> assignment;

  friend auto operator<=>(const PartitionSpec&, const PartitionSpec&) = default;
};

struct PartitionStatus {
  std::vector<kclient::Condition> conditions;
  std::string vdev_file;          // "/etc/vdev/vdev4.conf"; empty while there is none
  std::optional<PodRef> used_by;  // of a reserved partition: the pod that holds it now

  friend auto operator<=>(const PartitionStatus&, const PartitionStatus&) = default;
};

// Of an object whose spec or status cannot be read.
struct Unread {
  std::string why;   // field, value and what would be right
  std::string node;  // that its assignment names, as far as that can be read; empty: none

  friend auto operator<=>(const Unread&, const Unread&) = default;
};

struct VdcuPartition {
  kclient::ObjectMeta meta;
  PartitionSpec spec;
  PartitionStatus status;
  std::optional<Unread> unread;  // then spec is empty, and of status only the conditions are there

  bool assigned() const { return spec.assignment.has_value(); }
  // Whether it stands for its assignment. One that is being deleted does not any more once our
  // finalizer is lifted, however long another finalizer keeps the object.
  bool holds() const;
  friend auto operator<=>(const VdcuPartition&, const VdcuPartition&) = default;

  // Annotations are not kept. Errors: kCorrupt, naming field and value. Never more lenient than the
  // schema where exactness matters: an assignment whose masks do not count computeUnits is an
  // error.
  static base::Result<VdcuPartition> FromJson(kclient::JsonView object);
  // What stands for an object of which FromJson is an error: it has `unread`. Errors: kCorrupt, of
  // metadata.
  static base::Result<VdcuPartition> Unreadable(kclient::JsonView object);
};

// The whole object for a create. Left out are status, which the apiserver would drop, and the parts
// of model names in request.devices: they come from the pod's annotations and stay there.
nlohmann::json ToJson(const VdcuPartition& partition);
nlohmann::json ToJson(const dcu::Assignment& assignment);
// For a merge patch: null where nothing is set, so that the patch clears it.
nlohmann::json ToJson(const PartitionStatus& status);

// "BinPack", "Spread" and "FragmentationAware", as the API and the flags spell them.
std::string_view ToString(dcu::Policy policy);
std::optional<dcu::Policy> ParsePolicy(std::string_view text);

// What the schema's CEL rules refuse, for callers that make partitions: at most one of units and
// percent, bounds, no empty names. Errors: kInvalid, naming field, value and what would be right.
base::Status Validate(const PartitionSpec& spec);

// Names of partitions made for pods: the pod's name cut to 40 + "-" + 10 hex of sha256("<pod
// uid>/<container>"), and of "<pod uid>/<container>/<n>" for the n-th (n >= 1) further whole card
// of a container. Always one DNS label: dots become "-", and the cut does not end in one.
std::string PartitionName(std::string_view pod_name, std::string_view pod_uid,
                          std::string_view container, int card_number);

// The value of kNodeLabel for a node: its name, of one with more than 63 characters the first 54 +
// "-" + 8 hex of its sha256.
std::string NodeLabel(std::string_view node);
// The node that spec.assignment names; empty: none.
std::string AssignedNode(kclient::JsonView partition);

}  // namespace vdcu::crds
