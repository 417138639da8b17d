// Nodes with cards get the taint that keeps pods without cards off them, from a controller that may
// patch Nodes.
#include "tests/integration/placement_fixture.h"

namespace vdcu::integration {
namespace {

using nlohmann::json;

constexpr char kRoles[] = "/apis/rbac.authorization.k8s.io/v1/clusterroles";
constexpr char kBindings[] = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings";
const json kTaint{{"key", "example.com/dcu"}, {"effect", "NoSchedule"}};
const json kOther{{"key", "example.com/other"}, {"value", "x"}, {"effect", "PreferNoSchedule"}};

class NodeTaintTest : public PlacementTest {
 protected:
  void SetUp() override {
    PlacementTest::SetUp();
    const json meta{{"name", "node-taints"}};
    const json rule{{"apiGroups", {""}}, {"resources", {"nodes"}}, {"verbs", {"patch"}}};
    api().Call("POST", kRoles, {{"metadata", meta}, {"rules", json::array({rule})}});
    const json group{{"apiGroup", "rbac.authorization.k8s.io"}};
    json role = group;
    role.update({{"kind", "ClusterRole"}, {"name", "node-taints"}});
    json user = group;
    user.update({{"kind", "User"}, {"name", kControllerUser}});
    api().Call("POST", kBindings,
               {{"metadata", meta}, {"roleRef", role}, {"subjects", json::array({user})}});
  }
  void TearDown() override {
    Restart({});
    for (const char* node : {"big", "small"}) SetTaints(node, nullptr);
    api().Call("DELETE", std::string(kBindings) + "/node-taints");
    api().Call("DELETE", std::string(kRoles) + "/node-taints");
    PlacementTest::TearDown();
  }
  static void Restart(const std::vector<std::string>& flags) {
    world().controller.reset();
    world().controller = world().MakeController("controller", flags);
  }
  static std::string PathOf(const std::string& node) { return "/api/v1/nodes/" + node; }
  static void SetTaints(const std::string& node, const json& taints) {
    EXPECT_EQ(api().Call("PATCH", PathOf(node), {{"spec", {{"taints", taints}}}}).code, 200);
  }
  static json TaintsOf(const std::string& node) {
    return api().Find("/api/v1/nodes", node)["spec"].value("taints", json());
  }
};

TEST_F(NodeTaintTest, NodesWithCardsGetTheTaintAndPodsWithItsTolerationGoThere) {
  SetTaints("big", json::array({kOther}));
  Restart({"--taint-nodes", "example.com/dcu"});
  EXPECT_TRUE(Eventually("big has both taints",
                         [] { return TaintsOf("big") == json::array({kOther, kTaint}); }));
  EXPECT_TRUE(
      Eventually("small has it", [] { return TaintsOf("small") == json::array({kTaint}); }));

  Create(Pod("without", {{"dcunum", "1"}}));
  EXPECT_TRUE(Waits("without", "Unschedulable", "2 node has taint example.com/dcu:NoSchedule"));
  json tolerant = Pod("with", {{"dcunum", "1"}});
  tolerant["spec"]["tolerations"] =
      json::array({{{"key", "example.com/dcu"}, {"operator", "Exists"}}});
  Create(tolerant);
  EXPECT_FALSE(Bound("with").empty());

  SetTaints("small", nullptr);
  EXPECT_TRUE(
      Eventually("small has it again", [] { return TaintsOf("small") == json::array({kTaint}); }));
}

}  // namespace
}  // namespace vdcu::integration
