// Objects at rest: the same values in a tenth of the memory. What an object has for itself (names,
// UIDs, times, the card) is kept in short forms, all else is one value for all objects that are
// otherwise alike.
//
// Promise: Unpack() gives what was packed, field by field, whatever it was. A form that is too
// short for a value (a UID that is no UUID, a time with fractions) is not used for it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/interned.h"
#include "base/symbol.h"
#include "crds/dcunode.h"
#include "crds/vdcupartition.h"
#include "kclient/core/node.h"
#include "kclient/core/pod.h"
#include "kclient/core/uid.h"

namespace vdcu::reconcilers {

struct PackedMeta {
  kclient::Uid uid;
  uint64_t resource_version = 0;
  uint32_t created = 0;  // seconds since 1970
};

using PackedTimes = std::array<uint32_t, 4>;  // of the first conditions

// A pod without `scheduling`.
class PackedPod {
 public:
  PackedPod() = default;
  explicit PackedPod(kclient::Pod pod);
  // `key` is the pod's own.
  kclient::Pod Unpack(std::string_view key) const;

  // What is right of it without unpacking.
  const base::Symbol& node() const { return node_; }
  const kclient::Labels& labels() const { return *labels_; }
  bool terminal() const { return rest_->terminal(); }
  bool deleting() const { return rest_->meta.deleting(); }

 private:
  PackedMeta meta_;
  base::Symbol node_;
  base::Interned<kclient::Labels> labels_;
  base::Interned<kclient::Pod> rest_;
};

class PackedPartition {
 public:
  PackedPartition() = default;
  explicit PackedPartition(crds::VdcuPartition partition);
  // `key` is the partition's own.
  crds::VdcuPartition Unpack(std::string_view key) const;

  // What is right of it without unpacking.
  bool assigned() const { return rest_->assigned(); }

 private:
  void PackPodRef(crds::VdcuPartition& partition);
  void PackNodeLabel(crds::VdcuPartition& partition);
  void UnpackPodRef(crds::VdcuPartition& partition) const;

  PackedMeta meta_;
  bool owned_by_pod_ = false;  // by pod_, alone
  bool node_label_ = false;    // kNodeLabel is that of node_
  int32_t vdev_ = 0;
  kclient::Uid pod_uid_;
  base::Symbol pod_;  // its key
  base::Symbol node_;
  base::Symbol device_;
  base::Symbol pci_bus_id_;
  base::Symbol vdev_file_;
  dcu::CuMask units_;
  PackedTimes times_{};
  base::Interned<crds::VdcuPartition> rest_;
};

class PackedDcuNode {
 public:
  PackedDcuNode() = default;
  explicit PackedDcuNode(crds::DcuNode node);
  crds::DcuNode Unpack(std::string_view name) const;

  // What is right of it without unpacking: health of devices, conditions but for times, heartbeat.
  const crds::DcuNode& alike() const { return *rest_; }

 private:
  PackedMeta meta_;
  PackedTimes times_{};
  uint32_t serving_since_ = 0;
  std::vector<base::Symbol> devices_;  // uuids
  base::Interned<crds::DcuNode> rest_;
};

class PackedNode {
 public:
  explicit PackedNode(kclient::Node node);
  kclient::Node Unpack(std::string_view name) const;
  kclient::Labels UnpackLabels(std::string_view name) const;
  // Of a node of that name; it holds as long as both.
  std::optional<std::string_view> Label(std::string_view key, std::string_view name) const;

  // What is right of it without unpacking: unschedulable, taints, allocatable, ready.
  const kclient::Node& alike() const { return *rest_; }

 private:
  PackedMeta meta_;
  uint32_t ready_changed_ = 0;
  bool named_as_host_ = false;  // the label kubernetes.io/hostname is the name
  base::Interned<kclient::Node> rest_;
};

}  // namespace vdcu::reconcilers
