#include "tests/builders/builders.h"

#include "crds/pod_request.h"

namespace vdcu::builders {

namespace {

constexpr char kNamespace[] = "team-a";

std::string CardName(const std::string& node, int card) {
  return "DCU-" + node + "-" + std::to_string(card);
}

// All but `scheduling`, which has one owner.
void Copy(const kclient::Pod& from, kclient::Pod& to) {
  to.meta = from.meta;
  to.scheduler_name = from.scheduler_name;
  to.node_name = from.node_name;
  to.phase = from.phase;
  to.priority = from.priority;
  to.requests = from.requests;
  to.host_ports = from.host_ports;
  to.anti_affinity = from.anti_affinity;
  to.mirror = from.mirror;
}

}  // namespace

PodBuilder::PodBuilder(const PodBuilder& other) : wants_(other.wants_), taken_in_(other.taken_in_) {
  Copy(other.pod_, pod_);
}

PodBuilder::PodBuilder(const std::string& name) {
  pod_.meta.name = name;
  pod_.meta.ns = kNamespace;
  pod_.meta.uid = "uid-" + name;
  pod_.meta.resource_version = "1";
  pod_.meta.creation_timestamp = kCreated;
  pod_.scheduler_name = "vdcu-scheduler";
  pod_.phase = "Pending";
  Container("main");
}

PodBuilder& PodBuilder::BoundFor(const std::string& partition) {
  Annotation(std::string(crds::kPartitionAnnotation), partition);
  return Annotation(std::string(crds::kBoundPartitionAnnotation),
                    crds::BoundPartitionText(partition, pod_.meta.uid));
}

PodBuilder& PodBuilder::Container(const std::string& name) {
  wants_.containers.push_back({name, {}, {}});
  return *this;
}

PodBuilder& PodBuilder::InitContainer(const std::string& name,
                                      const kclient::ResourceList& limits) {
  wants_.init_containers.push_back({name, limits, limits});
  return *this;
}

PodBuilder& PodBuilder::Limits(const kclient::ResourceList& limits) {
  kclient::Container& container = wants_.containers.back();
  container.limits = limits;
  container.requests = limits;
  kclient::Add(pod_.requests, limits);
  return *this;
}

PodBuilder& PodBuilder::Port(int port, std::string ip, std::string protocol) {
  pod_.host_ports.push_back({std::move(ip), std::move(protocol), port});
  return *this;
}

PodBuilder& PodBuilder::Toleration(kclient::Toleration t) {
  wants_.tolerations.push_back(std::move(t));
  return *this;
}

PodBuilder& PodBuilder::Affinity(std::vector<kclient::NodeSelectorTerm> terms) {
  wants_.affinity = {true, std::move(terms)};
  return *this;
}

PodBuilder& PodBuilder::Claim(std::string claim) {
  wants_.claims.push_back(std::move(claim));
  return *this;
}

PodBuilder& PodBuilder::KeepsAway(kclient::PodAffinityTerm term) {
  pod_.anti_affinity.push_back(std::move(term));
  return *this;
}

PodBuilder& PodBuilder::Unsupported(std::string field) {
  wants_.unsupported.push_back(std::move(field));
  return *this;
}

PodBuilder& PodBuilder::Unscheduled(std::string reason, std::string message) {
  wants_.scheduled = {"PodScheduled", "False", std::move(reason), std::move(message), kCreated, 0};
  return *this;
}

PodBuilder& PodBuilder::Arrived(std::string node) {
  taken_in_ = false;
  return Node(std::move(node));
}

PodBuilder& PodBuilder::Condition(std::string_view type, const std::string& status,
                                  const std::string& reason, const std::string& message) {
  wants_.conditions.push_back({std::string(type), status, reason, message, kCreated, 0});
  return *this;
}

PodPtr PodBuilder::Obj() const {
  auto pod = std::make_shared<kclient::Pod>();
  Copy(pod_, *pod);
  const bool waits = !pod->bound() || !taken_in_;
  if (waits) pod->scheduling = std::make_unique<const kclient::PodScheduling>(wants_);
  return pod;
}

NodeBuilder::NodeBuilder(const std::string& name) {
  node_.meta.name = name;
  node_.meta.uid = "uid-" + name;
  node_.ready = true;
  node_.ready_changed = kCreated;
  node_.allocatable = {{"cpu", 64'000},
                       {"memory", int64_t{256} << 30},
                       {"ephemeral-storage", int64_t{1} << 40},
                       {"pods", 110},
                       {"hygon.com/dcunum", 32}};
}

NodeBuilder& NodeBuilder::Label(const std::string& name, const std::string& value) {
  node_.meta.labels[name] = value;
  return *this;
}

NodeBuilder& NodeBuilder::Allocatable(const std::string& name, int64_t amount) {
  node_.allocatable[name] = amount;
  return *this;
}

NodeBuilder& NodeBuilder::Without(const std::string& resource) {
  node_.allocatable.erase(resource);
  return *this;
}

NodeBuilder& NodeBuilder::Taint(const std::string& key, const std::string& value,
                                const std::string& effect) {
  node_.taints.push_back({key, value, effect});
  return *this;
}

NodeBuilder& NodeBuilder::Cordoned() {
  node_.unschedulable = true;
  return *this;
}

NodeBuilder& NodeBuilder::NotReady(const std::string& since) {
  node_.ready = false;
  node_.not_ready = true;
  node_.ready_changed = since;
  return *this;
}

DcuNodeBuilder::DcuNodeBuilder(const std::string& name) {
  node_.meta.name = name;
  node_.status.conditions = {{std::string(crds::kReady), "True", "Published", "", kCreated, 1}};
}

DcuNodeBuilder& DcuNodeBuilder::Cards(int count) {
  for (int i = 0; i < count; ++i) {
    dcu::Device device;
    device.index = i;
    device.uuid = CardName(node_.meta.name, i);
    device.model = "Z100L";
    device.pci_device_id = "55b7";
    device.pci_bus_id = "0000:3" + std::to_string(i) + ":00.0";
    device.compute_units = 60;
    device.memory = dcu::MiB{32768};
    node_.status.devices.push_back(device);
  }
  return *this;
}

DcuNodeBuilder& DcuNodeBuilder::Sick(int card, const std::string& reason) {
  node_.status.devices[card].healthy = false;
  node_.status.devices[card].reason = reason;
  return *this;
}

DcuNodeBuilder& DcuNodeBuilder::Cordon(int card) {
  node_.spec.unschedulable_devices.push_back(CardName(node_.meta.name, card));
  return *this;
}

DcuNodeBuilder& DcuNodeBuilder::Reserve(int64_t mib) {
  node_.spec.memory_reserve = dcu::MiB{mib};
  return *this;
}

DcuNodeBuilder& DcuNodeBuilder::Held(const std::string& partition_uid, dcu::Assignment assignment) {
  node_.status.held.push_back({partition_uid, std::move(assignment), "", kCreated});
  return *this;
}

DcuNodeBuilder& DcuNodeBuilder::NotReady() {
  node_.status.conditions.clear();
  return *this;
}

dcu::Assignment MakeSlice(const std::string& node, int card, int first, int units, int64_t mib,
                          int pipe, int vdev) {
  dcu::Assignment slice;
  slice.node = node;
  slice.device = CardName(node, card);
  slice.pci_bus_id = "0000:3" + std::to_string(card) + ":00.0";
  slice.units = dcu::CuMask::FirstUnits(first + units) & ~dcu::CuMask::FirstUnits(first);
  slice.compute_units = units;
  slice.memory = dcu::MiB{mib};
  slice.pipe = pipe;
  slice.vdev = vdev;
  return slice;
}

PartitionBuilder::PartitionBuilder(const std::string& name) {
  object_.meta.name = name;
  object_.meta.ns = kNamespace;
  object_.meta.uid = "uid-" + name;
  object_.meta.resource_version = "1";
  object_.meta.generation = 1;
  object_.meta.creation_timestamp = kCreated;
  Units(10, 1000);
}

PartitionBuilder& PartitionBuilder::Ns(const std::string& ns) {
  object_.meta.ns = ns;
  return *this;
}

PartitionBuilder& PartitionBuilder::Version(const std::string& version) {
  object_.meta.resource_version = version;
  return *this;
}

PartitionBuilder& PartitionBuilder::Units(int units, int64_t mib) {
  object_.spec.request.compute_units = units;
  object_.spec.request.memory = dcu::MiB{mib};
  return *this;
}

PartitionBuilder& PartitionBuilder::NodeSelector(const kclient::Labels& labels) {
  object_.spec.node_selector = labels;
  return *this;
}

PartitionBuilder& PartitionBuilder::For(const PodPtr& pod) {
  object_.meta.ns = pod->meta.ns;
  object_.meta.name = crds::PartitionName(pod->meta.name, pod->meta.uid, "main", 0);
  object_.meta.uid = "uid-" + object_.meta.name;
  object_.meta.finalizers = {std::string(crds::kFinalizer)};
  object_.meta.owner_references = {{"v1", "Pod", pod->meta.name, pod->meta.uid, true}};
  object_.spec.pod_ref = crds::PodRef{pod->meta.name, pod->meta.uid, "main"};
  return *this;
}

PartitionBuilder& PartitionBuilder::Assigned(const dcu::Assignment& assignment) {
  object_.spec.assignment = assignment;
  object_.meta.labels.insert_or_assign(std::string(crds::kNodeLabel),
                                       crds::NodeLabel(assignment.node));
  if (!object_.meta.HasFinalizer(crds::kFinalizer)) {
    object_.meta.finalizers.emplace_back(crds::kFinalizer);
  }
  ++object_.meta.generation;
  return *this;
}

PartitionBuilder& PartitionBuilder::Deleting(const std::string& at) {
  object_.meta.deletion_timestamp = at;
  return *this;
}

PartitionBuilder& PartitionBuilder::Condition(std::string_view type, const std::string& status,
                                              const std::string& reason) {
  kclient::SetCondition(
      object_.status.conditions,
      {std::string(type), status, reason, "the message", kCreated, object_.meta.generation});
  return *this;
}

PartitionBuilder& PartitionBuilder::Ready() {
  return Condition(crds::kPrepared, "True").Condition(crds::kReady, "True");
}

PartitionBuilder& PartitionBuilder::UsedBy(const PodPtr& pod) {
  object_.status.used_by = crds::PodRef{pod->meta.name, pod->meta.uid, "main"};
  return *this;
}

}  // namespace vdcu::builders
