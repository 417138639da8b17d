#include "tests/e2e/checker.h"

#include "tests/integration/placement_fixture.h"
#include "tests/world/invariants.h"

namespace vdcu::e2e {

using nlohmann::json;
using world::Grant;

namespace {

constexpr base::Duration kPause(30);
constexpr int kLooksAtObjects = 8;  // one in so many, as it takes the API server's time

std::set<std::string> DriOf(const hosts::Card& card) {
  return {"card" + std::to_string(card.drm_minor),
          "renderD" + std::to_string(128 + card.drm_minor)};
}

const hosts::Card* FindCard(const Machine& machine, const std::string& bus_id) {
  for (const hosts::Card& card : machine.host().cards()) {
    if (card.pci_bus_id == bus_id) return &card;
  }
  return nullptr;
}

std::string NameOf(const RunningContainer& container) {
  return "container " + container.id.substr(0, 12) + " of pod " + container.pod_uid;
}

// Of a container without a vdev file: all cards whose nodes it has.
std::vector<Grant> GrantsOfCards(const RunningContainer& container, const Machine& machine) {
  std::vector<Grant> grants;
  for (const hosts::Card& card : machine.host().cards()) {
    for (const std::string& node : DriOf(card)) {
      if (!container.dri.contains(node)) continue;
      grants.push_back(world::GrantOfCard(NameOf(container), card));
      break;
    }
  }
  return grants;
}

}  // namespace

Checker::Checker(const world::Api& api, const Machine& machine)
    : api_(api), machine_(machine), thread_([this] {
        do {
          if (looks_ % kLooksAtObjects == 0) LookAtObjects();
          LookAtFiles();
          LookAtContainers();
          ++looks_;
          std::this_thread::sleep_for(kPause);
        } while (!ends_);
      }) {}

Checker::~Checker() {
  ends_ = true;
  thread_.join();
}

std::vector<std::string> Checker::Breaches() const {
  const std::lock_guard lock(mutex_);
  return {breaches_.begin(), breaches_.end()};
}

void Checker::Add(const std::vector<std::string>& breaches) {
  const std::lock_guard lock(mutex_);
  breaches_.insert(breaches.begin(), breaches.end());
}

// Files are read one after the other: only what has not changed meanwhile was there at once.
void Checker::LookAtFiles() {
  const auto before = machine_.Files();
  const auto breaches = world::BreachesOfFiles(machine_);
  if (machine_.Files() == before) Add(breaches);
}

void Checker::LookAtObjects() {
  const auto partitions = api_.List(world::kPartitions);
  Add(world::BreachesOfObjects(partitions, {&machine_}));
  for (const json& partition : partitions) {
    const json& spec = partition["spec"];
    if (!spec.contains("assignment") || spec["assignment"]["node"] != machine_.name()) continue;
    if (!spec["assignment"].contains("vdev")) continue;
    known_[partition["metadata"]["uid"]] = {machine_.VdevFile(spec["assignment"]),
                                            spec.value("podRef", json::object()).value("uid", "")};
  }
}

void Checker::LookAtContainers() {
  std::vector<Grant> grants;
  const auto containers = RunningContainers(machine_);
  for (const RunningContainer& container : containers) {
    if (container.vdev) {
      grants.push_back(world::GrantOfFile(NameOf(container), *container.vdev));
    } else {
      const auto cards = GrantsOfCards(container, machine_);
      grants.insert(grants.end(), cards.begin(), cards.end());
    }
    if (!container.slice.empty()) CheckSlice(container);
  }
  Add(world::BreachesOf(grants, machine_));
  if (containers.size() > most_containers_) most_containers_ = containers.size();
}

void Checker::CheckSlice(const RunningContainer& container) {
  const std::string name = NameOf(container);
  if (!known_.contains(container.slice)) LookAtObjects();
  const auto known = known_.find(container.slice);
  if (known == known_.end()) return Add({name + ": no partition has UID " + container.slice});
  if (!known->second.pod_uid.empty() && known->second.pod_uid != container.pod_uid) {
    Add({name + ": its slice is that of pod " + known->second.pod_uid});
  }
  if (!container.vdev) return Add({name + ": its vdev file is not there: it sees a whole card"});
  if (*container.vdev != known->second.vdev_file) {
    Add({name + " reads " + *container.vdev + " instead of " + known->second.vdev_file});
  }
  const Grant grant = world::GrantOfFile(name, *container.vdev);
  const hosts::Card* card = FindCard(machine_, grant.card);
  if (card != nullptr && container.dri != DriOf(*card)) {
    Add({name + ": its device nodes are not those of card " + grant.card + " alone"});
  }
}

}  // namespace vdcu::e2e
