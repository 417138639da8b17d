// A control plane with the real vdcu-controller and two real vdcu-node: "big" with eight K100_AI
// (120 units, 65520 MiB) and "small" with four Z100L (60 units, 32768 MiB). One for all tests of a
// binary; each test must leave it empty, and is told where it does not.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/integration/api.h"
#include "tests/integration/background.h"
#include "tests/integration/cluster.h"
#include "tests/integration/worker.h"

namespace vdcu::integration {

inline constexpr char kPods[] = "/api/v1/namespaces/default/pods";
inline constexpr char kPartitions[] = "/apis/vdcu.io/v1alpha1/namespaces/default/vdcupartitions";
inline constexpr char kDcuNodes[] = "/apis/vdcu.io/v1alpha1/dcunodes";
inline constexpr char kControllerUser[] = "system:serviceaccount:vdcu-system:vdcu-controller";

struct World {
  World();

  Cluster cluster;
  Api api;
  std::string kubeconfig;  // the controller's
  Worker big;
  Worker small;
  std::unique_ptr<Background> controller;

  // Its output goes to NAME.log below the cluster's folder.
  std::unique_ptr<Background> MakeController(const std::string& name,
                                             const std::vector<std::string>& flags = {}) const;
  std::string ControllerLog(const std::string& name = "controller") const;
  // What controller and daemons have asked for about the pods and partitions of these names, as in
  // "vdcu-controller create pods/binding"; lists and watches are left out.
  std::vector<std::string> RequestsAbout(const std::set<std::string>& names) const;
  std::vector<const Worker*> workers() const { return {&big, &small}; }
  std::vector<const NodeHost*> hosts() const { return {&big, &small}; }
};

// "hygon.com/" is put before the names.
using Limits = std::map<std::string, std::string>;
nlohmann::json Container(const std::string& name, const Limits& limits);
nlohmann::json Pod(const std::string& name, const Limits& limits,
                   const std::map<std::string, std::string>& annotations = {});
nlohmann::json Partition(const std::string& name, const nlohmann::json& spec);
// The condition of that type, or null.
nlohmann::json Condition(const nlohmann::json& object, const std::string& type);

class PlacementTest : public testing::Test {
 protected:
  static World& world();
  static const Api& api() { return world().api; }

  // Everything runs.
  void SetUp() override;
  // All is deleted, and nothing is left of it.
  void TearDown() override;

  // The object as it was stored.
  nlohmann::json Create(const nlohmann::json& object, const std::string& user = "");
  // A pod without a grace period; anything else as kubectl does, without waiting.
  void Delete(const std::string& path, const std::string& name);
  nlohmann::json FindPod(const std::string& name) const { return api().Find(kPods, name); }
  nlohmann::json FindPartition(const std::string& name) const {
    return api().Find(kPartitions, name);
  }
  // The partitions that were made for the pod, by name.
  std::vector<nlohmann::json> PartitionsOf(const std::string& pod) const;
  bool HasEvent(const std::string& object, const std::string& reason,
                const std::string& note_part) const;

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
