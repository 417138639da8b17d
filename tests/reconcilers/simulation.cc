#include "tests/reconcilers/simulation.h"

#include <algorithm>
#include <set>

#include "controller/leader_state.h"
#include "crds/keys.h"
#include "reconcilers/pod_partitions.h"
#include "tests/reconcilers/shown.h"

namespace vdcu::reconcilers {

namespace {

constexpr char kNamespace[] = "team-a";
constexpr size_t kMostPods = 14;
constexpr double kFaults = 0.1;
constexpr double kMood = 0.05;

SimulatedApi::Json Container(const std::string& name, const SimulatedApi::Json& amounts) {
  return {{"name", name}, {"resources", {{"limits", amounts}, {"requests", amounts}}}};
}

bool Bound(const SimulatedApi::Json& pod) { return !pod["spec"].value("nodeName", "").empty(); }
bool Deleting(const SimulatedApi::Json& object) {
  return object["metadata"].contains("deletionTimestamp");
}
std::string NamedBy(const SimulatedApi::Json& pod) {
  return pod["metadata"]
      .value("annotations", SimulatedApi::Json::object())
      .value("vdcu.io/partition", "");
}

template <class T>
std::vector<std::shared_ptr<const T>> DecodeAll(SimulatedApi& api, const std::string& kind) {
  std::vector<std::shared_ptr<const T>> objects;
  simdjson::dom::parser parser;
  for (const auto& [key, object] : api.All(kind)) {
    kclient::JsonView view;
    if (parser.parse(object.dump()).get(view)) continue;
    if (auto decoded = T::FromJson(view)) {
      objects.push_back(std::make_shared<const T>(std::move(*decoded)));
    }
  }
  return objects;
}

}  // namespace

// One process of it.
struct Simulation::Controller {
  Controller(base::Loop& loop, SimulatedApi& api, unsigned seed)
      : random([engine = std::mt19937_64(seed)]() mutable {
          return std::uniform_real_distribution<double>(0, 1)(engine);
        }),
        client(api),
        events(loop, client,
               {.reporting_controller = "vdcu.io/controller",
                .reporting_instance = "simulated",
                .idle = [] { return true; }},
               random),
        leader(loop, client, events, metrics, Settings(), [] { return true; }, random) {
    leader.Start();
  }

