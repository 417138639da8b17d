#include "tests/simulation/simulation.h"

#include <algorithm>
#include <utility>

#include "controller/leader_state.h"
#include "tests/simulation/simulated_objects.h"

namespace vdcu::simulation {

namespace {

constexpr char kNamespace[] = "team-a";
constexpr char kForeign[] = "example.com/keep";
constexpr size_t kMostPods = 14;
constexpr double kFaults = 0.1;
constexpr double kBudgets = 0.3;
constexpr double kMood = 0.02;
constexpr double kLinger = 0.2;
constexpr double kCallFaults = 0.3;
constexpr double kTries = 0.5;
constexpr int kMoves[] = {118, 133, 118, 158, 118, 118};  // of Act, by hazards

SimulatedApi::Json Container(const std::string& name, const SimulatedApi::Json& amounts) {
  return {{"name", name}, {"resources", {{"limits", amounts}, {"requests", amounts}}}};
}

// Of two such pods a node has room, not of three.
void AskForCpu(SimulatedApi::Json& pod) {
  for (const char* amounts : {"limits", "requests"}) {
    pod["spec"]["containers"][0]["resources"][amounts]["cpu"] = "3";
  }
}

bool Bound(const SimulatedApi::Json& pod) { return !pod["spec"].value("nodeName", "").empty(); }
bool Deleting(const SimulatedApi::Json& object) {
  return object["metadata"].contains("deletionTimestamp");
}

// A dead node's slices are let go while a schedule lasts.
reconcilers::Settings SettingsOf(unsigned seed, Hazards hazards) {
  constexpr dcu::Policy kPolicies[] = {dcu::Policy::kBinPack, dcu::Policy::kSpread,
                                       dcu::Policy::kFragmentationAware};
  reconcilers::Settings settings;
  settings.policy = kPolicies[seed % 3];
  settings.not_ready_grace = base::Duration(20'000);
  settings.preemption = hazards == Hazards::kPriorities;
  return settings;
}

}  // namespace

// One process of it.
struct Simulation::Controller {
  Controller(base::Loop& loop, SimulatedApi& api, unsigned seed, reconcilers::Settings settings)
      : random([engine = std::mt19937_64(seed)]() mutable {
          return std::uniform_real_distribution<double>(0, 1)(engine);
        }),
        transport(api.Connect(SimulatedApi::kController)),
        client(*transport),
        events(loop, client,
               {.reporting_controller = "vdcu.io/controller",
                .reporting_instance = "simulated",
                .idle = [] { return true; }},
               random),
        leader(loop, client, events, metrics, std::move(settings), [] { return true; }, random) {
    leader.Start();
  }

