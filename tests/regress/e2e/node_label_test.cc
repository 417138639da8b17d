// A hand on the label by which a daemon finds its partitions where the API server does not select
// by fields (Kubernetes before 1.31), while containers run: nothing of theirs goes.
#include <string>

#include "tests/e2e/e2e_test.h"
#include "tests/world/crd_edit.h"

namespace vdcu::e2e {
namespace {

using nlohmann::json;
using world::kPartitions;

class NodeLabelTest : public E2eTest {
 protected:
  static void SetLabel(const std::string& partition, const json& value) {
    const json patch = {{"metadata", {{"labels", {{"vdcu.io/node", value}}}}}};
    const auto answer = api().Call("PATCH", kPartitions + ("/" + partition), patch);
    EXPECT_EQ(answer.code, 200) << answer.body.dump();
  }
  static bool IsLabelled(const std::string& partition) {
    const json labels =
        api().Find(kPartitions, partition)["metadata"].value("labels", json::object());
    return labels.value("vdcu.io/node", "") == kNode;
  }
};

TEST_F(NodeLabelTest, ContainersKeepTheirSlicesAndStartAgainWithThem) {
  const world::WithoutSelectableFields without(api());
  machine().KillDaemon();
  machine().StartDaemon();
  Create(world::Partition("kept", {{"cores", 15}, {"memory", "2000Mi"}}));
  json own = RealPod("own", Slice(9, 2000));
  json user = RealPod("user", kWholeCard, {{"vdcu.io/partition", "kept"}});
  for (json* pod : {&own, &user}) {
    (*pod)["spec"]["restartPolicy"] = "Always";
    Create(*pod);
  }
  ASSERT_TRUE(Runs(std::vector<std::string>{"own", "user"}));
  const std::string made = PartitionsOf("own").at(0)["metadata"]["name"];
  for (const json& hand : {json(nullptr), json("another")}) {
    for (const std::string& partition : {made, std::string("kept")}) {
      SetLabel(partition, hand);
      ASSERT_TRUE(Eventually("the label is put right", [&] { return IsLabelled(partition); }));
    }
  }
  for (const std::string pod : {"own", "user"}) {
    const std::string before = Identity(pod);
    End({pod});
    EXPECT_TRUE(Eventually("a new container of " + pod, [&] {
      return Identity(pod) != before && ContainerOf(pod).has_value();
    }));
  }
  ExpectOwnSlice("own");
  ExpectSlice("user", "main", api().Find(kPartitions, "kept"));
}

}  // namespace
}  // namespace vdcu::e2e
