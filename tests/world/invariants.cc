#include "tests/world/invariants.h"

#include <cstdint>
#include <cstdlib>
#include <map>
#include <set>
#include <sstream>

namespace vdcu::world {

using nlohmann::json;

namespace {

constexpr int kBits = 64;

struct CardUse {
  uint64_t masks[2] = {0, 0};
  int64_t mebibytes = 0;
  std::set<int64_t> pipes;
  bool whole = false;
  int grants = 0;
};

bool PastTheCard(const Grant& grant, const hosts::Card& card) {
  for (int bit = card.compute_units; bit < 2 * kBits; ++bit) {
    if ((grant.masks[bit / kBits] >> (bit % kBits)) & 1) return true;
  }
  return false;
}

// Adds the grant to what its card has given away already.
void Count(const Grant& grant, const hosts::Card& card, CardUse& use,
           std::vector<std::string>& breaches) {
  const auto breach = [&](const std::string& what) {
    breaches.push_back(grant.name + " on " + grant.card + ": " + what);
  };
  if (PastTheCard(grant, card)) breach("a unit past the card's");
  const int count = __builtin_popcountll(grant.masks[0]) + __builtin_popcountll(grant.masks[1]);
  if (count != grant.units) breach("its masks are not as many units as it says");
  if ((grant.masks[0] & use.masks[0]) != 0 || (grant.masks[1] & use.masks[1]) != 0) {
    breach("a unit is granted twice");
  }
  if (grant.pipe >= 0 && !use.pipes.insert(grant.pipe).second) breach("its pipe is granted twice");
  use.whole = use.whole || grant.pipe < 0;
  if (++use.grants > (use.whole ? 1 : 4)) breach("too many on one card");
  use.mebibytes += grant.mebibytes;
  if (use.mebibytes > card.memory_mib) breach("more memory than the card has");
  for (int i : {0, 1}) use.masks[i] |= grant.masks[i];
}

const hosts::Card* FindCard(const NodeHost& node, const std::string& card) {
  for (const hosts::Card& other : node.host().cards()) {
    if (node.host().Uuid(other.index) == card || other.pci_bus_id == card) return &other;
  }
  return nullptr;
}

Grant ReadObject(const json& partition) {
  const json& assignment = partition["spec"]["assignment"];
  Grant grant;
  grant.name = partition["metadata"]["name"];
  grant.card = assignment["device"];
  for (size_t i : {0, 1}) {
    grant.masks[i] = std::stoull(assignment["cuMasks"][i].get<std::string>(), nullptr, 16);
  }
  grant.units = assignment["computeUnits"];
  grant.mebibytes = std::atoll(assignment["memory"].get<std::string>().c_str());
  grant.pipe = assignment.value("pipe", -1);
  grant.vdev = assignment.value("vdev", -1);
  return grant;
}

bool AssignedTo(const json& partition, const NodeHost& node) {
  const json& spec = partition["spec"];
  return spec.contains("assignment") && spec["assignment"]["node"] == node.name();
}

}  // namespace

Grant GrantOfFile(const std::string& name, const std::string& bytes) {
  Grant grant;
  grant.name = name;
  std::istringstream lines(bytes);
  size_t masks = 0;
  for (std::string key, value; lines >> key >> value;) {
    if (key == "PciBusId:") grant.card = value;
    if (key == "cu_mask:" && masks < 2) grant.masks[masks++] = std::stoull(value, nullptr, 16);
    if (key == "cu_count:") grant.units = std::stoll(value);
    if (key == "mem:") {
      grant.mebibytes = std::stoll(value);
      lines >> value;  // its unit
    }
    if (key == "pipe_id:") grant.pipe = std::stoll(value);
    if (key == "vdev_id:") grant.vdev = std::stoll(value);
  }
  return grant;
}

Grant GrantOfCard(const std::string& name, const hosts::Card& card) {
  Grant grant{.name = name, .card = card.pci_bus_id, .units = card.compute_units};
  for (int bit = 0; bit < card.compute_units; ++bit) {
    grant.masks[bit / kBits] |= uint64_t{1} << (bit % kBits);
  }
  grant.mebibytes = card.memory_mib;
  return grant;
}

std::vector<std::string> BreachesOf(const std::vector<Grant>& grants, const NodeHost& node) {
  std::vector<std::string> breaches;
  std::map<std::string, CardUse> cards;
  std::set<int64_t> vdevs;
  for (const Grant& grant : grants) {
    const hosts::Card* card = FindCard(node, grant.card);
    if (card == nullptr) {
      breaches.push_back(grant.name + ": node " + node.name() + " has no card " + grant.card);
      continue;
    }
    Count(grant, *card, cards[grant.card], breaches);
    if (grant.vdev >= 0 && !vdevs.insert(grant.vdev).second) {
      breaches.push_back(grant.name + ": its vdev number is granted twice");
    }
  }
  return breaches;
}

std::vector<std::string> BreachesOfObjects(const std::vector<json>& partitions,
                                           const std::vector<const NodeHost*>& nodes) {
  std::vector<std::string> breaches;
  for (const NodeHost* node : nodes) {
    std::vector<Grant> grants;
    for (const json& partition : partitions) {
      if (AssignedTo(partition, *node)) grants.push_back(ReadObject(partition));
    }
    for (std::string& breach : BreachesOf(grants, *node)) breaches.push_back(std::move(breach));
  }
  return breaches;
}

std::vector<std::string> BreachesOfFiles(const NodeHost& node) {
  std::vector<Grant> grants;
  for (const auto& [path, bytes] : node.Files()) {
    if (path.starts_with("/etc/vdev/vdev")) grants.push_back(GrantOfFile(path, bytes));
  }
  return BreachesOf(grants, node);
}

std::vector<std::string> BreachesOfSteadyFiles(const NodeHost& node) {
  const auto before = node.Files();
  auto breaches = BreachesOfFiles(node);
  if (node.Files() != before) breaches.clear();
  return breaches;
}

std::vector<std::string> DifferencesOfFiles(const std::vector<json>& partitions,
                                            const NodeHost& node) {
  std::map<std::string, std::string> want;
  for (const json& partition : partitions) {
    if (!AssignedTo(partition, node)) continue;
    const json& assignment = partition["spec"]["assignment"];
    if (!assignment.contains("vdev")) continue;
    const std::string bytes = node.VdevFile(assignment);
    want["/etc/vdev/vdev" + assignment["vdev"].dump() + ".conf"] = bytes;
    const std::string uid = partition["metadata"]["uid"];
    want["/etc/vdev/slices/" + uid + "/vdev0.conf"] = bytes;
  }
  std::vector<std::string> differences;
  for (const auto& [path, bytes] : node.Files()) {
    if (!path.starts_with("/etc/vdev/")) continue;
    const auto found = want.find(path);
    if (found == want.end()) {
      differences.push_back(node.name() + path + " belongs to no assignment");
    } else if (found->second != bytes) {
      differences.push_back(node.name() + path + " is " + bytes + ", want " + found->second);
    }
    want.erase(path);
  }
  for (const auto& [path, bytes] : want) differences.push_back(node.name() + path + " is missing");
  return differences;
}

}  // namespace vdcu::world
