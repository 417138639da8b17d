// What tools of HAMi read of a pod: written by the binding itself, and only where it is asked for.
#include <set>
#include <string>

#include "tests/integration/placement_fixture.h"

namespace vdcu::integration {
namespace {

using nlohmann::json;

const Limits kSlice{{"dcunum", "1"}, {"dcumem", "2000"}, {"dcucores", "15"}};

class HamiTest : public PlacementTest {
 protected:
  void TearDown() override {
    Restart({});
    PlacementTest::TearDown();
  }
  static void Restart(const std::vector<std::string>& flags) {
    world().controller.reset();
    world().controller = world().MakeController("controller", flags);
  }
  // Of the pod, those that begin with hami.io/.
  json HamiOf(const std::string& pod) const {
    json found = json::object();
    const json annotations = FindPod(pod)["metadata"].value("annotations", json::object());
    for (const auto& [key, value] : annotations.items()) {
      if (key.starts_with("hami.io/")) found[key] = value;
    }
    return found;
  }
  // By the DCUNode of "small".
  static std::string IndexOf(const std::string& uuid) {
    const json devices = api().Find(kDcuNodes, "small")["status"]["devices"];
    for (const json& card : devices) {
      if (card["uuid"] == uuid) return std::to_string(card["index"].get<int>());
    }
    return "none";
  }
  // A first container that asks for nothing, and an init container.
  json PodOfThree(const std::string& name) const {
    json pod = Pod(name, kSlice, {{"hygon.com/use-dcutype", "Z100L"}});
    json& containers = pod["spec"]["containers"];
    containers.insert(containers.begin(), Container("idle", {}));
    pod["spec"]["initContainers"] = json::array({Container("init", {})});
    return pod;
  }
};

TEST_F(HamiTest, TheBindingTellsWhatThePodHasAndCostsNoWriteMore) {
  Restart({"--hami", "dcu"});
  Create(PodOfThree("told"));
  ASSERT_EQ(Bound("told"), "small");
  const json made = OnlyPartitionOf("told");
  const std::string id = "DCU-" + IndexOf(made["spec"]["assignment"]["device"]);
  json told = HamiOf("told");
  EXPECT_GT(std::stoll(told.value("hami.io/vgpu-time", "0")), 1'700'000'000);
  told.erase("hami.io/vgpu-time");
  EXPECT_EQ(told, (json{{"hami.io/vgpu-node", "small"},
                        {"hami.io/bind-phase", "success"},
                        {"hami.io/dcu-devices-allocated", ";;" + id + ",DCU,2000,15:;"}}));
  const std::string partition = made["metadata"]["name"];
  Eventually("the binding has its event", [&] { return HasEvent("told", "Scheduled", "small"); });
  const auto requests = [&] { return world().RequestsAbout({"told", partition}); };
  Eventually("three requests are answered", [&] { return requests().size() >= 3; });
  EXPECT_THAT(requests(), testing::UnorderedElementsAre("vdcu-controller create vdcupartitions",
                                                        "vdcu-node patch vdcupartitions/status",
                                                        "vdcu-controller create pods/binding"));
}

TEST_F(HamiTest, AlsoOfAReservedPartitionAsTheOtherFamilyAndNotWithoutTheFlag) {
  Create(Partition("kept", {{"cores", 50}, {"memory", "4000Mi"}}));
  ASSERT_TRUE(Becomes("kept", "Ready", "True/Ready"));
  Create(Pod("silent", kSlice));
  Bound("silent");
  EXPECT_EQ(HamiOf("silent"), json::object());
  Restart({"--hami", "hcu"});
  Create(Pod("user", {{"dcunum", "1"}}, {{"vdcu.io/partition", "kept"}}));
  Bound("user");
  const std::string uuid = FindPartition("kept")["spec"]["assignment"]["device"];
  EXPECT_EQ(HamiOf("user")["hami.io/hcu-devices-allocated"],
            "HCU-" + uuid.substr(std::string("DCU-").size()) + ",HCU,4000,50:;");
  const json annotations = FindPod("user")["metadata"]["annotations"];
  EXPECT_TRUE(annotations.contains("vdcu.io/bound-partition")) << "in the same binding";
}

}  // namespace
}  // namespace vdcu::integration
