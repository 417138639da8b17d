// What must hold in the simulation: at any time and at rest.
#include <algorithm>

#include "crds/keys.h"
#include "reconcilers/asked.h"
#include "reconcilers/conditions.h"
#include "reconcilers/reconcile.h"
#include "tests/reconcilers/shown.h"
#include "tests/simulation/simulated_objects.h"
#include "tests/simulation/simulation.h"

namespace vdcu::simulation {

using Json = SimulatedApi::Json;

size_t Simulation::held() const {
  size_t held = 0;
  for (const auto& node : nodes_) held += node->held().size();
  return held;
}

// --- at any time ---

std::string Simulation::WhatIsWrong() {
  for (const auto& node : nodes_) {
    const auto held = node->held();
    std::vector<dcu::Assignment> slices;
    for (const auto& [uid, slice] : held) slices.push_back(slice);
    if (const std::string why = WhyOverbooked(slices); !why.empty()) return "held: " + why;
    if (const std::string why = WhyRunsWithoutSlices(*node, held); !why.empty()) return why;
    if (!node->fatal().empty()) return node->name() + " does not start: " + node->fatal();
    if (const std::string why = WhyPromisedTooMuch(*node); !why.empty()) return why;
  }
  if (!api_.faults_found().empty()) return api_.faults_found().front();
  if (!schedulers_.faults_found().empty()) return schedulers_.faults_found().front();
  std::map<std::string, std::string> users;
  for (const auto& [key, pod] : api_.All("pods")) {
    if (NamedBy(pod).empty() || !Runs(api_, pod["metadata"]["uid"], "")) continue;
    const std::string on = NamedBy(pod) + " on " + pod["spec"]["nodeName"].get<std::string>();
    if (!users.emplace(on, key).second) return key + " and " + users[on] + " both have " + on;
  }
  return WhyGrantedTwice();
}

// Of its cpu, to pods that one process has bound there from what it saw: a stray may bind one more.
std::string Simulation::WhyPromisedTooMuch(const SimulatedNode& node) {
  int64_t cpu = 0;  // milli
  for (const auto& pod : DecodeAll<kclient::Pod>(api_.All("pods"))) {
    const bool counts = pod->node_name == node.name() && !pod->terminal() &&
                        !changed_by_others_.contains(pod->meta.uid);
    if (counts && pod->requests.contains("cpu")) cpu += pod->requests.at("cpu");
  }
  return cpu <= 1000 * SimulatedNode::kCpu ? ""
                                           : node.name() + " has promised more cpu than it has";
}

// What a process that is gone had sent comes from what it saw, so it may overlap with what its
// successor grants: that is what the daemon's fence is for. All others stand together.
std::string Simulation::WhyGrantedTwice() {
  std::vector<dcu::Assignment> granted;
  for (const auto& partition : Partitions(api_)) {
    const bool counts = partition.holds() && !granted_by_strays_.contains(partition.meta.uid);
    if (counts) granted.push_back(*partition.spec.assignment);
  }
  const std::string why = WhyOverbooked(granted);
  return why.empty() ? "" : "granted: " + why;
}

std::string Simulation::WhyWronglyStored(const SimulatedApi::Write& write) {
  if (write.sender != SimulatedApi::kController) return "";
  if (write.subresource == "eviction") ++counts_.evicted;
  const std::string uid =
      Text(write.body, "/metadata/uid") + Text(write.body, "/preconditions/uid");
  if (write.subresource == "binding") {
    ++counts_.bound;
    if (write.stray) {
      changed_by_others_.insert(uid);
      NoteGroupLoss(write.key);
    }
    return WhyBoundWithoutSlices(*api_.Find(write.kind, write.key));
  }
  if (write.kind != "vdcupartitions" || write.subresource == "status") return "";
  const bool grants = Grants(write.body);
  if (!write.stray) return grants ? WhyGrantedTwice() : "";
  changed_by_others_.insert(uid);
  if (grants) granted_by_strays_.insert((*api_.Find(write.kind, write.key))["metadata"]["uid"]);
  return "";
}

// The slices of a pod that has just been bound are there, held by its node. A stray may have bound
// it, or deleted one of them, from what it saw, or a person has.
std::string Simulation::WhyBoundWithoutSlices(const Json& pod) {
  const std::string uid = pod["metadata"]["uid"];
  if (changed_by_others_.contains(uid) || !NamedBy(pod).empty()) return "";
  const std::string node = pod["spec"]["nodeName"];
  size_t prepared = 0;
  for (const auto& partition : Partitions(api_)) {
    if (!partition.spec.pod_ref || partition.spec.pod_ref->uid != uid) continue;
    if (changed_by_others_.contains(partition.meta.uid)) return "";
    if (partition.meta.deleting()) return partition.meta.key() + " is being deleted";
    for (const auto& holder : nodes_) {
      const bool held = holder->name() == node && holder->held().contains(partition.meta.uid);
      prepared += held ? 1 : 0;
    }
  }
  return prepared == SlicesNeeded(pod) ? "" : "not all of its slices are held by " + node;
}

// --- at rest ---

std::string Simulation::WhatIsWrongAtRest() {
  std::map<std::string, bool> named;  // UID -> whether it must be held
  std::set<std::string> used;         // names of reserved ones
  for (const auto& [key, pod] : api_.All("pods")) {
    if (Runs(api_, pod["metadata"]["uid"], "")) used.insert(NamedBy(pod));
  }
  if (std::string why = WhyBoundInPart(); !why.empty()) return why;
  for (const auto& partition : Partitions(api_)) {
    const std::string key = partition.meta.key();
    if (partition.assigned() && NodeOf(partition.spec.assignment->node).works()) {
      named[partition.meta.uid] = !AwaitsEnd(partition, used);
    }
    const bool in_use = used.contains(partition.meta.name) ||
                        (partition.spec.pod_ref && Runs(api_, partition.spec.pod_ref->uid, ""));
    if (partition.meta.deleting() && !in_use) {
      return "still being deleted: " + api_.Find("vdcupartitions", key)->dump();
    }
    if (!partition.spec.pod_ref) continue;
    const std::string& uid = partition.spec.pod_ref->uid;
    if (!Runs(api_, uid, "")) return key + " is of a pod that does not run";
  }
  for (const auto& node : nodes_) {
    const bool heard = node->works() && node->ready();
    // None: the daemon could never be heard.
    const Json* dcu_node = api_.Find("dcunodes", node->name());
    const bool trusted = dcu_node != nullptr && Decode<crds::DcuNode>(*dcu_node)->ready();
    if (trusted != heard) return node->name() + (heard ? " is doubted" : " is not doubted");
    if (!node->works()) continue;
    if (const std::string why = WhyWrongOnNode(*node, named); !why.empty()) return why;
  }
  for (const auto& [uid, must_be_held] : named) {
    if (must_be_held) return "not held by its node: " + uid;
  }
  return "";
}

// One that was made or placed anew while a pod still has the old slice may be refused, or deleted
// before it is admitted, and stays so until that pod ends. `used`: names of reserved ones.
bool Simulation::AwaitsEnd(const crds::VdcuPartition& partition,
                           const std::set<std::string>& used) const {
  if (!partition.spec.pod_ref) {
    const bool prepared = reconcilers::IsTrue(partition, crds::kPrepared);
    return (!prepared || partition.meta.deleting()) && used.contains(partition.meta.name);
  }
  const auto& running = NodeOf(partition.spec.assignment->node).kubelet().running();
  const auto slices = running.find(partition.spec.pod_ref->uid);
  return slices != running.end() && !slices->second.contains(partition.meta.uid);
}

const SimulatedNode& Simulation::NodeOf(const std::string& name) const {
  return **std::find_if(nodes_.begin(), nodes_.end(),
                        [&](const auto& node) { return node->name() == name; });
}

// Takes from `named` what the node holds.
std::string Simulation::WhyWrongOnNode(const SimulatedNode& node,
                                       std::map<std::string, bool>& named) {
  // Its pod lives, but the node was gone for a while: nobody may be given it.
  const Json published = (*api_.Find("dcunodes", node.name()))["status"]["held"];
  std::set<std::string> lost;
  for (const Json& slice : published) lost.insert(slice["partitionUID"]);
  // A reserved one may have been placed anew meanwhile: then two nodes hold a slice of one UID.
  const auto held = node.held();
  for (const auto& [uid, slice] : held) {
    if (lost.erase(uid) == 0 && named.erase(uid) == 0) {
      return node.name() + " holds what nobody knows of: " + uid;
    }
  }
  return lost.empty() ? "" : node.name() + " does not hold any more: " + *lost.begin();
}

// Under the same settings: whether a group is given slices may rest on the policy, as its pods are
// placed one after the other.
std::string Simulation::WhatIsLeftToDo() {
  reconcilers::ShownCluster fresh(settings_);
  reconcilers::Placer placer(fresh.cluster);
  fresh.at.now = loop_.clock().Now();
  fresh.at.wall_time = loop_.clock().Wall();
  for (const auto& node : DecodeAll<kclient::Node>(api_.All("nodes"))) fresh.Show(node);
  for (const auto& node : DecodeAll<crds::DcuNode>(api_.All("dcunodes"))) fresh.Show(node);
  for (const auto& pod : DecodeAll<kclient::Pod>(api_.All("pods"))) fresh.Show(pod);
  for (const auto& p : DecodeAll<crds::VdcuPartition>(api_.All("vdcupartitions"))) fresh.Show(p);
  for (const reconcilers::Key& key : fresh.cluster.TakeDirty()) {
    reconcilers::Plan plan =
        fresh.Noted(reconcilers::Reconcile(fresh.cluster.view(), key, fresh.at));
    if (plan.place) placer.Add(key, fresh.at.now);
    if (plan.commit) plan = reconcilers::GrantAsked(fresh.cluster.view(), key, fresh.at);
    for (const auto& planned : plan.writes) {
      if (planned.write.subresource != "status") return planned.write.Describe();
    }
  }
  while (const auto decision = placer.Next(fresh.at)) {
    for (const auto& planned : decision->plan.writes) {
      if (planned.write.evicts()) return planned.write.Describe() + " for " + decision->key.Text();
    }
    if (decision->placed) {
      const Json* pod = api_.Find("pods", decision->key.object());
      return decision->key.Text() + " fits: " + (pod ? pod->dump() : "");
    }
  }
  return WhatIsLeftToOffer(fresh.cluster.view());
}

}  // namespace vdcu::simulation
