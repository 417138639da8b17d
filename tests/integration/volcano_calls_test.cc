// The calls of Volcano's extender plugin, made by the test with the pods as the API server has
// them.
#include "tests/integration/placement_fixture.h"
#include "tests/world/free_port.h"
#include "tests/world/http.h"

namespace vdcu::integration {
namespace {

using nlohmann::json;

const Limits kCard{{"dcunum", "1"}};

class VolcanoCallsTest : public PlacementTest {
 protected:
  void SetUp() override {
    PlacementTest::SetUp();
    Restart({"--volcano", "127.0.0.1:" + std::to_string(port_)});
  }
  void TearDown() override {
    Restart({});
    PlacementTest::TearDown();
  }
  static void Restart(const std::vector<std::string>& flags) {
    world().controller.reset();
    world().controller = world().MakeController("controller", flags);
  }

  // On the node with four cards, in the words of the scheduler that is to place it.
  static json CardOfSmall(const std::string& name, const std::string& scheduler) {
    json pod = Pod(name, kCard);
    pod["spec"]["schedulerName"] = scheduler;
    pod["spec"]["nodeSelector"] = {{"kubernetes.io/hostname", "small"}};
    return pod;
  }
  json Task(const std::string& name, const std::string& node = "") const {
    constexpr int kPending = 1;
    constexpr int kAllocated = 2;
    const json pod = FindPod(name);
    return {{"UID", pod["metadata"]["uid"]},
            {"Name", name},
            {"Namespace", "default"},
            {"NodeName", node},
            {"Status", node.empty() ? kPending : kAllocated},
            {"Pod", pod}};
  }
  world::HttpAnswer Post(const std::string& path, const json& body) const {
    return world::Fetch({.method = "POST",
                         .url = "http://127.0.0.1:" + std::to_string(port_) + path,
                         .body = body.dump()});
  }
  json Predicate(const std::string& name, const std::vector<std::string>& beside) const {
    json tasks = json::object();
    for (const std::string& other : beside) tasks["default/" + other] = Task(other, "small");
    const json node{{"Name", "small"}, {"Tasks", tasks}};
    return json::parse(Post("/volcano/predicate", {{"task", Task(name)}, {"node", node}}).text,
                       nullptr, false);
  }
  std::string Say(const std::string& verb, const std::string& name) const {
    return Post("/volcano/" + verb, {{"task", Task(name, "small")}}).text;
  }

  const int port_ = world::FreePort();
};

TEST_F(VolcanoCallsTest, WhatASessionAllocatesIsKeptFromOthersUntilItThinksBetterOfIt) {
  for (const char* name : {"v0", "v1", "v2", "v3", "v4"}) Create(CardOfSmall(name, "volcano"));
  ASSERT_TRUE(
      Eventually("the controller answers", [&] { return Predicate("v0", {}) == json::object(); }));
  std::vector<std::string> session;
  for (const char* name : {"v0", "v1", "v2", "v3"}) {
    EXPECT_EQ(Predicate(name, session), json::object()) << name;
    session.emplace_back(name);
  }
  const json refused = Predicate("v4", session);
  EXPECT_EQ(refused["code"], 2) << refused.dump();
  EXPECT_NE(refused.dump().find("4 cards: "), std::string::npos) << refused.dump();
  for (const std::string& name : session) EXPECT_EQ(Say("allocate", name), "{}");
  EXPECT_NE(Say("allocate", "v4").find("errorMessage"), std::string::npos);
  Create(CardOfSmall("ours", "vdcu-scheduler"));
  // A session asks again each second.
  EXPECT_TRUE(Eventually("ours waits", [&] {
    for (const std::string& name : session) Say("allocate", name);
    return Condition(FindPod("ours"), "PodScheduled").is_object();
  }));
  EXPECT_FALSE(FindPod("ours")["spec"].contains("nodeName"));
  EXPECT_TRUE(api().List(kPartitions).empty()) << "nothing is written for a session";
  EXPECT_EQ(Say("deallocate", "v0"), "{}");
  EXPECT_EQ(Bound("ours"), "small");
}

TEST_F(VolcanoCallsTest, APodThatVolcanoThenBindsHasItsSliceThere) {
  Create(CardOfSmall("held", "volcano"));
  Create(CardOfSmall("planned", "volcano"));
  ASSERT_TRUE(Eventually("the controller answers",
                         [&] { return Predicate("held", {}) == json::object(); }));
  EXPECT_EQ(Say("allocate", "held"), "{}");
  EXPECT_EQ(Predicate("planned", {"held"}), json::object());
  for (const char* name : {"held", "planned"}) {
    const json binding{{"apiVersion", "v1"},
                       {"kind", "Binding"},
                       {"metadata", {{"name", name}}},
                       {"target", {{"kind", "Node"}, {"name", "small"}}}};
    const auto bound = api().Call("POST", std::string(kPods) + "/" + name + "/binding", binding);
    ASSERT_EQ(bound.code, 201) << bound.body.dump();
  }
  for (const char* name : {"held", "planned"}) {
    EXPECT_TRUE(Eventually(std::string(name) + " has its card", [&] {
      const auto partitions = PartitionsOf(name);
      return partitions.size() == 1 && Condition(partitions[0], "Ready")["status"] == "True" &&
             partitions[0]["spec"]["assignment"]["node"] == "small";
    }));
  }
  ExpectNoBreach();
}

TEST_F(VolcanoCallsTest, NothingElseIsServedThere) {
  Create(CardOfSmall("v", "volcano"));
  ASSERT_TRUE(
      Eventually("the controller answers", [&] { return Predicate("v", {}) == json::object(); }));
  for (const char* path : {"/kube/bind", "/kube/filter", "/volcano/bind", "/metrics"}) {
    EXPECT_EQ(Post(path, {{"task", Task("v", "small")}}).code, 404) << path;
  }
  const world::HttpAnswer wrong = Post("/volcano/predicate", {{"task", {{"UID", 7}}}});
  EXPECT_EQ(wrong.code, 400);
  EXPECT_NE(wrong.text.find("node: must be an object"), std::string::npos) << wrong.text;
}

}  // namespace
}  // namespace vdcu::integration
