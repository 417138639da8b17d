// What must hold of the daemons in the simulation, by what is on their disks: of each write that
// one sends, and of the containers that run with what it gave them.
#include "crds/keys.h"
#include "tests/simulation/simulated_objects.h"
#include "tests/simulation/simulation.h"

namespace vdcu::simulation {

using Json = SimulatedApi::Json;
using Write = SimulatedApi::Write;

namespace {

// The condition of that type; null: there is none.
Json FindCondition(const Json& object, std::string_view type) {
  for (const Json& condition : object.value("/status/conditions"_json_pointer, Json::array())) {
    if (condition["type"] == type) return condition;
  }
  return {};
}

bool IsTrue(const Json& condition) {
  return condition.is_object() && condition["status"] == "True";
}

}  // namespace

std::string Simulation::WhyWronglySentByDaemon(const Write& write) {
  const SimulatedNode& node = NodeOf(write.sender);
  if (write.kind == "dcunodes") {
    if (write.key != node.name()) return node.name() + " writes another's DCUNode";
    return write.subresource.empty() ? "" : WhyWronglyPublished(write, node);
  }
  if (write.kind != "vdcupartitions" || write.method != "PATCH") return "not the daemon's to write";
  if (write.subresource.empty()) return WhyWronglyLifted(write, node);
  const bool prepared = IsTrue(FindCondition(write.body, crds::kPrepared));
  return prepared ? WhyWronglyPrepared(write, node) : "";
}

// With all that containers run with and no object names, as far as it has been shown. It ends no
// doubt that stands with reason.
std::string Simulation::WhyWronglyPublished(const Write& write, const SimulatedNode& node) {
  const auto& shown = api_.Shown("dcunodes", node.name());
  const auto before = shown.find(node.name());
  const Json said = before == shown.end() ? Json() : FindCondition(before->second, crds::kReady);
  if (IsTrue(FindCondition(write.body, crds::kReady)) && !IsTrue(said)) {
    if (!node.kubelet().serves()) return "Ready though its kubelet gives out nothing";
    if (Text(said, "/reason") == crds::kNodeNotReady) return "Ready over NodeNotReady";
  }
  std::map<std::string, dcu::Assignment> lost;
  for (const auto& [pod, slices] : node.kubelet().running()) {
    lost.insert(slices.begin(), slices.end());
  }
  for (const auto& partition :
       DecodeAll<crds::VdcuPartition>(api_.Shown("vdcupartitions", node.name()))) {
    const auto found = lost.find(partition->meta.uid);
    const bool names =
        found != lost.end() && partition->holds() && partition->spec.assignment == found->second;
    if (names) lost.erase(found);
  }
  for (const Json& slice : write.body["status"].value("held", Json::array())) {
    lost.erase(Text(slice, "/partitionUID"));
  }
  return lost.empty() ? "" : node.name() + " does not say that it holds " + lost.begin()->first;
}

// The files are there before anybody is told of them.
std::string Simulation::WhyWronglyPrepared(const Write& write, const SimulatedNode& node) {
  const std::string uid = Text(write.body, "/metadata/uid");
  const auto held = node.held();
  const auto slice = held.find(uid);
  if (slice == held.end()) return "said to be prepared and not held by " + node.name();
  const std::string why = node.WhyNotOnDisk(uid, slice->second);
  if (!why.empty()) return "said to be prepared by " + node.name() + ": " + why;
  const Json* object = api_.Find(write.kind, write.key);
  const bool current = object != nullptr && Text(*object, "/metadata/resourceVersion") ==
                                                Text(write.body, "/metadata/resourceVersion");
  if (!current) return "";  // it will be refused
  const auto partition = Decode<crds::VdcuPartition>(*object);
  const bool same = partition->spec.assignment == slice->second;
  return same ? "" : "said to be prepared though " + node.name() + " holds another slice for it";
}

// Nothing is left of it, and nobody runs with it.
std::string Simulation::WhyWronglyLifted(const Write& write, const SimulatedNode& node) {
  const Json finalizers = write.body["metadata"].value("finalizers", Json());
  if (!finalizers.is_array()) return "not the daemon's to write";
  const std::string uid = Text(write.body, "/metadata/uid");
  if (node.held().contains(uid)) return "let go though " + node.name() + " holds it";
  for (const auto& [pod, slices] : node.kubelet().running()) {
    if (slices.contains(uid)) return "let go while processes of " + pod + " have it";
  }
  return "";
}

std::string Simulation::WhyRunsWithoutSlices(const SimulatedNode& node,
                                             const SimulatedKubelet::Assignments& held) {
  for (const auto& [pod, slices] : node.kubelet().running()) {
    for (const auto& [uid, slice] : slices) {
      const auto found = held.find(uid);
      if (found == held.end() || found->second != slice) {
        return "processes of " + pod + " have what " + node.name() + " does not hold: " + uid;
      }
    }
  }
  return "";
}

}  // namespace vdcu::simulation
