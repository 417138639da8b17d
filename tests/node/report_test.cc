#include "node/report.h"

#include <gtest/gtest.h>

#include "node/node_object.h"
#include "tests/fakes/simulated_loop.h"
#include "tests/node/node_world.h"

namespace vdcu::node {
namespace {

constexpr base::WallTime kNow{std::chrono::seconds(1'800'000'000)};

Slice MakeSlice(const std::string& uid, dcu::Assignment assignment) {
  return {uid, "team", uid, std::move(assignment), RefOf(MakePod("a")), ""};
}

TEST(Report, CountsAndPublishesWhatIsHeldWithoutAnObject) {
  dcu::Device mig = MakeDevice("DCU-2");
  mig.mode = dcu::Mode::kMig;
  mig.model = "K100";
  const std::vector<dcu::Device> devices = {MakeDevice("DCU-0"), MakeSick(MakeDevice("DCU-1")),
                                            mig};
  Slices slices;
  slices["a"] = MakeSlice("a", MakeAssignment(0));
  slices["b"] = MakeSlice("b", MakeAssignment(1));
  slices["b"].lost_since = "2026-01-02T03:04:05Z";
  slices["c"] = MakeSlice("c", MakeWholeCard());
  const auto status = BuildStatus({.devices = devices,
                                   .slices = slices,
                                   .driver_version = "6.3.8",
                                   .problems = {"card 9"},
                                   .heartbeat = crds::Heartbeat::kKubelet,
                                   .serving_since = "2026-01-02T03:04:05Z"},
                                  {}, 1, kNow);
  EXPECT_EQ(status.vdcus, "6/8") << "a whole card is all its slots; a card in MIG mode has none";
  EXPECT_EQ(status.healthy, "2/3");
  EXPECT_EQ(status.models, "K100,Z100L");
  EXPECT_EQ(status.driver_version, "6.3.8");
  ASSERT_EQ(status.held.size(), 1u);
  EXPECT_EQ(status.held[0].partition_uid, "b");
  EXPECT_EQ(status.held[0].pod_uid, "uid-a");
  EXPECT_EQ(status.held[0].assignment, MakeAssignment(1));
  ASSERT_EQ(status.conditions.size(), 1u);
  EXPECT_EQ(status.conditions[0].status, "True");
  EXPECT_NE(status.conditions[0].message.find("card 9"), std::string::npos);
}

TEST(Report, IsNotReadyWhereNothingCanBeKept) {
  const std::vector<dcu::Device> devices = {MakeDevice("DCU-0")};
  const Slices slices;
  const auto ready = [&](const DiskState& disk) {
    const auto status = BuildStatus(
        {.devices = devices, .slices = slices, .driver_version = "", .problems = {}, .disk = disk},
        {}, 1, kNow);
    const kclient::Condition& ready = status.conditions.at(0);
    return ready.status + " " + ready.reason + " " + ready.message;
  };
  EXPECT_EQ(ready({}), "True Published cards and held slices are published");
  EXPECT_EQ(ready({.problems = {"x is in the way"}, .occupied_vdevs = {{3, "it is a folder"}}}),
            "True PublishedInPart cards and held slices are published; x is in the way; vdev 3 is "
            "passed over: it is a folder");
  EXPECT_EQ(ready({.failure = "disk full"}),
            "False DiskFails no slice can be kept on this disk: disk full");
}

class NodeObjectTest : public testing::Test {
 protected:
  NodeObjectTest() {
    holdings_.SetDevices({MakeDevice("DCU-0")}, {}, loop_.clock().Wall());
    world_.state.scan.driver_version = "6.3.8";
  }
  // As the API would have it after the write.
  void Store(const kclient::WorkPlan& work) {
    crds::DcuNode node;
    node.meta.name = "n";
    node.meta.uid = "u";
    node.meta.resource_version = "1";
    if (work.writes.at(0).write.verb == kclient::Write::Verb::kMergePatch) {
      const std::string text = nlohmann::json{{"metadata", {{"name", "n"}}},
                                              {"status", work.writes[0].write.body["status"]}}
                                   .dump();
      kclient::JsonParser parser;
      const auto read = crds::DcuNode::FromJson(parser.Parse(text).value());
      ASSERT_TRUE(read) << read.error().message;
      node.status = read->status;
    }
    store_.Set("n", std::make_shared<crds::DcuNode>(node));
  }

  NodeWorld world_;
  Holdings& holdings_ = world_.holdings;
  kclient::Store<crds::DcuNode>& store_ = world_.dcunodes;
  fakes::SimulatedLoop loop_;
  NodeObject object_{world_.state, loop_};
};

TEST_F(NodeObjectTest, CreatesThenPublishesThenIsSilent) {
  const kclient::WorkPlan create = object_.Reconcile();
  ASSERT_EQ(create.writes.size(), 1u);
  EXPECT_EQ(create.writes[0].write.Describe(), "create dcunodes n");
  EXPECT_FALSE(object_.published());
  Store(create);
  const kclient::WorkPlan patch = object_.Reconcile();
  EXPECT_EQ(patch.writes.at(0).write.Describe(), "patch dcunodes/status n");
  EXPECT_FALSE(object_.published());
  Store(patch);
  loop_.Advance(std::chrono::hours(1));
  EXPECT_TRUE(object_.Reconcile().writes.empty());
  EXPECT_TRUE(object_.published());
}

TEST_F(NodeObjectTest, TakesItsWordBackOnlyWhereThatIsItsToJudge) {
  const struct {
    const char* sentence;
    const char* reason;
    bool serves;
    const char* want;  // "" where nothing is to be written
  } rows[] = {
      {"it is heard of again", "DaemonSilent", true, "True"},
      {"the node is back", "AwaitingDaemon", true, "True"},
      {"the kubelet would give out nothing", "DaemonSilent", false, ""},
      {"nothing is heard of the node", "NodeNotReady", true, ""},
  };
  for (const auto& row : rows) {
    Store(object_.Reconcile());
    if (!store_.Get("n")->ready()) Store(object_.Reconcile());
    crds::DcuNode node = *store_.Get("n");
    node.status.conditions[0].status = "Unknown";
    node.status.conditions[0].reason = row.reason;
    store_.Set("n", std::make_shared<crds::DcuNode>(node));
    world_.kubelet.admits = row.serves;
    const kclient::WorkPlan work = object_.Reconcile();
    world_.kubelet.admits = true;
    std::string says;
    if (!work.writes.empty()) says = work.writes[0].write.body["status"]["conditions"][0]["status"];
    EXPECT_EQ(says, row.want) << row.sentence;
    store_.Erase("n");
  }
}

TEST_F(NodeObjectTest, SaysWhatOfTheSpecCannotBeReadUntilItIsMended) {
  Store(object_.Reconcile());
  Store(object_.Reconcile());
  crds::DcuNode node = *store_.Get("n");
  node.spec_unread = "spec.memoryReserve: 12: write a unit";
  store_.Set("n", std::make_shared<crds::DcuNode>(node));
  for (const bool serves : {true, false}) {
    world_.kubelet.admits = serves;
    const kclient::WorkPlan work = object_.Reconcile();
    EXPECT_EQ(work.writes.at(0).write.Describe(), "patch dcunodes/status n");
    const auto& status = work.writes[0].write.body["status"];
    EXPECT_EQ(status["devices"].size(), 1u) << "it keeps its cards";
    const auto& accepted = status["conditions"].back();
    EXPECT_EQ(accepted["type"], "Accepted");
    EXPECT_EQ(accepted["status"], "False");
    EXPECT_EQ(accepted["reason"], "Invalid");
    EXPECT_EQ(accepted["message"],
              "spec.memoryReserve: 12: write a unit; until it is mended it counts as absent, "
              "shareCards as namespace");
  }
  Store(object_.Reconcile());
  const kclient::WorkPlan mended = object_.Reconcile();
  EXPECT_EQ(mended.writes.at(0).write.body["status"]["conditions"].size(), 1u);
}

TEST_F(NodeObjectTest, WritesABurstOfPlacementsOnce) {
  Store(object_.Reconcile());
  Store(object_.Reconcile());
  for (int slot = 0; slot < 3; ++slot) {
    ASSERT_FALSE(holdings_.Hold(MakeSlice("u" + std::to_string(slot), MakeAssignment(slot))));
    EXPECT_TRUE(object_.Reconcile().writes.empty());
    loop_.Advance(std::chrono::milliseconds(500));
  }
  EXPECT_FALSE(world_.changes.Take().dcunode);
  loop_.Advance(std::chrono::milliseconds(500));
  EXPECT_TRUE(world_.changes.Take().dcunode) << "two seconds after the first";
  const kclient::WorkPlan patch = object_.Reconcile();
  EXPECT_EQ(patch.writes.at(0).write.body["status"]["vdcus"], "3/4");
  Store(patch);
  EXPECT_TRUE(object_.Reconcile().writes.empty());
}

TEST_F(NodeObjectTest, WritesHealthAndLostSlicesAtOnce) {
  Store(object_.Reconcile());
  Store(object_.Reconcile());
  holdings_.SetDevices({MakeSick(MakeDevice("DCU-0"))}, holdings_.devices(), loop_.clock().Wall());
  const kclient::WorkPlan sick = object_.Reconcile();
  ASSERT_EQ(sick.writes.size(), 1u);
  EXPECT_EQ(sick.writes[0].write.body["status"]["healthy"], "0/1");
  Store(sick);
  Slice lost = MakeSlice("u", MakeAssignment(0));
  ASSERT_FALSE(holdings_.Hold(lost));
  lost.lost_since = "2026-01-02T03:04:05Z";
  ASSERT_TRUE(holdings_.Record(lost));
  const kclient::WorkPlan held = object_.Reconcile();
  ASSERT_EQ(held.writes.size(), 1u);
  EXPECT_EQ(held.writes[0].write.body["status"]["held"].size(), 1u);
}

TEST_F(NodeObjectTest, KeepsSinceWhenACardIsSick) {
  holdings_.SetDevices({MakeSick(MakeDevice("DCU-0"))}, {}, kNow);
  holdings_.SetDevices({MakeSick(MakeDevice("DCU-0"))}, holdings_.devices(),
                       kNow + std::chrono::hours(1));
  EXPECT_EQ(holdings_.devices()[0].unhealthy_since, base::FormatTime(kNow));
  holdings_.SetDevices({MakeDevice("DCU-0")}, holdings_.devices(), kNow);
  EXPECT_EQ(holdings_.devices()[0].unhealthy_since, "");
}

TEST(Advertise, WritesOnlyWhatIsAbsentOrOther) {
  const std::map<std::string, int64_t> amounts{{"hygon.com/dcunum", 32}, {"hygon.com/hcunum", 32}};
  kclient::Store<kclient::Node> store;
  EXPECT_TRUE(Advertise(store, "n", amounts).writes.empty()) << "no such Node";
  kclient::Node node;
  node.meta.name = "n";
  node.meta.uid = "u";
  node.allocatable = {{"cpu", 4000}, {"hygon.com/dcunum", 32}, {"hygon.com/hcunum", 4}};
  store.Set("n", std::make_shared<kclient::Node>(node));
  const kclient::WorkPlan work = Advertise(store, "n", amounts);
  ASSERT_EQ(work.writes.size(), 1u);
  const nlohmann::json want = {{"hygon.com/hcunum", "32"}};
  EXPECT_EQ(work.writes[0].write.Describe(), "patch nodes/status n");
  EXPECT_EQ(work.writes[0].write.body["status"]["capacity"], want);
  EXPECT_EQ(work.writes[0].write.body["status"]["allocatable"], want);
  node.allocatable["hygon.com/hcunum"] = 32;
  store.Set("n", std::make_shared<kclient::Node>(node));
  EXPECT_TRUE(Advertise(store, "n", amounts).writes.empty());
}

TEST(Advertise, PartsAreTheSumsOfAllCardsWhateverIsGivenOut) {
  dcu::Device big = MakeDevice("DCU-0");
  big.memory = dcu::MiB{65'520};
  const dcu::Device sick = [&] {
    dcu::Device device = MakeSick(MakeDevice("DCU-1"));
    device.memory = dcu::MiB{32'768};
    return device;
  }();
  using Amounts = std::map<std::string, int64_t>;
  const std::vector<std::string> counts{"hygon.com/dcunum"};
  const crds::ResourceNames dcu = crds::kResourceNames[0];
  EXPECT_EQ(AmountsOf({}, {big, sick}), Amounts());
  EXPECT_EQ(AmountsOf({.counts = counts}, {big, sick}), (Amounts{{"hygon.com/dcunum", 8}}));
  EXPECT_EQ(AmountsOf({.parts = {dcu}}, {big, sick}),
            (Amounts{{"hygon.com/dcumem", 98'288}, {"hygon.com/dcucores", 200}}));
  EXPECT_EQ(AmountsOf({.parts = {dcu}, .memory_unit = crds::MemoryUnit::kGi}, {big, sick}),
            (Amounts{{"hygon.com/dcumem", 95}, {"hygon.com/dcucores", 200}}))
      << "whole ones only";
}

}  // namespace
}  // namespace vdcu::node
