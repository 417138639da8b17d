// What must hold of each write of the controller in the simulation, by what its sender had been
// shown: a fault in what it counts is found even where nothing comes of it.
#include <algorithm>

#include "crds/keys.h"
#include "tests/simulation/simulated_objects.h"
#include "tests/simulation/simulation.h"

namespace vdcu::simulation {

using Json = SimulatedApi::Json;
using JsonObjects = std::map<std::string, Json>;
using Write = SimulatedApi::Write;

namespace {

constexpr char kTaints[] = "node.kubernetes.io/";

bool HasTaint(const Json& node, const std::string& name) {
  const Json taints = node["spec"].value("taints", Json::array());
  return std::any_of(taints.begin(), taints.end(),
                     [&](const Json& taint) { return taint["key"] == kTaints + name; });
}

// Nothing new goes there; no pod here tolerates a taint.
std::string WhyUnfit(const JsonObjects& nodes, const std::string& name) {
  const auto found = nodes.find(name);
  if (found == nodes.end()) return name + " is not there";
  if (found->second["spec"].value("unschedulable", false)) return name + " is cordoned";
  for (const char* taint : {"not-ready", "unreachable", "out-of-service"}) {
    if (HasTaint(found->second, taint)) return name + " is " + taint;
  }
  return "";
}

bool IsTrue(const Json& object, const std::string& type) {
  const Json conditions = object.value("/status/conditions"_json_pointer, Json::array());
  return std::any_of(conditions.begin(), conditions.end(), [&](const Json& condition) {
    return condition["type"] == type && condition["status"] == "True" &&
           condition.value("observedGeneration", 0) == object["metadata"]["generation"];
  });
}

// Whether a process of the pod may run, or may soon.
bool MayRun(const Json& pod) {
  return Text(pod, "/status/phase") != "Succeeded" && !Text(pod, "/spec/nodeName").empty();
}

bool Concerns(const Json& pod, const crds::VdcuPartition& partition) {
  const std::string uid = pod["metadata"]["uid"];
  const auto is = [&](const std::optional<crds::PodRef>& ref) { return ref && ref->uid == uid; };
  return is(partition.spec.pod_ref) || is(partition.status.used_by) ||
         NamedBy(pod) == partition.meta.name;
}

// The pod as the binding that is on its way makes it.
Json AsBound(const Json& pod, const std::map<std::string, Write>& unshown) {
  Json bound = pod;
  for (const auto& [identity, write] : unshown) {
    const bool binds =
        write.subresource == "binding" && write.body["metadata"]["uid"] == pod["metadata"]["uid"];
    if (!binds) continue;
    bound["spec"]["nodeName"] = write.body["target"]["name"];
    const Json annotations = write.body["metadata"].value("annotations", Json::object());
    bound["metadata"]["annotations"].update(annotations);
  }
  return bound;
}

bool MayBeUsed(SimulatedApi& api, const crds::VdcuPartition& partition) {
  const JsonObjects& pods = api.Shown("pods");
  return std::any_of(pods.begin(), pods.end(), [&](const auto& item) {
    const Json pod = AsBound(item.second, api.unshown());
    return Concerns(pod, partition) && MayRun(pod);
  });
}

// The one that the partition was made for, if it waits for a node; else null.
const Json* WaitingPod(const JsonObjects& pods, const crds::VdcuPartition& partition) {
  const auto pod = pods.find(partition.meta.ns + "/" + partition.spec.pod_ref->name);
  if (pod == pods.end()) return nullptr;
  const Json& meta = pod->second["metadata"];
  const bool waits = meta["uid"] == partition.spec.pod_ref->uid &&
                     !meta.contains("deletionTimestamp") &&
                     Text(pod->second, "/spec/nodeName").empty();
  return waits ? &pod->second : nullptr;
}

// The pod that it is made for has come to that node without having passed us, or another scheduler
// has asked for it there: who may go where is that one's to know.
bool IsOfArrived(const JsonObjects& pods, const Write& write, const std::string& node) {
  return std::any_of(pods.begin(), pods.end(), [&](const auto& item) {
    return Text(item.second, "/metadata/uid") == Text(write.body, "/spec/podRef/uid") &&
           (Text(item.second, "/spec/nodeName") == node || !IsOurs(item.second));
  });
}

std::optional<dcu::Assignment> Granted(SimulatedApi& api, const Write& write) {
  Json object = write.body;
  if (write.method == "PATCH") {
    const auto shown = api.Shown(write.kind).find(write.key);
    if (shown == api.Shown(write.kind).end()) return {};
    object = shown->second;
    object.merge_patch(write.body);
  }
  const auto partition = Decode<crds::VdcuPartition>(object);
  return partition ? partition->spec.assignment : std::nullopt;
}

// What the controller may not give to another, by partition's key (or UID, where no object says
// it).
std::map<std::string, dcu::Assignment> Taken(SimulatedApi& api,
                                             const std::vector<crds::HeldSlice>& held) {
  std::map<std::string, dcu::Assignment> taken;
  for (const crds::HeldSlice& slice : held) taken[slice.partition_uid] = slice.assignment;
  for (const auto& other : DecodeAll<crds::VdcuPartition>(api.Shown("vdcupartitions"))) {
    if (other->assigned() && !other->holds()) continue;
    taken.erase(other->meta.uid);
    if (other->assigned()) taken[other->meta.key()] = *other->spec.assignment;
  }
  for (const auto& [identity, write] : api.unshown()) {
    if (write.kind != "vdcupartitions" || !Grants(write.body)) continue;
    if (const auto sent = Granted(api, write)) taken[write.key] = *sent;
  }
  return taken;
}

// A daemon keeps a slice for the pod that no partition names any more.
bool HoldsLost(SimulatedApi& api, const Json& pod) {
  const auto nodes = DecodeAll<crds::DcuNode>(api.Shown("dcunodes"));
  return std::any_of(nodes.begin(), nodes.end(), [&](const auto& node) {
    const auto& held = node->status.held;
    return std::any_of(held.begin(), held.end(), [&](const crds::HeldSlice& slice) {
      return slice.pod_uid == Text(pod, "/metadata/uid");
    });
  });
}

// A lease does not fence: what is written must be what was seen.
std::string WhyUnfenced(const Write& write) {
  const bool binds = write.subresource == "binding";
  if (write.subresource == "eviction") {
    const std::string uid = Text(write.body, "/deleteOptions/preconditions/uid");
    return uid.empty() ? "without a UID as precondition" : "";
  }
  if (write.method == "POST" && !binds) return "";  // its name does
  const Json& wants = write.body[write.method == "DELETE" ? "preconditions" : "metadata"];
  if (Text(wants, "/uid").empty()) return "without a UID as precondition";
  const bool versioned = write.kind == "pods" || !Text(wants, "/resourceVersion").empty();
  return versioned ? "" : "without a resourceVersion as precondition";
}

}  // namespace

std::string Simulation::WhyWronglySent(const Write& write) {
  if (std::string why = WhyUnfenced(write); !why.empty()) return why;
  if (write.sender != SimulatedApi::kController) return WhyWronglySentByDaemon(write);
  if (write.subresource == "binding") {
    return WhyWronglyBound(write.key, Text(write.body, "/target/name"));
  }
  if (write.subresource == "eviction") return WhyWronglyEvicted(write);
  if (write.kind == "dcunodes") return WhyWronglyDoubted(write);
  const bool spec = write.kind == "vdcupartitions" && write.subresource.empty();
  if (!spec) return "";
  if (write.method == "DELETE") {
    NoteWithdrawal(write.key);
    NoteSilence(write.key);
    return "";
  }
  return Grants(write.body) ? WhyWronglyGranted(write) : WhyWronglyLetGo(write);
}

// For one that waits, is more important, and may have others evicted; of those that have slices of
// their own and are not going already.
std::string Simulation::WhyWronglyEvicted(const Write& write) {
  if (!settings_.preemption) return "nobody is evicted";
  const auto found = api_.Shown("pods").find(write.key);
  if (found == api_.Shown("pods").end()) return "it is not shown";
  const Json& victim = found->second;
  if (Text(victim, "/spec/nodeName").empty()) return "it is not bound";
  if (victim["metadata"].contains("deletionTimestamp")) return "it goes already";
  const auto& partitions = api_.Shown("vdcupartitions");
  const bool has_slices = std::any_of(partitions.begin(), partitions.end(), [&](const auto& item) {
    return Text(item.second, "/spec/podRef/uid") == Text(victim, "/metadata/uid");
  });
  if (!has_slices && !HoldsLost(api_, victim) && !NamedBy(victim).empty()) {
    return "it has no slices of its own";
  }
  for (const auto& [key, pod] : api_.Shown("pods")) {
    const bool waits = Text(pod, "/spec/nodeName").empty() && NamedBy(pod).empty();
    const bool may = Text(pod, "/spec/preemptionPolicy") != "Never";
    if (waits && may && pod["spec"]["priority"] > victim["spec"]["priority"]) return "";
  }
  return "for nobody";
}

// It only turns True to Unknown, and not while all that is shown speaks for the daemon.
std::string Simulation::WhyWronglyDoubted(const Write& write) {
  const Json& said = write.body["status"]["conditions"][0];
  if (write.subresource != "status" || write.body["status"].size() != 1) return "more than a doubt";
  if (said["status"] != "Unknown") return "speaks for the daemon";
  const auto node = api_.Shown("nodes").find(write.key);
  const bool there = node != api_.Shown("nodes").end();
  const bool ready = there && node->second["status"]["conditions"][0]["status"] == "True";
  if (said["reason"] == crds::kNodeNotReady) return ready ? "its node is Ready" : "";
  if (said["reason"] == crds::kAwaitingDaemon) return ready ? "" : "its node is not Ready";
  const bool offers = there && Text(node->second, "/status/allocatable/hygon.com~1dcunum") != "0";
  return offers && !missed_.contains(write.key) ? "its kubelet offers its cards" : "";
}

std::string Simulation::WhyWronglyBound(const std::string& key, const std::string& node) {
  if (const std::string why = WhyUnfit(api_.Shown("nodes"), node); !why.empty()) return why;
  const Json& pod = api_.Shown("pods").at(key);
  if (std::string why = WhyBoundBeforeItsGroup(pod); !why.empty()) return why;
  const std::string uid = pod["metadata"]["uid"];
  const std::string named = NamedBy(pod);
  size_t slices = 0;
  for (const auto& [name, object] : api_.Shown("vdcupartitions")) {
    const bool own = Text(object, "/spec/podRef/uid") == uid;
    if (!own && (named.empty() || object["metadata"]["name"] != named)) continue;
    if (object["metadata"].contains("deletionTimestamp")) return name + " is being deleted";
    if (Text(object, "/spec/assignment/node") != node) return name + " is on another node";
    if (!IsTrue(object, "Ready")) return name + " is not Ready";
    ++slices;
  }
  return slices == SlicesNeeded(pod) ? "" : "bound with " + std::to_string(slices) + " slices";
}

std::string Simulation::WhyWronglyGranted(const Write& write) {
  const auto granted = Granted(api_, write);
  if (!granted) return "of a partition that is not there";
  const dcu::Assignment& slice = *granted;
  const JsonObjects& dcu_nodes = api_.Shown("dcunodes");
  if (!dcu_nodes.contains(slice.node)) return "no cards are known of " + slice.node;
  const auto dcu_node = Decode<crds::DcuNode>(dcu_nodes.at(slice.node));
  // The same text again, of the same resourceVersion: nobody knows what became of it, and nothing
  // is decided anew.
  const bool first = granting_.insert(write.key + write.body.dump()).second;
  const bool again = write.method == "PATCH" && !first;
  if (std::string why = again ? "" : WhyWrongPlace(write, slice, *dcu_node); !why.empty()) {
    return why;
  }
  int64_t memory = slice.memory.value;
  for (const auto& [key, other] : Taken(api_, dcu_node->status.held)) {
    if (key == write.key) continue;
    const std::string why = Overlap(slice, other);
    if (!why.empty()) return "given though " + key + " has it: " + why;
    if (other.device == slice.device) memory += other.memory.value;
  }
  if (memory > SimulatedNode::kCardMemory) return "given more memory than is free";
  Room room;
  room.Add(slice);
  const std::string pod = Text(write.body, "/spec/podRef/uid");
  return WhyNoRoomBesideOffers(slice.node, pod.empty() ? write.key : pod, room);
}

std::string Simulation::WhyWrongPlace(const Write& write, const dcu::Assignment& slice,
                                      const crds::DcuNode& dcu_node) {
  std::string unfit = WhyUnfit(api_.Shown("nodes"), slice.node);
  if (!unfit.empty() && !IsOfArrived(api_.Shown("pods"), write, slice.node)) return unfit;
  if (!dcu_node.ready()) return "nothing is heard of the daemon of " + slice.node;
  for (const dcu::Device& device : dcu_node.status.devices) {
    if (device.uuid == slice.device && !device.healthy) return device.uuid + " is sick";
  }
  return IsSilent(NodeOf(slice.node)) ? "given though the daemon of " + slice.node + " is silent"
                                      : "";
}

// `but_of`: UID of a pod, or key of a partition. What strays have granted is left out, too: it may
// lie over what others have.
Room Simulation::TakenOn(const std::string& node, const std::string& but_of) {
  std::set<std::string> left_out = granted_by_strays_;
  left_out.insert(but_of);
  const auto leave_out = [&](const std::string& key, const Json& object) {
    const std::string uid = Text(object, "/metadata/uid");
    const bool own = Text(object, "/spec/podRef/uid") == but_of;
    if (own || granted_by_strays_.contains(uid)) left_out.insert({key, uid});
  };
  for (const auto& [key, object] : api_.Shown("vdcupartitions")) leave_out(key, object);
  for (const auto& [identity, write] : api_.unshown()) leave_out(write.key, write.body);
  Room taken;
  const auto dcu_node = Decode<crds::DcuNode>(api_.Shown("dcunodes").at(node));
  for (const auto& [name, slice] : Taken(api_, dcu_node->status.held)) {
    if (slice.node == node && !left_out.contains(name)) taken.Add(slice);
  }
  return taken;
}

// The finalizer is the daemon's to lift, but for what it can never tell.
std::string Simulation::WhyWronglyLetGo(const Write& write) {
  const auto partition = Decode<crds::VdcuPartition>(api_.Shown("vdcupartitions").at(write.key));
  if (!partition->assigned()) return "";
  const JsonObjects& nodes = api_.Shown("nodes");
  const auto node = nodes.find(partition->spec.assignment->node);
  const bool gone = node == nodes.end();
  const bool used = MayBeUsed(api_, *partition);
  if (!partition->meta.deleting()) {
    const auto* said = kclient::FindCondition(partition->status.conditions, crds::kPrepared);
    const bool current = said && said->observed_generation >= partition->meta.generation;
    if (used) return "unassigned while a pod may use it";
    if (!current) missed_.insert(partition->spec.assignment->node);
    return gone || !current || said->status == "False" ? "" : "unassigned though it is prepared";
  }
  if (gone || HasTaint(node->second, "out-of-service")) return "";
  if (used) return "let go while a pod may use it";
  const JsonObjects& pods = api_.Shown("pods");
  const bool never_used = std::any_of(pods.begin(), pods.end(), [&](const auto& item) {
    return partition->spec.pod_ref &&
           item.second["metadata"]["uid"] == partition->spec.pod_ref->uid &&
           Text(item.second, "/spec/nodeName").empty();
  });
  if (never_used) return "";
  const Json& ready = node->second["status"]["conditions"][0];
  if (ready["status"] == "True") return "let go though its node is Ready";
  const auto since = base::ParseTime(Text(ready, "/lastTransitionTime"));
  const bool long_ago = since && loop_.clock().Wall() - *since >= settings_.not_ready_grace;
  return long_ago ? "" : "let go though its node was Ready just now";
}

// A waiting pod's slices are withdrawn from where they could be, and where nothing was said of
// them: their daemon has not answered in time. (One that worked just now may be withdrawn for
// another reason.)
void Simulation::NoteSilence(const std::string& key) {
  const JsonObjects& partitions = api_.Shown("vdcupartitions");
  const auto shown = partitions.find(key);
  if (shown == partitions.end()) return;
  const auto partition = Decode<crds::VdcuPartition>(shown->second);
  if (!partition->assigned() || !partition->spec.pod_ref) return;
  if (kclient::FindCondition(partition->status.conditions, crds::kPrepared)) return;
  const Json* pod = WaitingPod(api_.Shown("pods"), *partition);
  const SimulatedNode& node = NodeOf(partition->spec.assignment->node);
  missed_.insert(node.name());
  const base::TimePoint now = loop_.clock().Now();
  if (now - node.worked_at() < settings_.prepare_timeout) return;
  if (!pod || !WhyUnfit(api_.Shown("nodes"), node.name()).empty()) return;
  // Another of its group may be why, or its scheduler.
  if (!GroupOf(*pod).empty() || !IsOurs(*pod)) return;
  if (!NamedBy(*pod).empty()) return;  // it does not ask for slices of its own any more
  const auto slices = std::count_if(partitions.begin(), partitions.end(), [&](const auto& other) {
    return Text(other.second, "/spec/podRef/uid") == partition->spec.pod_ref->uid &&
           Text(other.second, "/spec/assignment/node") == node.name();
  });
  if (static_cast<size_t>(slices) != SlicesNeeded(*pod)) return;
  silent_[node.name()] = {now, Unanswered(node)};
}

// UIDs of the partitions that its daemon has said nothing of, by what is shown.
std::set<std::string> Simulation::Unanswered(const SimulatedNode& node) {
  std::set<std::string> uids;
  for (const auto& partition : DecodeAll<crds::VdcuPartition>(api_.Shown("vdcupartitions"))) {
    const bool here = partition->assigned() && partition->spec.assignment->node == node.name();
    if (here && !kclient::FindCondition(partition->status.conditions, crds::kPrepared)) {
      uids.insert(partition->meta.uid);
    }
  }
  return uids;
}

// An answer may be shown late: it ends the silence, too.
bool Simulation::IsSilent(const SimulatedNode& node) {
  const auto silence = silent_.find(node.name());
  if (silence == silent_.end() || node.worked_at() > silence->second.since) return false;
  std::set<std::string> shown;
  for (const auto& [key, object] : api_.Shown("vdcupartitions")) {
    shown.insert(Text(object, "/metadata/uid"));
  }
  const std::set<std::string> unanswered = Unanswered(node);
  const auto& before = silence->second.unanswered;
  const bool answered = std::any_of(before.begin(), before.end(), [&](const std::string& uid) {
    return shown.contains(uid) && !unanswered.contains(uid);
  });
  return !answered && loop_.clock().Now() < silence->second.since + 2 * settings_.prepare_timeout;
}

}  // namespace vdcu::simulation
