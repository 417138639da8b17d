// A control plane, the real vdcu-controller and vdcu-node of one node with three Z100L, each behind
// the fault proxy, and a story to disturb: a reserved partition, a pod with a slice, a pod with two
// whole cards, a pod that uses the reserved partition, and the end of all of them.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/faults/guard.h"
#include "tests/faults/proxy.h"
#include "tests/world/control_plane.h"
#include "tests/world/objects.h"
#include "tests/world/worker.h"

namespace vdcu::faults {

inline constexpr char kNode[] = "node";

struct World : world::ControlPlane {
  World();

  world::Worker node;
  Proxy proxy;  // "controller", "daemon" and "second", another controller

  // Points the kubeconfigs at the proxy again, after they were written anew.
  void Redirect() const;
};

class FaultTest : public testing::Test {
 protected:
  static World& world();
  static const world::Api& api() { return world().api; }
  static const Proxy& proxy() { return world().proxy; }

  // Both run, undisturbed, and nothing is there.
  void SetUp() override;
  // All is deleted, nothing is left of it, and nothing was ever granted twice.
  void TearDown() override;

  // Around each thing that the story does, from 0 to kParts - 1.
  static constexpr int kParts = 9;
  struct Hooks {
    std::function<void(int part)> before = [](int) {};
    std::function<void(int part)> after = [](int) {};
  };
  // Tells the story from beginning to end; whoever dies is started again. Returns what there was at
  // its height, without what differs from one time to the next: times, UIDs, versions.
  nlohmann::json Story(const Hooks& hooks);
  nlohmann::json Story() { return Story({}); }
  // The story, which must come to what it comes to undisturbed.
  void ExpectTheSameEnd(const Hooks& hooks);
  void ExpectTheSameEnd() { ExpectTheSameEnd(Hooks{}); }
  struct Calm {
    nlohmann::json height;
    std::map<std::string, int> writes;  // by client; those of events and Leases are not counted
  };
  // The story as it goes when nothing disturbs it; told once.
  const Calm& Undisturbed();

  static void Create(const nlohmann::json& object, const std::string& user = "") {
    world::Create(api(), object, user);
  }
  static void Delete(const std::string& path, const std::string& name) {
    world::Delete(api(), path, name);
  }
  bool Bound(const std::string& pod);
  bool Becomes(const std::string& partition, const std::string& condition,
               const std::string& status_and_reason);
  // Waits, starts again who died, and says what there is where the wait was in vain.
  bool Reach(const std::string& what, const std::function<bool()>& done);

  // Look: for what is granted twice, from SetUp on.
  void Look() { guard_ = std::make_unique<Guard>(api(), world().node); }
  void StopLooking();
  // Both, with SIGKILL, so that they have no memory of failures before.
  void StartAnew();
  pid_t PidOf(const std::string& client) const;
  int deaths_ = 0;     // of both, since the story began
  bool tends_ = true;  // false: who runs is the test's own affair

 private:
  void StoryRises(const Hooks& hooks);
  void StoryFalls(const Hooks& hooks);
  void Tend();

  std::unique_ptr<Guard> guard_;
  int part_ = 0;
};

inline const world::Limits kSlice{{"dcunum", "1"}, {"dcumem", "2000"}, {"dcucores", "15"}};
inline const world::Limits kWholeCard{{"dcunum", "1"}};
inline const world::Limits kTwoCards{{"dcunum", "2"}};

}  // namespace vdcu::faults
