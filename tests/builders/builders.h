// Objects for tests, in one line each: MakePod("p").Ns("team-a").Limits({{"hygon.com/dcunum", 1}})
// .Obj(). What is not said is what a plain object has.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "crds/dcunode.h"
#include "crds/keys.h"
#include "crds/vdcupartition.h"
#include "kclient/core/node.h"
#include "kclient/core/pod.h"
#include "kclient/core/volume.h"

namespace vdcu::builders {

using PodPtr = std::shared_ptr<const kclient::Pod>;
using NodePtr = std::shared_ptr<const kclient::Node>;
using DcuNodePtr = std::shared_ptr<const crds::DcuNode>;
using PartitionPtr = std::shared_ptr<const crds::VdcuPartition>;

inline constexpr char kCreated[] = "2026-01-01T00:00:00Z";

// A pending pod of vdcu-scheduler with one container, "main"; its UID is "uid-<name>".
class PodBuilder {
 public:
  explicit PodBuilder(const std::string& name);
  PodBuilder(const PodBuilder& other);

  PodBuilder& Ns(std::string ns) { return Set(pod_.meta.ns, std::move(ns)); }
  PodBuilder& Uid(std::string uid) { return Set(pod_.meta.uid, std::move(uid)); }
  PodBuilder& Version(std::string v) { return Set(pod_.meta.resource_version, std::move(v)); }
  PodBuilder& Created(std::string at) { return Set(pod_.meta.creation_timestamp, std::move(at)); }
  PodBuilder& Deleting() { return Set(pod_.meta.deletion_timestamp, std::string(kCreated)); }
  PodBuilder& Scheduler(std::string name) { return Set(pod_.scheduler_name, std::move(name)); }
  PodBuilder& Phase(std::string phase) { return Set(pod_.phase, std::move(phase)); }
  PodBuilder& Priority(int priority) { return Set(pod_.priority, std::move(priority)); }
  PodBuilder& Annotation(const std::string& name, std::string value) {
    return Set(pod_.meta.annotations[name], std::move(value));
  }
  // Names the reserved partition, and is or was bound for it.
  PodBuilder& BoundFor(const std::string& partition);
  // Bound there, and taken in by its kubelet.
  PodBuilder& Node(std::string node) { return Set(pod_.node_name, std::move(node)); }
  // Bound there, and not taken in yet.
  PodBuilder& Arrived(std::string node);
  PodBuilder& Mirror() { return Set(pod_.mirror, true); }
  // The next Limits are of a further container.
  PodBuilder& Container(const std::string& name);
  PodBuilder& InitContainer(const std::string& name, const kclient::ResourceList& limits);
  // Also the requests, as the API defaults them.
  PodBuilder& Limits(const kclient::ResourceList& limits);
  PodBuilder& Port(int port, std::string ip = "", std::string protocol = "TCP");
  PodBuilder& Toleration(kclient::Toleration t);
  PodBuilder& NodeSelector(kclient::Labels l) { return Set(wants_.node_selector, std::move(l)); }
  PodBuilder& Affinity(std::vector<kclient::NodeSelectorTerm> terms);
  PodBuilder& Claim(std::string claim);
  PodBuilder& Label(const std::string& name, std::string value) {
    return Set(pod_.meta.labels[name], std::move(value));
  }
  PodBuilder& KeepsAway(kclient::PodAffinityTerm term);
  PodBuilder& Gated() { return Set(wants_.gated, true); }
  PodBuilder& NeverPreempts() { return Set(wants_.preempts, false); }
  PodBuilder& Nominated(std::string node) { return Set(wants_.nominated, std::move(node)); }
  PodBuilder& Unsupported(std::string field);
  PodBuilder& Unscheduled(std::string reason, std::string message);
  PodBuilder& Condition(std::string_view type, const std::string& status, const std::string& reason,
                        const std::string& message);

  PodPtr Obj() const;

 private:
  template <class T>
  PodBuilder& Set(T& field, T value) {
    field = std::move(value);
    return *this;
  }

  kclient::Pod pod_;
  kclient::PodScheduling wants_;
  bool taken_in_ = true;  // where it is bound
};

// A ready node with 64 cores, 256 GiB, 110 pods and 32 hygon.com/dcunum.
class NodeBuilder {
 public:
  explicit NodeBuilder(const std::string& name);

  NodeBuilder& Label(const std::string& name, const std::string& value);
  NodeBuilder& Allocatable(const std::string& name, int64_t amount);
  NodeBuilder& Without(const std::string& resource);
  NodeBuilder& Taint(const std::string& key, const std::string& value, const std::string& effect);
  NodeBuilder& Cordoned();
  NodeBuilder& NotReady(const std::string& since);

  NodePtr Obj() const { return std::make_shared<const kclient::Node>(node_); }

 private:
  kclient::Node node_;
};

// A DCUNode whose daemon has reported; its cards are "DCU-<node>-<index>".
class DcuNodeBuilder {
 public:
  explicit DcuNodeBuilder(const std::string& name);

  // 60 compute units and 32768 MiB each.
  DcuNodeBuilder& Cards(int count);
  DcuNodeBuilder& Sick(int card, const std::string& reason);
  DcuNodeBuilder& Cordon(int card);
  DcuNodeBuilder& Reserve(int64_t mib);
  DcuNodeBuilder& Held(const std::string& partition_uid, dcu::Assignment assignment);
  DcuNodeBuilder& NotReady();

  DcuNodePtr Obj() const { return std::make_shared<const crds::DcuNode>(node_); }

 private:
  crds::DcuNode node_;
};

// A slice of a card of MakeDcuNode: units [first, first + units).
dcu::Assignment MakeSlice(const std::string& node, int card, int first, int units, int64_t mib,
                          int pipe, int vdev);

// A reserved partition that asks for 10 units and 1000 MiB; its UID is "uid-<name>".
class PartitionBuilder {
 public:
  explicit PartitionBuilder(const std::string& name);

  PartitionBuilder& Ns(const std::string& ns);
  PartitionBuilder& Version(const std::string& version);
  PartitionBuilder& Units(int units, int64_t mib);
  PartitionBuilder& NodeSelector(const kclient::Labels& labels);
  // Made for the pod: name, podRef, owner, finalizer.
  PartitionBuilder& For(const PodPtr& pod);
  // With our finalizer; the spec is of a further generation.
  PartitionBuilder& Assigned(const dcu::Assignment& assignment);
  PartitionBuilder& Deleting(const std::string& at);
  // Said by the daemon of the spec as it is now.
  PartitionBuilder& Condition(std::string_view type, const std::string& status,
                              const std::string& reason = "Said");
  PartitionBuilder& Ready();
  PartitionBuilder& UsedBy(const PodPtr& pod);

  PartitionPtr Obj() const { return std::make_shared<const crds::VdcuPartition>(object_); }

 private:
  crds::VdcuPartition object_;
};

inline PodBuilder MakePod(const std::string& name) { return PodBuilder(name); }
inline NodeBuilder MakeNode(const std::string& name) { return NodeBuilder(name); }
inline DcuNodeBuilder MakeDcuNode(const std::string& name) { return DcuNodeBuilder(name); }
inline PartitionBuilder MakePartition(const std::string& name) { return PartitionBuilder(name); }

}  // namespace vdcu::builders