  base::Random random;
  controller::Metrics metrics;
  kclient::Client client;
  kclient::EventRecorder events;
  controller::LeaderState leader;
};

Simulation::Simulation(unsigned seed) : random_(seed), api_(loop_, seed) {
  api_.on_bind = [this](const Json& pod, const std::string& node) {
    ++bound_;
    return WhyWrongBinding(pod, node);
  };
  const int count = 1 + Pick(3);
  for (int i = 0; i < count; ++i) {
    nodes_.push_back(std::make_unique<SimulatedNode>(api_, "n" + std::to_string(i), 1 + Pick(2)));
  }
  Restart();
}

Simulation::~Simulation() = default;

void Simulation::Restart() {
  controller_.reset();
  controller_ = std::make_unique<Controller>(loop_, api_, static_cast<unsigned>(random_()));
}

// --- what happens ---

void Simulation::Act() {
  api_.SetFaults(kFaults);
  for (const auto& node : nodes_) node->SetMood(kMood);
  const int what = Pick(100);
  if (what < 40) {
    CreatePod();
  } else if (what < 46) {
    CreateReserved();
  } else if (what < 60) {
    DeletePod();
  } else if (what < 70) {
    FinishPod();
  } else if (what < 85) {
    DisturbNode();
  } else if (what < 90) {
    Restart();
  } else {
    EndDeletions();
  }
  Elapse(base::Duration(Draw() < 0.1 ? 8'000 : Pick(400)));
}

void Simulation::Elapse(base::Duration by) {
  const base::TimePoint end = loop_.clock().Now() + by;
  while (loop_.clock().Now() < end) {
    loop_.Advance(std::min(base::Duration(1 + Pick(100)), end - loop_.clock().Now()));
    const auto& node = nodes_[Pick(static_cast<int>(nodes_.size()))];
    node->Step([this] { return Draw(); });
  }
}

void Simulation::CreatePod() {
  if (api_.All("pods").size() >= kMostPods) return;
  const auto slice = [this] {
    constexpr int kPercents[] = {5, 15, 50, 100};
    constexpr int kMemories[] = {100, 2000, 8000, 16384};
    return Json{{"hygon.com/dcunum", "1"},
                {"hygon.com/dcucores", std::to_string(kPercents[Pick(4)])},
                {"hygon.com/dcumem", std::to_string(kMemories[Pick(4)])}};
  };
  Json pod = {{"metadata", {{"name", "p" + std::to_string(made_++)}, {"namespace", kNamespace}}},
              {"spec", {{"schedulerName", "vdcu-scheduler"}, {"priority", Pick(2)}}},
              {"status", {{"phase", "Pending"}}}};
  Json& containers = pod["spec"]["containers"];
  const int kind = Pick(10);
  if (kind == 0) {
    containers = {Container("main", {{"hygon.com/dcunum", std::to_string(1 + Pick(2))}})};
  } else if (kind <= 2 && made_ > 1) {
    pod["metadata"]["annotations"]["vdcu.io/partition"] = "r" + std::to_string(Pick(3));
    containers = {Container("main", {{"hygon.com/dcunum", "1"}})};
  } else if (kind == 3) {
    containers = {Container("main", slice()), Container("second", slice())};
  } else {
    containers = {Container("main", slice())};
  }
  api_.Create("pods", std::move(pod));
}

void Simulation::CreateReserved() {
  const std::string name = "r" + std::to_string(Pick(3));
  const std::string key = kNamespace + ("/" + name);
  if (api_.Find("vdcupartitions", key)) return api_.Delete("vdcupartitions", key);
  api_.Create("vdcupartitions", {{"metadata", {{"name", name}, {"namespace", kNamespace}}},
                                 {"spec", {{"computeUnits", 10 + Pick(50)}, {"memory", "1Gi"}}}});
}

std::optional<std::string> Simulation::PickPod(bool bound) {
  std::vector<std::string> keys;
  for (const auto& [key, pod] : api_.All("pods")) {
    if (Bound(pod) == bound && !Deleting(pod)) keys.push_back(key);
  }
  if (keys.empty()) return {};
  return keys[Pick(static_cast<int>(keys.size()))];
}

void Simulation::DeletePod() {
  const bool bound = Draw() < 0.7;
  const auto key = PickPod(bound);
  if (!key) return;
  // The kubelet ends a bound one, some time later.
  if (bound) {
    api_.Change("pods", *key, [](Json& pod) { pod["metadata"]["finalizers"] = {"kubelet"}; });
  }
  api_.Delete("pods", *key);
}

void Simulation::EndDeletions() {
  std::vector<std::string> keys;
  for (const auto& [key, pod] : api_.All("pods")) {
    if (Deleting(pod)) keys.push_back(key);
  }
  for (const std::string& key : keys) {
    api_.Change("pods", key, [](Json& pod) { pod["metadata"]["finalizers"] = Json::array(); });
  }
}

void Simulation::FinishPod() {
  if (const auto key = PickPod(true)) {
    api_.Change("pods", *key, [](Json& pod) { pod["status"]["phase"] = "Succeeded"; });
  }
}

void Simulation::DisturbNode() {
  SimulatedNode& node = *nodes_[Pick(static_cast<int>(nodes_.size()))];
  const int what = Pick(8);
  if (what == 0) {
    node.there() ? node.Remove() : node.Return();
  } else if (what <= 4) {
    node.SetUp(what > 2);
  } else {
    node.SetSick(Pick(node.cards()), what == 5);
  }
}

void Simulation::ComeToRest() {
  api_.SetFaults(0);
  for (const auto& node : nodes_) {
    node->SetMood(0);
    node->SetUp(true);
    for (int card = 0; card < node->cards(); ++card) node->SetSick(card, false);
    if (!node->there()) node->Return();
  }
  int64_t seen = -1;
  // Longer than any delay between two tries.
  for (int quiet = 0; quiet < 100; ++quiet) {
    if (api_.version() != seen) {
      seen = api_.version();
      quiet = 0;
      for (const auto& node : nodes_) node->Step([] { return 1.0; });
    }
    EndDeletions();
    loop_.Advance(base::Duration(1'000));
  }
}

void Simulation::DeleteAll() {
  for (const char* kind : {"pods", "vdcupartitions"}) {
    const auto objects = api_.All(kind);
    for (const auto& [key, object] : objects) {
      if (kind == std::string("pods") || !object["spec"].contains("podRef")) api_.Delete(kind, key);
    }
  }
}

// --- what must hold ---

size_t Simulation::held() const {
  size_t held = 0;
  for (const auto& node : nodes_) held += node->held().size();
  return held;
}

std::string Simulation::WhyOverbooked(const std::vector<dcu::Assignment>& slices) {
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

std::string Simulation::WhatIsWrong() {
  for (const auto& node : nodes_) {
    std::vector<dcu::Assignment> held;
    for (const auto& [uid, slice] : node->held()) held.push_back(slice);
    if (const std::string why = WhyOverbooked(held); !why.empty()) return "held: " + why;
  }
  if (!api_.wrong_bindings().empty()) return "bound wrongly: " + api_.wrong_bindings().front();
  std::map<std::string, std::string> users;
  for (const auto& [key, pod] : api_.All("pods")) {
    if (NamedBy(pod).empty() || !Runs(api_, pod["metadata"]["uid"], "")) continue;
    const std::string on = NamedBy(pod) + " on " + pod["spec"]["nodeName"].get<std::string>();
    if (!users.emplace(on, key).second) return key + " and " + users[on] + " both have " + on;
  }
  // What a process that is gone had sent comes from what it saw: that is what the daemon's fence is
  // for.
  if (api_.strays() > 0) return "";
  std::vector<dcu::Assignment> granted;
  for (const auto& partition : Partitions(api_)) {
    if (partition.assigned()) granted.push_back(*partition.spec.assignment);
  }
  const std::string why = WhyOverbooked(granted);
  return why.empty() ? "" : "granted: " + why;
}

// Asked of each binding: the pod's slices are there, held by the node.
std::string Simulation::WhyWrongBinding(const Json& pod, const std::string& node) {
  if (api_.strays() > 0 || !NamedBy(pod).empty()) return "";
  size_t prepared = 0;
  for (const auto& partition : Partitions(api_)) {
    if (!partition.spec.pod_ref || partition.spec.pod_ref->uid != pod["metadata"]["uid"]) continue;
    if (partition.meta.deleting()) return partition.meta.key() + " is being deleted";
    for (const auto& holder : nodes_) {
      const bool held = holder->name() == node && holder->held().contains(partition.meta.uid);
      prepared += held ? 1 : 0;
    }
  }
  size_t needed = 0;
  for (const Json& container : pod["spec"]["containers"]) {
    const Json& limits = container["resources"]["limits"];
    needed += std::stoul(limits["hygon.com/dcunum"].get<std::string>());
  }
  return prepared == needed ? "" : "not all of its slices are held by " + node;
}

std::string Simulation::WhatIsWrongAtRest() {
  std::set<std::string> named;
  std::set<std::string> used;  // names of reserved ones
  for (const auto& [key, pod] : api_.All("pods")) {
    if (Runs(api_, pod["metadata"]["uid"], "")) used.insert(NamedBy(pod));
  }
  for (const auto& partition : Partitions(api_)) {
    const std::string key = partition.meta.key();
    // A reserved one that was made anew while a pod still has the old one's slice may be refused,
    // or deleted before it is admitted, and stays so until that pod ends.
    const bool waits = !partition.IsTrue(crds::kPrepared) && !partition.spec.pod_ref &&
                       used.contains(partition.meta.name);
    if (partition.assigned() && !waits) named.insert(partition.meta.uid);
    if (partition.meta.deleting() && !used.contains(partition.meta.name)) {
      return "still being deleted: " + api_.Find("vdcupartitions", key)->dump();
    }
    if (!partition.spec.pod_ref) continue;
    const std::string& uid = partition.spec.pod_ref->uid;
    if (!Runs(api_, uid, "")) return key + " is of a pod that does not run";
  }
  for (const auto& node : nodes_) {
    // Its pod lives, but the node was gone for a while: nobody may be given it.
    const Json published = (*api_.Find("dcunodes", node->name()))["status"]["held"];
    std::set<std::string> lost;
    for (const Json& slice : published) lost.insert(slice["partitionUID"]);
    for (const auto& [uid, slice] : node->held()) {
      if (named.erase(uid) == 0 && lost.erase(uid) == 0) {
        return node->name() + " holds what nobody knows of: " + uid;
      }
    }
    if (!lost.empty()) return node->name() + " does not hold any more: " + *lost.begin();
  }
  return named.empty() ? "" : "not held by its node: " + *named.begin();
}

std::string Simulation::WhatIsLeftToDo() {
  Shown fresh;
  Placer placer(fresh.cluster);
  fresh.at.now = loop_.clock().Now();
  fresh.at.wall_time = loop_.clock().Wall();
  for (const auto& node : DecodeAll<kclient::Node>(api_, "nodes")) fresh.Show(node);
  for (const auto& node : DecodeAll<crds::DcuNode>(api_, "dcunodes")) fresh.Show(node);
  for (const auto& pod : DecodeAll<kclient::Pod>(api_, "pods")) fresh.Show(pod);
  for (const auto& p : DecodeAll<crds::VdcuPartition>(api_, "vdcupartitions")) fresh.Show(p);
  for (const std::string& key : fresh.cluster.TakeDirty()) {
    const std::string object_key = key.substr(key.find('/') + 1);
    const Plan plan = key.starts_with("pod/")
                          ? ReconcilePod(fresh.cluster, object_key, fresh.at)
                          : ReconcilePartition(fresh.cluster, object_key, fresh.at);
    if (plan.place) placer.Add(key, fresh.at.now);
    for (const auto& planned : plan.writes) {
      if (planned.write.subresource != "status") return planned.write.Describe();
    }
  }
  while (const auto decision = placer.Next(fresh.at)) {
    if (decision->placed) {
      return decision->key + " fits: " + api_.Find("pods", decision->key.substr(4))->dump();
    }
  }
  return "";
}

}  // namespace vdcu::reconcilers
