// Patches that the API server refuses: an assignment of a reserved partition was tried again at
// once, for ever, without a word; a status was never written any more.
#include <string>
#include <thread>

#include "tests/integration/placement_fixture.h"
#include "tests/world/refusals.h"

namespace vdcu::integration {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using world::Policy;

class RefusedPatch : public PlacementTest {
 protected:
  // As the controller, without doing it.
  static bool IsRefused(const std::string& path, const json& patch) {
    return api().Call("PATCH", path + "?dryRun=All", patch, kControllerUser).code == 422;
  }
};

TEST_F(RefusedPatch, OfAnAssignmentIsToldAndMended) {
  {
    Create(Partition("probe", {{"cores", 10}, {"nodeSelector", {{"no", "node"}}}}));
    const Policy policy(
        api(), "no-finalizer",
        {"vdcu.io", "vdcupartitions", "UPDATE",
         "!has(object.metadata.finalizers) || has(object.metadata.deletionTimestamp)"},
        [] {
          return IsRefused(std::string(kPartitions) + "/probe",
                           {{"metadata", {{"finalizers", {"vdcu.io/in-use"}}}}});
        });
    Create(Partition("reserved", {{"cores", 10}, {"memory", "1Gi"}}));
    ASSERT_TRUE(Becomes("reserved", "Assigned", "False/AssignRefused"));
    Eventually("an event says so",
               [&] { return HasEvent("reserved", "AssignRefused", "refused by no-finalizer"); });
    const int64_t before = CountAnswers(api(), "PATCH", "vdcupartitions", 422);
    std::this_thread::sleep_for(seconds(4));
    EXPECT_LE(CountAnswers(api(), "PATCH", "vdcupartitions", 422) - before, 4);
  }
  EXPECT_TRUE(Becomes("reserved", "Ready", "True/Ready"));
  EXPECT_TRUE(Condition(FindPartition("reserved"), "Assigned").is_null());
}

TEST_F(RefusedPatch, OfAPodsStatusIsWrittenWhenItMay) {
  {
    const json status = {{"status", {{"reason", "probe"}}}};
    json probe = Pod("mute-probe", {});
    probe["spec"]["schedulerName"] = "none";
    Create(probe);
    const Policy policy(
        api(), "no-status",
        {"", "pods/status", "UPDATE", "!object.metadata.name.startsWith('mute')"},
        [&] { return IsRefused(std::string(kPods) + "/mute-probe/status", status); });
    const int64_t before = CountAnswers(api(), "PATCH", "pods/status", 422);
    Create(Pod("mute", {{"dcunum", "60"}}));
    Eventually("an event says what is not written",
               [&] { return HasEvent("mute", "WriteRefused", "refused by no-status"); });
    std::this_thread::sleep_for(seconds(4));
    EXPECT_LE(CountAnswers(api(), "PATCH", "pods/status", 422) - before, 8);
  }
  EXPECT_TRUE(Waits("mute", "Unschedulable", "nodes fit"));
}

}  // namespace
}  // namespace vdcu::integration
