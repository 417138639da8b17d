// A binding that the API server refuses kept the pod's slice for minutes, and nothing said so.
#include <string>
#include <thread>

#include "tests/integration/placement_fixture.h"
#include "tests/world/refusals.h"

namespace vdcu::integration {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using world::Policy;

class RefusedBind : public PlacementTest {
 protected:
  // No pod whose name begins with "denied" is bound.
  static Policy NoBinding() {
    json probe = Pod("denied-probe", {});
    probe["spec"]["schedulerName"] = "none";
    api().Call("POST", kPods, probe);
    const auto refuses = [] {
      const json binding = {{"apiVersion", "v1"},
                            {"kind", "Binding"},
                            {"metadata", {{"name", "denied-probe"}}},
                            {"target", {{"kind", "Node"}, {"name", "small"}}}};
      return api()
                 .Call("POST", std::string(kPods) + "/denied-probe/binding?dryRun=All", binding)
                 .code == 422;
    };
    return Policy(api(), "no-binding",
                  {"", "pods/binding", "CREATE", "!object.metadata.name.startsWith('denied')"},
                  refuses);
  }
  static int64_t Refused() { return CountAnswers(api(), "POST", "pods/binding", 422); }
};

TEST_F(RefusedBind, ItIsToldAndTheCardIsForOthers) {
  const std::map<std::string, std::string> card{
      {"hygon.com/use-gpuuuid", world().small.host().Uuid(0)}};
  {
    const Policy policy = NoBinding();
    Create(Pod("denied", {{"dcunum", "1"}}, card));
    ASSERT_TRUE(Waits("denied", "BindRefused", "refused by no-binding"));
    Eventually("an event says so",
               [&] { return HasEvent("denied", "FailedScheduling", "refused by no-binding"); });
    Eventually("its card goes back", [&] { return PartitionsOf("denied").empty(); });
    Create(Pod("other", {{"dcunum", "1"}}, card));
    EXPECT_EQ(Bound("other"), "small");
    Delete(kPods, "other");
    const int64_t before = Refused();
    std::this_thread::sleep_for(seconds(4));
    EXPECT_LE(Refused() - before, 4);
    world().controller.reset();
    world().controller = world().MakeController("controller");
  }
  EXPECT_EQ(Bound("denied"), "small");
  ExpectNoBreach();
}

TEST_F(RefusedBind, AReservedPartitionIsForTheNextPod) {
  const Policy policy = NoBinding();
  Create(Partition("reserved", {{"cores", 10}, {"memory", "1Gi"}}));
  ASSERT_TRUE(Becomes("reserved", "Ready", "True/Ready"));
  const Limits card{{"dcunum", "1"}};
  json first = Pod("denied", card, {{"vdcu.io/partition", "reserved"}});
  Create(first);
  ASSERT_TRUE(Waits("denied", "BindRefused", "refused by no-binding"));
  Create(Pod("second", card, {{"vdcu.io/partition", "reserved"}}));
  EXPECT_FALSE(Bound("second").empty());
  EXPECT_TRUE(Waits("denied", "Unschedulable", "reserved is held by pod second"));
}

}  // namespace
}  // namespace vdcu::integration
