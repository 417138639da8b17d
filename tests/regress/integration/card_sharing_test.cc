// Seen: a process takes its vdev file away and has the whole card, with the slices of others on it.
// Where namespaces do not trust each other none shares a card with another.
#include "tests/integration/placement_fixture.h"

namespace vdcu::integration {
namespace {

using nlohmann::json;

constexpr char kNamespaces[] = "/api/v1/namespaces";
constexpr char kTheirs[] = "/apis/vdcu.io/v1alpha1/namespaces/tenant/vdcupartitions";
constexpr char kWhy[] = "shared with other namespaces";

class CardSharingTest : public PlacementTest {
 protected:
  void SetUp() override {
    PlacementTest::SetUp();
    if (!api().Find(kNamespaces, "tenant").is_object()) {
      const json tenant = {
          {"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", "tenant"}}}};
      ASSERT_EQ(api().Call("POST", kNamespaces, tenant).code, 201);
    }
    card_ = api().Find(kDcuNodes, "small")["status"]["devices"][0]["uuid"];
  }
  void TearDown() override {
    ShareCards(nullptr);
    Annotate(nullptr);
    for (const json& partition : api().List(kTheirs)) {
      Delete(kTheirs, partition["metadata"]["name"]);
    }
    EXPECT_TRUE(Eventually("tenant is empty", [] { return api().List(kTheirs).empty(); }));
    PlacementTest::TearDown();
  }
  static void Annotate(const json& share) {
    const auto set = api().Call("PATCH", std::string(kNamespaces) + "/tenant",
                                {{"metadata", {{"annotations", {{"vdcu.io/share", share}}}}}});
    EXPECT_LT(set.code, 300) << set.body.dump();
  }
  static void ShareCards(const json& share) {
    const auto set =
        api().Call("PATCH", std::string(kDcuNodes) + "/small", {{"spec", {{"shareCards", share}}}});
    EXPECT_LT(set.code, 300) << set.body.dump();
  }
  // A reserved partition of the one card.
  void Reserve(const std::string& path, const std::string& name) const {
    const json partition = Partition(
        name, {{"computeUnits", 5}, {"memory", "1Gi"}, {"devices", {{"uuids", {card_}}}}});
    const auto stored = api().Call("POST", path, partition);
    EXPECT_EQ(stored.code, 201) << stored.body.dump();
  }
  static json Share(const json& partition) {
    return partition["spec"]["assignment"].value("share", "cluster");
  }
  bool IsKeptApart(const std::string& path, const std::string& name) {
    return Has(path, name, "Assigned", "False", kWhy);
  }
  bool IsReady(const std::string& path, const std::string& name) {
    return Has(path, name, "Ready", "True", "");
  }
  bool Has(const std::string& path, const std::string& name, const std::string& type,
           const std::string& status, const std::string& message_part) {
    json condition;
    const bool did = Eventually(name + " has " + type + "=" + status, [&] {
      condition = Condition(api().Find(path, name), type);
      return condition.is_object() && condition["status"] == status &&
             condition["message"].get<std::string>().find(message_part) != std::string::npos;
    });
    if (!did) ADD_FAILURE() << condition.dump() << api().Find(path, name).dump();
    return did;
  }

  std::string card_;
};

TEST_F(CardSharingTest, ANamespaceKeepsItsCardsForItself) {
  Annotate("namespace");
  Reserve(kPartitions, "mine");
  ASSERT_TRUE(IsReady(kPartitions, "mine"));
  Reserve(kTheirs, "theirs");
  ASSERT_TRUE(IsKeptApart(kTheirs, "theirs"));
  Delete(kPartitions, "mine");
  ASSERT_TRUE(IsReady(kTheirs, "theirs"));
  EXPECT_EQ(Share(api().Find(kTheirs, "theirs")), "namespace");

  // It stays so for what is there, and a controller knows it that knows nothing but the objects.
  Annotate(nullptr);
  world().controller.reset();
  world().controller = world().MakeController("controller");
  Reserve(kPartitions, "late");
  EXPECT_TRUE(IsKeptApart(kPartitions, "late"));
  Create(Pod("pod", {{"dcunum", "1"}, {"dcumem", "100"}, {"dcucores", "5"}},
             {{"hygon.com/use-gpuuuid", card_}}));
  EXPECT_TRUE(Waits("pod", "Unschedulable", kWhy));
  Reserve(kTheirs, "beside");
  ASSERT_TRUE(IsReady(kTheirs, "beside"));
  Delete(kTheirs, "beside");
  Delete(kTheirs, "theirs");
  EXPECT_TRUE(IsReady(kPartitions, "late"));
  EXPECT_FALSE(Bound("pod").empty());
}

TEST_F(CardSharingTest, APodAndANodeSayItToo) {
  Create(Pod("first", {{"dcunum", "1"}, {"dcumem", "100"}, {"dcucores", "5"}},
             {{"hygon.com/use-gpuuuid", card_}, {"vdcu.io/share", "namespace"}}));
  ASSERT_FALSE(Bound("first").empty());
  EXPECT_EQ(Share(OnlyPartitionOf("first")), "namespace");
  Reserve(kTheirs, "theirs");
  ASSERT_TRUE(IsKeptApart(kTheirs, "theirs"));
  Delete(kPods, "first");
  ASSERT_TRUE(IsReady(kTheirs, "theirs"));
  EXPECT_EQ(Share(api().Find(kTheirs, "theirs")), "cluster");

  ShareCards("namespace");
  Reserve(kPartitions, "second");
  ASSERT_TRUE(IsKeptApart(kPartitions, "second"));
  EXPECT_EQ(Share(api().Find(kTheirs, "theirs")), "cluster") << "what is there stays";
  ShareCards("cluster");
  EXPECT_TRUE(IsReady(kPartitions, "second"));
}

// A cluster-wide one; nothing but the flag says so.
TEST_F(CardSharingTest, AControllerIsToldForTheWholeCluster) {
  world().controller.reset();
  world().controller = world().MakeController("controller", {"--share-cards", "namespace"});
  Reserve(kPartitions, "mine");
  ASSERT_TRUE(IsReady(kPartitions, "mine"));
  EXPECT_EQ(Share(FindPartition("mine")), "namespace");
  Reserve(kTheirs, "theirs");
  EXPECT_TRUE(IsKeptApart(kTheirs, "theirs"));
  world().controller.reset();
  world().controller = world().MakeController("controller");
  Reserve(kTheirs, "later");
  EXPECT_TRUE(IsKeptApart(kTheirs, "later")) << "the slice that is there says so";
}

TEST_F(CardSharingTest, WhatIsWrongIsRefused) {
  json wrong = Partition("wrong", {{"computeUnits", 5}, {"share", "pod"}});
  EXPECT_EQ(api().Call("POST", kPartitions, wrong).code, 422);
  Reserve(kPartitions, "kept");
  const auto changed =
      api().Call("PATCH", std::string(kPartitions) + "/kept", {{"spec", {{"share", "namespace"}}}});
  EXPECT_EQ(changed.code, 422);
  EXPECT_THAT(changed.body.dump(), testing::HasSubstr("share is immutable"));
  Create(Pod("pod", {{"dcunum", "1"}}, {{"vdcu.io/share", "mine"}}));
  EXPECT_TRUE(Waits("pod", "SchedulerError", "must be cluster or namespace"));
}

}  // namespace
}  // namespace vdcu::integration
