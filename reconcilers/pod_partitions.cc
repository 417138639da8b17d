#include "reconcilers/pod_partitions.h"

#include <utility>

#include "crds/keys.h"
#include "crds/resources.h"
#include "reconcilers/hami.h"

namespace vdcu::reconcilers {

std::vector<NeededPartition> NeededPartitions(const kclient::Pod& pod,
                                              const crds::PodRequest& request) {
  std::vector<NeededPartition> needed;
  for (const crds::ContainerRequest& container : request.containers) {
    for (int card = 0; card < container.cards; ++card) {
      needed.push_back({crds::PartitionName(pod.meta.name, pod.meta.uid, container.container, card),
                        container.container, container.slice});
    }
  }
  return needed;
}

crds::VdcuPartition MakePartition(const kclient::Pod& pod, const NeededPartition& needed,
                                  const dcu::Assignment& assignment) {
  crds::VdcuPartition partition;
  partition.meta.name = needed.name;
  partition.meta.ns = pod.meta.ns;
  partition.meta.labels.emplace(crds::kNodeLabel, crds::NodeLabel(assignment.node));
  partition.meta.finalizers = {std::string(crds::kFinalizer)};
  partition.meta.owner_references = {{"v1", "Pod", pod.meta.name, pod.meta.uid, true}};
  partition.spec.request = needed.slice;
  partition.spec.pod_ref = crds::PodRef{pod.meta.name, pod.meta.uid, needed.container};
  partition.spec.assignment = assignment;
  return partition;
}

PlannedWrite CreatePartition(const crds::VdcuPartition& partition) {
  return {kclient::MakeCreate(crds::kVdcuPartitions, partition.meta.ns, partition.meta.name,
                              crds::ToJson(partition)),
          AssumeCreated{partition}};
}

PlannedWrite DeletePartition(const crds::VdcuPartition& partition) {
  return {kclient::MakeDelete(crds::kVdcuPartitions, partition.meta.ns, partition.meta.name,
                              partition.meta.uid, partition.meta.resource_version),
          AssumeWritten{partition.meta.key(), partition.meta.resource_version}};
}

Plan BindPod(const View& view, const kclient::Pod& pod, const std::string& node,
             const std::string& partition, const Instant& at) {
  kclient::Labels annotations = HamiAnnotationsOf(view, pod, partition, at);
  if (!partition.empty()) {
    annotations.emplace(crds::kBoundPartitionAnnotation,
                        crds::BoundPartitionText(partition, pod.meta.uid));
  }
  Plan plan;
  plan.writes.push_back(
      {kclient::MakeBind(pod.meta.ns, pod.meta.name, pod.meta.uid, node, annotations),
       AssumeBound{pod.meta.key(), pod.meta.uid, node, partition}});
  plan.events.push_back(PodEvent(pod, kclient::EventType::kNormal, "Scheduled", "Binding",
                                 "Successfully assigned " + pod.meta.key() + " to " + node));
  return plan;
}

kclient::Event PodEvent(const kclient::Pod& pod, kclient::EventType type, std::string reason,
                        std::string action, std::string note) {
  return {{"v1", "Pod", pod.meta.ns, pod.meta.name, pod.meta.uid},
          type,
          std::move(reason),
          std::move(action),
          std::move(note)};
}

PlannedWrite ReportUnscheduled(const kclient::Pod& pod, std::string_view reason,
                               const std::string& message, std::string_view now) {
  nlohmann::json condition = {
      {"type", "PodScheduled"}, {"status", "False"}, {"reason", reason}, {"message", message}};
  // The time of the change is that of the status, not of the message.
  if (pod.scheduling->scheduled.status != "False") condition["lastTransitionTime"] = now;
  nlohmann::json patch = {{"status", {{"conditions", nlohmann::json::array({condition})}}}};
  return {kclient::MakeStrategicPatch(kclient::kPods, pod.meta.ns, pod.meta.name, "status",
                                      std::move(patch), pod.meta.uid),
          AssumeReported{pod.meta.key(), pod.meta.uid, message}};
}

}  // namespace vdcu::reconcilers
