// A control plane with the real vdcu-controller and two real vdcu-node: "big" with eight K100_AI
// (120 units, 65520 MiB) and "small" with four Z100L (60 units, 32768 MiB). One for all tests of a
// binary; each test must leave it empty, and is told where it does not.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/world/control_plane.h"
#include "tests/world/invariants.h"
#include "tests/world/objects.h"
#include "tests/world/process.h"
#include "tests/world/worker.h"

namespace vdcu::integration {

using world::Api;
using world::Background;
using world::BreachesOfFiles;
using world::BreachesOfObjects;
using world::Cluster;
using world::Condition;
using world::Container;
using world::kControllerUser;
using world::kDcuNodes;
using world::kPartitions;
using world::kPods;
using world::Limits;
using world::NodeHost;
using world::Output;
using world::Partition;
using world::Pod;
using world::RunProgram;
using world::Until;
using world::Worker;

struct World : world::ControlPlane {
  World();

  Worker big;
  Worker small;

  std::vector<const Worker*> workers() const { return {&big, &small}; }
  std::vector<const NodeHost*> hosts() const { return {&big, &small}; }
};

class PlacementTest : public testing::Test {
 protected:
  static World& world();
  static const Api& api() { return world().api; }

  // Everything runs.
  void SetUp() override;
  // All is deleted, and nothing is left of it.
  void TearDown() override;

  // The object as it was stored.
  static nlohmann::json Create(const nlohmann::json& object, const std::string& user = "") {
    return world::Create(api(), object, user);
  }
  static void Delete(const std::string& path, const std::string& name) {
    world::Delete(api(), path, name);
  }
  nlohmann::json FindPod(const std::string& name) const { return api().Find(kPods, name); }
  nlohmann::json FindPartition(const std::string& name) const {
    return api().Find(kPartitions, name);
  }
  // The partitions that were made for the pod, by name.
  std::vector<nlohmann::json> PartitionsOf(const std::string& pod) const;
  static bool HasEvent(const std::string& object, const std::string& reason,
                       const std::string& note_part) {
    return world::HasEvent(api(), object, reason, note_part);
  }

  // Each waits, and says what there is instead where the wait was in vain.
  // The node that the pod was bound to.
  std::string Bound(const std::string& pod);
  // The partition of a pod that has one.
  nlohmann::json OnlyPartitionOf(const std::string& pod);
  // The pod has PodScheduled=False with that reason, and the message contains the part.
  bool Waits(const std::string& pod, const std::string& reason, const std::string& message_part);
  bool Becomes(const std::string& partition, const std::string& condition,
               const std::string& status_and_reason);
  bool Eventually(const std::string& what, const std::function<bool()>& done);

  void ExpectNoBreach();
  void ExpectFilesOfAssignments();

 private:
  static void StartAll();
  std::string Logs() const;
};

}  // namespace vdcu::integration
