// A control plane with the real vdcu-controller, and one simulated machine with eight K100_AI (120
// units, 65520 MiB each), a real kubelet and containerd, and the real vdcu-node. One for all tests
// of a binary; each test must leave it empty, and is told where it does not. A Checker looks all
// the time.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/e2e/checker.h"
#include "tests/e2e/containers.h"
#include "tests/e2e/machine.h"
#include "tests/e2e/pods.h"
#include "tests/world/control_plane.h"
#include "tests/world/objects.h"

namespace vdcu::e2e {

inline constexpr char kNode[] = "node-1";

struct World : world::ControlPlane {
  World();

  Machine machine;
};

class E2eTest : public testing::Test {
 protected:
  static World& world();
  static Machine& machine() { return world().machine; }
  static const world::Api& api() { return world().api; }

  // Skips where this user is not root. Everything runs, nothing is there.
  void SetUp() override;
  // All is deleted, nothing is left of it, and nothing was ever in two hands.
  void TearDown() override;

  void StartAll();
  // Of its kind and namespace; the object as it was stored.
  static nlohmann::json Create(const nlohmann::json& object) {
    return world::Create(api(), object);
  }
  // Pods of different slices, small enough for any four to share a card; their names.
  std::vector<std::string> CreateSlices(int count, const std::string& prefix = "slice");
  // A pod with its own grace period; a forced deletion asks nobody.
  void Delete(const std::string& pod, bool force = false);
  static nlohmann::json FindPod(const std::string& name) { return api().Find(world::kPods, name); }
  static std::string UidOf(const std::string& pod);
  static std::vector<nlohmann::json> PartitionsOf(const std::string& pod);
  static bool HasEvent(const std::string& object, const std::string& reason,
                       const std::string& note_part) {
    return world::HasEvent(api(), object, reason, note_part);
  }
  static std::string Log(const std::string& pod, const std::string& container = "main");
  // containerID and restartCount of its first container.
  static std::string Identity(const std::string& pod);
  // The container that runs in it, if it is one.
  static std::optional<RunningContainer> ContainerOf(const std::string& pod);

  // Each waits, and says what there is where the wait was in vain.
  bool Eventually(const std::string& what, const std::function<bool()>& done,
                  base::Duration most = std::chrono::seconds(240));
  bool Runs(const std::vector<std::string>& pods);
  bool Runs(const std::string& pod) { return Runs(std::vector<std::string>{pod}); }
  bool Waits(const std::string& pod);
  bool IsGone(const std::string& pod);
  bool HasPhase(const std::string& pod, const std::string& phase);
  bool DaemonIsReady();
  bool Advertises(const std::string& slots);

  // Whose pods are to run: all of `replicas` do, and nobody else holds anything.
  bool OwnedRun(size_t replicas);

  // SIGTERM to the containers of these pods, from outside.
  void End(const std::vector<std::string>& pods);
  // What the container printed is what its partition and card ask for.
  void ExpectOwnSlice(const std::string& pod, const std::string& container = "main");
  void ExpectSlice(const std::string& pod, const std::string& container,
                   const nlohmann::json& partition);
  void ExpectOwnCards(const std::string& pod, size_t count);
  void ExpectNoAdmissionError();
  void ExpectFilesOfAssignments();

  // What is there, for a message.
  static std::string Scene();

  std::unique_ptr<Checker> checker_;

 private:
  static std::string NodesOf(const std::vector<nlohmann::json>& partitions);
};

}  // namespace vdcu::e2e
