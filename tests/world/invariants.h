// What must hold of all cards at any moment, seen from outside: the objects and the files alone.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/world/node_host.h"

namespace vdcu::world {

// A slice or a whole card as far as it can clash with another.
struct Grant {
  std::string name;
  std::string card;  // uuid or bus id
  uint64_t masks[2] = {0, 0};
  int64_t units = 0;
  int64_t mebibytes = 0;
  int64_t pipe = -1;  // -1: a whole card
  int64_t vdev = -1;
};

// `bytes` are a vdev file's.
Grant GrantOfFile(const std::string& name, const std::string& bytes);
Grant GrantOfCard(const std::string& name, const hosts::Card& card);

// No unit, MiB, pipe or vdev number is granted twice, none past its card. Returns a sentence for
// each breach.
std::vector<std::string> BreachesOf(const std::vector<Grant>& grants, const NodeHost& node);

// The same of one consistent list of partitions.
std::vector<std::string> BreachesOfObjects(const std::vector<nlohmann::json>& partitions,
                                           const std::vector<const NodeHost*>& nodes);

// The same of the vdev files of one node, whatever the objects say.
std::vector<std::string> BreachesOfFiles(const NodeHost& node);

// The same while the daemon goes on: files are read one after the other, so only what has not
// changed meanwhile was there at once.
std::vector<std::string> BreachesOfSteadyFiles(const NodeHost& node);

// At rest: the files of the node are exactly those of the partitions assigned to it.
std::vector<std::string> DifferencesOfFiles(const std::vector<nlohmann::json>& partitions,
                                            const NodeHost& node);

}  // namespace vdcu::world
