#include "tests/reconcilers/simulated_node.h"

#include "crds/dcunode.h"
#include "crds/keys.h"
#include "tests/builders/builders.h"
#include "tests/reconcilers/simulated_objects.h"

namespace vdcu::reconcilers {

using Json = SimulatedApi::Json;

namespace {

Json Condition(std::string_view type, bool status, const std::string& reason, int64_t generation) {
  return {{"type", type},
          {"status", status ? "True" : "False"},
          {"reason", reason},
          {"message", reason},
          {"observedGeneration", generation}};
}

}  // namespace

std::string Overlap(const dcu::Assignment& a, const dcu::Assignment& b) {
  if (a.node != b.node) return "";
  if (a.vdev && a.vdev == b.vdev) return "vdev " + std::to_string(*a.vdev);
  if (a.device != b.device) return "";
  if (a.whole_card() || b.whole_card()) return "a whole card";
  if ((a.units & b.units) != dcu::CuMask()) return "compute units";
  return a.pipe == b.pipe ? "pipe" : "";
}

std::string WhyOverbooked(const std::vector<dcu::Assignment>& slices) {
  std::map<std::string, int64_t> memory;
  for (size_t i = 0; i < slices.size(); ++i) {
    const dcu::Assignment& slice = slices[i];
    memory[slice.device] += slice.memory.value;
    if ((slice.units & ~dcu::CuMask::FirstUnits(60)) != dcu::CuMask()) return "units past the card";
    if (memory[slice.device] > SimulatedNode::kCardMemory) return slice.device + ": memory twice";
    for (size_t j = 0; j < i; ++j) {
      const std::string why = Overlap(slice, slices[j]);
      if (!why.empty()) return slice.device + " of " + slice.node + ": twice: " + why;
    }
  }
  return "";
}

bool Runs(SimulatedApi& api, const std::string& pod_uid, const std::string& node) {
  for (const auto& [key, pod] : api.All("pods")) {
    if (pod["metadata"]["uid"] != pod_uid) continue;
    const std::string bound = pod["spec"].value("nodeName", "");
    const std::string phase = pod["status"].value("phase", "");
    return !bound.empty() && (node.empty() || bound == node) && phase != "Succeeded";
  }
  return false;
}

std::vector<crds::VdcuPartition> Partitions(SimulatedApi& api) {
  std::vector<crds::VdcuPartition> partitions;
  for (const auto& partition : DecodeAll<crds::VdcuPartition>(api.All("vdcupartitions"))) {
    partitions.push_back(*partition);
  }
  return partitions;
}

SimulatedNode::SimulatedNode(SimulatedApi& api, std::string name, int cards, bool kubelet)
    : api_(api), name_(std::move(name)), cards_(cards), kubelet_(kubelet) {
  Json object = {{"metadata", {{"name", name_}}}, {"spec", Json::object()}};
  api_.Create("dcunodes", object);
  Publish({});
  Return();
}

void SimulatedNode::Remove() {
  there_ = false;
  api_.Delete("nodes", name_);
}

void SimulatedNode::Return() {
  there_ = true;
  ready_ = "True";
  cordoned_ = false;
  out_of_service_ = false;
  api_.Create("nodes", {{"metadata", {{"name", name_}}},
                        {"spec", Json::object()},
                        {"status",
                         {{"allocatable",
                           {{"cpu", "8"},
                            {"memory", "64Gi"},
                            {"pods", "20"},
                            {"hygon.com/dcunum", std::to_string(4 * cards_)}}},
                          {"conditions", {{{"type", "Ready"}, {"status", "True"}}}}}}});
}

void SimulatedNode::SetReady(const std::string& status) {
  if (!there_ || status == ready_) return;
  ready_ = status;
  out_of_service_ = false;
  seen_ = -1;
  api_.Change("nodes", name_, [&](Json& node) {
    node["status"]["conditions"] = {
        {{"type", "Ready"},
         {"status", status},
         {"lastTransitionTime", base::FormatTime(api_.clock().Wall())}}};
  });
}

void SimulatedNode::SetCordoned(bool cordoned) {
  if (!there_ || cordoned == cordoned_) return;
  cordoned_ = cordoned;
  api_.Change("nodes", name_, [&](Json& node) { node["spec"]["unschedulable"] = cordoned; });
}

void SimulatedNode::SetOutOfService() {
  if (!there_ || ready_ == "True") return;
  out_of_service_ = true;
  Taint();
  const auto pods = api_.All("pods");
  for (const auto& [key, pod] : pods) {
    if (pod["spec"].value("nodeName", "") != name_) continue;
    api_.Delete("pods", key);
    if (!api_.Find("pods", key)) continue;
    api_.Change("pods", key, [](Json& p) { p["metadata"]["finalizers"] = Json::array(); });
  }
}

void SimulatedNode::Taint() {
  if (!there_) return;
  Json taints = Json::array();
  const auto add = [&](const std::string& key, const char* effect) {
    taints.push_back({{"key", "node.kubernetes.io/" + key}, {"effect", effect}});
  };
  if (ready_ != "True") {
    for (const char* effect : {"NoSchedule", "NoExecute"}) {
      add(ready_ == "False" ? "not-ready" : "unreachable", effect);
    }
  }
  if (cordoned_) add("unschedulable", "NoSchedule");
  if (out_of_service_) add("out-of-service", "NoExecute");
  api_.Change("nodes", name_, [&](Json& node) { node["spec"]["taints"] = taints; });
}

void SimulatedNode::Offer() {
  if (!there_ || !kubelet_ || ready_ == "Unknown") return;
  const std::string slots = std::to_string(up_ ? 4 * cards_ : 0);
  api_.Change("nodes", name_,
              [&](Json& node) { node["status"]["allocatable"]["hygon.com/dcunum"] = slots; });
}

void SimulatedNode::SetUp(bool up) {
  if (up && !up_) serving_since_ = base::FormatTime(api_.clock().Wall());
  up_ = up;
}

void SimulatedNode::Publish(const std::vector<crds::VdcuPartition>& partitions) {
  auto builder = builders::MakeDcuNode(name_).Cards(cards_);
  for (const int card : sick_) builder.Sick(card, "DriverUnbound");
  crds::DcuNodeStatus status = builder.Obj()->status;
  for (auto& device : status.devices) device.memory = dcu::MiB{kCardMemory};
  // What is held though no object says so: it is gone, or names another slice by now.
  std::map<std::string, dcu::Assignment> lost = held_;
  for (const auto& partition : partitions) {
    const auto named = lost.find(partition.meta.uid);
    const bool names =
        named != lost.end() && partition.holds() && partition.spec.assignment == named->second;
    if (names) lost.erase(named);
  }
  for (const auto& [uid, assignment] : lost) status.held.push_back({uid, assignment, "", ""});
  if (kubelet_) status.heartbeat = crds::Heartbeat::kKubelet;
  status.serving_since = serving_since_;
  api_.Change("dcunodes", name_, [&](Json& object) {
    const Json before = object.value("status", Json::object());
    const bool of_node = Text(before, "/conditions/0/reason") == crds::kNodeNotReady;
    object["status"] = crds::ToJson(status);
    if (of_node) object["status"]["conditions"] = before["conditions"];
  });
}

void SimulatedNode::SetSick(int card, bool sick) {
  seen_ = -1;
  if (sick) {
    sick_.insert(card);
  } else {
    sick_.erase(card);
  }
}

void SimulatedNode::SetMood(double chance, double linger) {
  mood_ = chance;
  linger_ = linger;
  if (chance > 0) return;
  ignored_.clear();
  seen_ = -1;
}

void SimulatedNode::Step(const std::function<double()>& draw) {
  if (!works()) return;
  worked_at_ = api_.clock().Now();
  if (api_.version() == seen_) return;
  const auto partitions = Partitions(api_);
  LetGo(partitions, draw);
  for (const auto& partition : partitions) {
    const auto& assignment = partition.spec.assignment;
    if (assignment && assignment->node == name_ && !partition.meta.deleting()) {
      Admit(partition, draw);
    }
  }
  Publish(partitions);
  seen_ = linger_ > 0 ? -1 : api_.version();
}

void SimulatedNode::LetGo(const std::vector<crds::VdcuPartition>& partitions,
                          const std::function<double()>& draw) {
  std::map<std::string, const crds::VdcuPartition*> by_uid;
  for (const auto& partition : partitions) by_uid[partition.meta.uid] = &partition;
  std::erase_if(held_, [&](const auto& held) {
    const auto found = by_uid.find(held.first);
    const bool stands = found != by_uid.end() && !found->second->meta.deleting() &&
                        found->second->spec.assignment == held.second;
    const bool used =
        found != by_uid.end() ? InUse(*found->second) : Runs(api_, users_[held.first], name_);
    return !stands && !used && (linger_ == 0 || draw() >= linger_);
  });
  for (const auto& partition : partitions) {
    const auto& assignment = partition.spec.assignment;
    const bool mine = assignment && assignment->node == name_ && partition.meta.deleting();
    if (!mine || held_.contains(partition.meta.uid) || InUse(partition)) continue;
    api_.Change("vdcupartitions", partition.meta.key(), [](Json& object) {
      std::erase(object["metadata"]["finalizers"].get_ref<Json::array_t&>(), crds::kFinalizer);
    });
  }
}

void SimulatedNode::Admit(const crds::VdcuPartition& partition,
                          const std::function<double()>& draw) {
  const std::string& uid = partition.meta.uid;
  if (ignored_.contains(uid)) return;
  const auto refusal = [&]() -> std::string {
    const auto held = held_.find(uid);
    if (held != held_.end()) {
      return held->second == *partition.spec.assignment ? "" : "HoldsAnother";
    }
    int64_t memory = partition.spec.assignment->memory.value;
    for (const auto& [other, slice] : held_) {
      if (!Overlap(slice, *partition.spec.assignment).empty()) return "Overlaps";
      if (slice.device == partition.spec.assignment->device) memory += slice.memory.value;
    }
    if (memory > kCardMemory) return "TooMuchMemory";
    const auto* said = kclient::FindCondition(partition.status.conditions, crds::kPrepared);
    const bool refused = said != nullptr && said->status == "False" &&
                         said->observed_generation == partition.meta.generation;
    if (refused || draw() < mood_) return "OutOfSorts";
    return "";
  }();
  if (refusal.empty() && !held_.contains(uid)) {
    if (draw() < mood_) {
      ignored_.insert(uid);
      return;
    }
    held_[uid] = *partition.spec.assignment;
  }
  Report(partition, refusal);
}

void SimulatedNode::Report(const crds::VdcuPartition& partition, const std::string& refusal) {
  const int64_t generation = partition.meta.generation;
  const bool prepared = refusal.empty();
  bool healthy = true;
  for (const int card : sick_) {
    const std::string device = "DCU-" + name_ + "-" + std::to_string(card);
    healthy = healthy && partition.spec.assignment->device != device;
  }
  const std::string user = UserOf(partition);
  if (prepared) {
    users_[partition.meta.uid] = partition.spec.pod_ref ? partition.spec.pod_ref->uid : user;
  }
  api_.Change("vdcupartitions", partition.meta.key(), [&](Json& object) {
    Json& status = object["status"];
    status["conditions"] = {Condition("Prepared", prepared, prepared ? "Is" : refusal, generation),
                            Condition("Ready", prepared && healthy, "Is", generation)};
    status.erase("usedBy");
    if (!user.empty()) status["usedBy"] = {{"name", "x"}, {"uid", user}, {"container", "main"}};
  });
}

// The pod that was bound for a reserved partition and runs here; who holds it already comes first.
std::string SimulatedNode::UserOf(const crds::VdcuPartition& partition) const {
  if (partition.spec.pod_ref) return "";
  std::string user;
  for (const auto& [key, pod] : api_.All("pods")) {
    const std::string uid = pod["metadata"]["uid"];
    if (NamedBy(pod) != partition.meta.name || !Runs(api_, uid, name_)) continue;
    const auto& holder = partition.status.used_by;
    if (user.empty() || (holder && holder->uid == uid)) user = uid;
  }
  return user;
}

bool SimulatedNode::InUse(const crds::VdcuPartition& partition) const {
  const std::string user = partition.spec.pod_ref ? partition.spec.pod_ref->uid : UserOf(partition);
  return !user.empty() && Runs(api_, user, name_);
}

}  // namespace vdcu::reconcilers