  base::Random random;
  controller::Metrics metrics;
  std::unique_ptr<kclient::Transport> transport;
  kclient::Client client;
  kclient::EventRecorder events;
  controller::LeaderState leader;
};

Simulation::Simulation(unsigned seed, Hazards hazards)
    : hazards_(hazards),
      settings_(SettingsOf(seed, hazards)),
      random_(seed),
      api_(loop_, seed),
      schedulers_(loop_, api_, seed) {
  api_.on_sent = [this](const SimulatedApi::Write& write) { return WhyWronglySent(write); };
  api_.refuses = [this](const SimulatedApi::Write& write) { return IsRefused(write); };
  api_.on_stored = [this](const SimulatedApi::Write& write) { return WhyWronglyStored(write); };
  schedulers_.on_arrival = [this](const auto& call) { OnCall(call); };
  schedulers_.on_answer = [this](const auto& call, const Json& answer) {
    return WhyWronglyAnswered(call, answer);
  };
  api_.Create("namespaces", {{"metadata", {{"name", kNamespace}}}});
  const int count = 1 + Pick(3);
  for (int i = 0; i < count; ++i) {
    nodes_.push_back(std::make_unique<SimulatedNode>(loop_, api_, "n" + std::to_string(i),
                                                     1 + Pick(2), random_()));
  }
  Restart();
}

Simulation::~Simulation() = default;

void Simulation::Restart() {
  schedulers_.SetDoors({});
  controller_.reset();
  offers_.Clear();
  silent_.clear();
  missed_.clear();
  controller_ =
      std::make_unique<Controller>(loop_, api_, static_cast<unsigned>(random_()), settings_);
  schedulers_.SetDoors({&controller_->leader.extender(), &controller_->leader.gate()});
}

// --- what happens ---

void Simulation::Act() {
  api_.SetFaults(kFaults);
  api_.SetBudgets(hazards_ == Hazards::kPriorities ? kBudgets : 0);
  schedulers_.SetFaults(kCallFaults);
  for (const auto& node : nodes_) node->SetMood(kMood, kLinger);
  const int what = Pick(kMoves[static_cast<int>(hazards_)]);
  if (what >= 133) {
    LetArrive();
  } else if (what >= 130) {
    EditPod();
  } else if (what >= 118) {
    ChangeRules();
  } else if (what >= 115) {
    DeletePartition();
  } else if (what >= 100) {
    DisturbNodeObject();
  } else if (what < 40) {
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
    EndDeletions(false);
  }
  Elapse(base::Duration(Draw() < 0.1 ? 8'000 : Pick(400)));
}

void Simulation::Elapse(base::Duration by) {
  const base::TimePoint end = loop_.clock().Now() + by;
  while (loop_.clock().Now() < end) {
    loop_.Advance(std::min(base::Duration(1 + Pick(100)), end - loop_.clock().Now()));
    const auto& node = nodes_[Pick(static_cast<int>(nodes_.size()))];
    node->Step([this] { return Draw(); });
    if (Draw() < 0.5) node->Taint();
    if (Draw() < 0.1) node->Offer();
    if (hazards_ == Hazards::kDoors) schedulers_.Step(kTries);
  }
}

// By hand on `node`, unless that is empty.
void Simulation::CreatePod(const std::string& node) {
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
  const bool laid = hazards_ == Hazards::kGroups || hazards_ == Hazards::kPriorities;
  if (laid && made_ % 3 == 0) AskForCpu(pod);
  const bool anothers = hazards_ == Hazards::kDoors && NamedBy(pod).empty() && Draw() < 0.8;
  if (anothers) pod["spec"]["schedulerName"] = SimulatedSchedulers::PickName(Draw());
  const bool grouped = hazards_ == Hazards::kGroups && NamedBy(pod).empty() && Draw() < 0.7;
  if (grouped) SetGroup(pod);
  if (hazards_ == Hazards::kPriorities && Pick(5) == 0) pod["spec"]["preemptionPolicy"] = "Never";
  if (!node.empty()) pod["spec"]["nodeName"] = node;
  api_.Create("pods", std::move(pod));
}

void Simulation::CreateReserved() {
  const std::string name = "r" + std::to_string(Pick(3));
  const std::string key = kNamespace + ("/" + name);
  if (api_.Find("vdcupartitions", key)) return api_.Delete("vdcupartitions", key);
  Json meta = {{"name", name}, {"namespace", kNamespace}};
  const bool refusals = hazards_ == Hazards::kRefusals || hazards_ == Hazards::kArrivals;
  if (refusals && name == "r2") meta["finalizers"] = {kForeign};
  api_.Create("vdcupartitions",
              {{"metadata", meta}, {"spec", {{"computeUnits", 10 + Pick(50)}, {"memory", "1Gi"}}}});
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
  NoteGroupLoss(*key);
  // The kubelet ends a bound one, some time later.
  if (bound) {
    api_.Change("pods", *key, [](Json& pod) { pod["metadata"]["finalizers"] = {"kubelet"}; });
  }
  api_.Delete("pods", *key);
}

// A person does, of one that a pod has or is about to have.
void Simulation::DeletePartition() {
  std::vector<std::string> keys;
  for (const auto& [key, object] : api_.All("vdcupartitions")) {
    if (object["spec"].contains("podRef")) keys.push_back(key);
  }
  if (keys.empty()) return;
  const std::string key = keys[Pick(static_cast<int>(keys.size()))];
  const Json& object = *api_.Find("vdcupartitions", key);
  changed_by_others_.insert(object["metadata"]["uid"]);
  changed_by_others_.insert(object["spec"]["podRef"]["uid"]);
  NoteGroupLoss(kNamespace + ("/" + object["spec"]["podRef"]["name"].get<std::string>()));
  api_.Delete("vdcupartitions", key);
}

// A person names another reserved partition in a pod that waits or runs, or none.
void Simulation::EditPod() {
  const auto key = PickPod(Draw() < 0.5);
  if (!key) return;
  const int other = Pick(4);
  api_.Change("pods", *key, [&](Json& pod) {
    Json& annotations = pod["metadata"]["annotations"];
    annotations["vdcu.io/partition"] = "r" + std::to_string(other);
    if (other == 3) annotations.erase("vdcu.io/partition");
  });
}

// A pod is on a node without having passed us: it was made there by hand, or another scheduler has
// bound it, maybe while we were about to bind it elsewhere.
void Simulation::LetArrive() {
  const std::string node = nodes_[Pick(static_cast<int>(nodes_.size()))]->name();
  if (Draw() < 0.7) return CreatePod(node);
  const auto key = PickPod(false);
  if (!key) return;
  api_.Change("pods", *key, [&](Json& pod) { pod["spec"]["nodeName"] = node; });
}

// A pod of a node that is cut off ends only when it is deleted by force.
void Simulation::EndDeletions(bool all) {
  std::vector<std::string> keys;
  for (const auto& [key, pod] : api_.All("pods")) {
    if (!Deleting(pod)) continue;
    const std::string on = pod["spec"].value("nodeName", "");
    const bool dead = std::any_of(nodes_.begin(), nodes_.end(), [&](const auto& node) {
      return node->name() == on && node->there() && !node->ready();
    });
    if (all || !dead || Draw() < 0.3) keys.push_back(key);
  }
  for (const std::string& key : keys) {
    api_.Change("pods", key, [](Json& pod) { pod["metadata"]["finalizers"] = Json::array(); });
  }
  EndForeignFinalizers(all);
}

void Simulation::EndForeignFinalizers(bool all) {
  const auto partitions = api_.All("vdcupartitions");
  for (const auto& [key, object] : partitions) {
    const Json finalizers = object["metadata"].value("finalizers", Json::array());
    if (!Deleting(object) || finalizers != Json({kForeign}) || !(all || Draw() < 0.3)) continue;
    api_.Change("vdcupartitions", key,
                [](Json& o) { o["metadata"]["finalizers"] = Json::array(); });
  }
}

void Simulation::FinishPod() {
  if (const auto key = PickPod(true)) {
    NoteGroupLoss(*key);
    api_.Change("pods", *key, [](Json& pod) { pod["status"]["phase"] = "Succeeded"; });
  }
}

void Simulation::DisturbNode() {
  SimulatedNode& node = *nodes_[Pick(static_cast<int>(nodes_.size()))];
  const int what = Pick(13);
  if (what == 0) {
    node.there() ? node.Remove() : node.Return();
  } else if (what <= 4) {
    node.SetUp(what > 2);
  } else if (what <= 7) {
    node.SetSick(Pick(node.cards()), what == 5);
  } else if (what <= 9) {
    node.SetDeaf(what == 8);
  } else if (what <= 11) {
    node.SetAdmits(what == 10);
  } else {
    node.Reboot();
  }
}

// What happens to the Node object, and to the machine with it.
void Simulation::DisturbNodeObject() {
  SimulatedNode& node = *nodes_[Pick(static_cast<int>(nodes_.size()))];
  const int what = Pick(10);
  if (what <= 1) {
    node.SetReady("False");
  } else if (what <= 3) {
    node.SetReady("Unknown");
  } else if (what <= 5) {
    node.SetReady("True");
  } else if (what == 6) {
    node.SetCordoned(true);
  } else if (what == 7) {
    node.SetCordoned(false);
  } else if (what == 8) {
    node.SetOutOfService();
  } else if (node.there()) {
    node.Remove();
    node.Return();
  }
}

void Simulation::ComeToRest(Nodes nodes) {
  api_.SetFaults(0);
  api_.SetBudgets(0);
  schedulers_.SetFaults(0);
  rules_.clear();
  for (const auto& node : nodes_) {
    node->SetMood(0, 0);
    node->SetUp(true);
    node->SetDeaf(false);
    node->SetAdmits(true);
    if (nodes == Nodes::kMended) {
      for (int card = 0; card < node->cards(); ++card) node->SetSick(card, false);
      if (!node->there()) node->Return();
      node->SetReady("True");
      node->SetCordoned(false);
    }
    node->Taint();
  }
  int64_t seen = -1;
  // Longer than any delay between two tries.
  for (int quiet = 0; quiet < 100; ++quiet) {
    for (const auto& node : nodes_) {
      node->Step([] { return 1.0; });
      node->Offer();
    }
    if (api_.version() != seen) {
      seen = api_.version();
      quiet = 0;
    }
    EndDeletions(true);
    if (hazards_ == Hazards::kDoors) schedulers_.Step(kTries);
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

}  // namespace vdcu::simulation
