#include "reconcilers/view/packed.h"

#include <charconv>
#include <string>
#include <utility>

#include "base/clock.h"
#include "crds/keys.h"

namespace vdcu::reconcilers {

namespace {

constexpr std::string_view kHostname = "kubernetes.io/hostname";

// Each Take… moves what it can into the short form and leaves the text empty; what it cannot stays
// as it is. Its Put… turns that round.

base::Symbol TakeSymbol(std::string& text) { return base::Symbol(std::exchange(text, {})); }

void PutSymbol(const base::Symbol& symbol, std::string& text) {
  if (!symbol.empty()) text = symbol.str();
}

// 0: not taken.
uint64_t TakeNumber(std::string& text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool plain = error == std::errc() && end == text.data() + text.size() && text[0] != '0';
  if (!plain) return 0;
  text.clear();
  return number;
}

void PutNumber(uint64_t number, std::string& text) {
  if (number != 0) text = std::to_string(number);
}

std::string TimeText(uint32_t seconds) {
  return base::FormatTime(base::WallTime(std::chrono::seconds(seconds)));
}

// 0: not taken.
uint32_t TakeTime(std::string& text) {
  if (text.empty()) return 0;
  const auto time = base::ParseTime(text);
  if (!time) return 0;
  const auto seconds = static_cast<uint32_t>(time->time_since_epoch() / std::chrono::seconds(1));
  if (seconds == 0 || TimeText(seconds) != text) return 0;
  text.clear();
  return seconds;
}

void PutTime(uint32_t seconds, std::string& text) {
  if (seconds != 0) text = TimeText(seconds);
}

PackedTimes TakeTimes(std::vector<kclient::Condition>& conditions) {
  PackedTimes times{};
  for (size_t i = 0; i < times.size() && i < conditions.size(); ++i) {
    times[i] = TakeTime(conditions[i].last_transition_time);
  }
  return times;
}

void PutTimes(const PackedTimes& times, std::vector<kclient::Condition>& conditions) {
  for (size_t i = 0; i < times.size() && i < conditions.size(); ++i) {
    PutTime(times[i], conditions[i].last_transition_time);
  }
}

PackedMeta TakeMeta(kclient::ObjectMeta& meta) {
  meta.name.clear();
  meta.ns.clear();
  return {kclient::Uid(std::exchange(meta.uid, {})), TakeNumber(meta.resource_version),
          TakeTime(meta.creation_timestamp)};
}

void PutMeta(const PackedMeta& packed, std::string_view key, kclient::ObjectMeta& meta) {
  const size_t slash = key.find('/');
  if (slash != std::string_view::npos) meta.ns = key.substr(0, slash);
  meta.name = key.substr(slash + 1);  // npos + 1 is 0
  meta.uid = packed.uid.text();
  PutNumber(packed.resource_version, meta.resource_version);
  PutTime(packed.created, meta.creation_timestamp);
}

}  // namespace

PackedPod::PackedPod(kclient::Pod pod)
    : meta_(TakeMeta(pod.meta)),
      node_(TakeSymbol(pod.node_name)),
      labels_(std::exchange(pod.meta.labels, {})),
      rest_(std::move(pod)) {}

kclient::Pod PackedPod::Unpack(std::string_view key) const {
  kclient::Pod pod = *rest_;
  pod.meta.labels = *labels_;
  PutMeta(meta_, key, pod.meta);
  PutSymbol(node_, pod.node_name);
  return pod;
}

PackedPartition::PackedPartition(crds::VdcuPartition partition) {
  PackPodRef(partition);
  meta_ = TakeMeta(partition.meta);
  PackNodeLabel(partition);
  if (auto& assignment = partition.spec.assignment) {
    node_ = TakeSymbol(assignment->node);
    device_ = TakeSymbol(assignment->device);
    pci_bus_id_ = TakeSymbol(assignment->pci_bus_id);
    units_ = std::exchange(assignment->units, {});
    if (assignment->vdev) vdev_ = std::exchange(*assignment->vdev, 0);
  }
  times_ = TakeTimes(partition.status.conditions);
  vdev_file_ = TakeSymbol(partition.status.vdev_file);
  rest_ = base::Interned(std::move(partition));
}

void PackedPartition::PackNodeLabel(crds::VdcuPartition& partition) {
  const auto label = partition.meta.labels.find(crds::kNodeLabel);
  node_label_ = partition.assigned() && label != partition.meta.labels.end() &&
                label->second == crds::NodeLabel(partition.spec.assignment->node);
  if (node_label_) partition.meta.labels.erase(label);
}

void PackedPartition::PackPodRef(crds::VdcuPartition& partition) {
  auto& ref = partition.spec.pod_ref;
  if (!ref) return;
  auto& owners = partition.meta.owner_references;
  owned_by_pod_ = owners.size() == 1 && owners[0].name == ref->name && owners[0].uid == ref->uid;
  if (owned_by_pod_) {
    owners[0].name.clear();
    owners[0].uid.clear();
  }
  // The pod's own key, so that its text is shared with the pod.
  pod_ = base::Symbol(partition.meta.ns + "/" + std::exchange(ref->name, {}));
  pod_uid_ = kclient::Uid(std::exchange(ref->uid, {}));
}

void PackedPartition::UnpackPodRef(crds::VdcuPartition& partition) const {
  auto& ref = partition.spec.pod_ref;
  if (!ref) return;
  ref->name = pod_.view().substr(partition.meta.ns.size() + 1);
  ref->uid = pod_uid_.text();
  if (!owned_by_pod_) return;
  partition.meta.owner_references[0].name = ref->name;
  partition.meta.owner_references[0].uid = ref->uid;
}

crds::VdcuPartition PackedPartition::Unpack(std::string_view key) const {
  crds::VdcuPartition partition = *rest_;
  PutMeta(meta_, key, partition.meta);
  UnpackPodRef(partition);
  if (auto& assignment = partition.spec.assignment) {
    PutSymbol(node_, assignment->node);
    PutSymbol(device_, assignment->device);
    PutSymbol(pci_bus_id_, assignment->pci_bus_id);
    assignment->units = units_;
    if (assignment->vdev) assignment->vdev = vdev_;
    if (node_label_) {
      partition.meta.labels.emplace(crds::kNodeLabel, crds::NodeLabel(assignment->node));
    }
  }
  PutTimes(times_, partition.status.conditions);
  PutSymbol(vdev_file_, partition.status.vdev_file);
  return partition;
}

PackedDcuNode::PackedDcuNode(crds::DcuNode node) {
  meta_ = TakeMeta(node.meta);
  times_ = TakeTimes(node.status.conditions);
  serving_since_ = TakeTime(node.status.serving_since);
  devices_.reserve(node.status.devices.size());
  for (dcu::Device& device : node.status.devices) devices_.push_back(TakeSymbol(device.uuid));
  rest_ = base::Interned(std::move(node));
}

crds::DcuNode PackedDcuNode::Unpack(std::string_view name) const {
  crds::DcuNode node = *rest_;
  PutMeta(meta_, name, node.meta);
  PutTimes(times_, node.status.conditions);
  PutTime(serving_since_, node.status.serving_since);
  for (size_t i = 0; i < devices_.size(); ++i) PutSymbol(devices_[i], node.status.devices[i].uuid);
  return node;
}

PackedNode::PackedNode(kclient::Node node) {
  const auto host = node.meta.labels.find(kHostname);
  named_as_host_ = host != node.meta.labels.end() && host->second == node.meta.name;
  if (named_as_host_) host->second.clear();
  meta_ = TakeMeta(node.meta);
  ready_changed_ = TakeTime(node.ready_changed);
  rest_ = base::Interned(std::move(node));
}

kclient::Node PackedNode::Unpack(std::string_view name) const {
  kclient::Node node = *rest_;
  PutMeta(meta_, name, node.meta);
  PutTime(ready_changed_, node.ready_changed);
  if (named_as_host_) node.meta.labels.find(kHostname)->second = node.meta.name;
  return node;
}

std::optional<std::string_view> PackedNode::Label(std::string_view key,
                                                  std::string_view name) const {
  const auto found = rest_->meta.labels.find(key);
  if (found == rest_->meta.labels.end()) return std::nullopt;
  return named_as_host_ && key == kHostname ? name : std::string_view(found->second);
}

kclient::Labels PackedNode::UnpackLabels(std::string_view name) const {
  kclient::Labels labels = rest_->meta.labels;
  if (named_as_host_) labels.find(kHostname)->second = name;
  return labels;
}

}  // namespace vdcu::reconcilers
