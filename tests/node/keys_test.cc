// What is processed because of which change.
#include "node/keys.h"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "tests/node/node_world.h"

namespace vdcu::node {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class KeysTest : public testing::Test {
 protected:
  KeysTest() {
    world_.holdings.SetDevices({MakeDevice("DCU-0")}, {}, base::SystemClock().Wall());
    auto own = MakePartition("own", MakeAssignment(0));
    own.spec.pod_ref = RefOf(MakePod("a"));
    world_.Put(own);
    auto reserved = MakePartition("reserved", MakeAssignment(1));
    reserved.status.used_by = RefOf(MakePod("b"));
    world_.Put(reserved);
    Hold("own", 0, "a");
    Hold("reserved", 1, "b");
    Hold("lost", 2, "c");  // no object names it
    auto waits = MakePartition("waits", MakeAssignment(3));
    waits.spec.pod_ref = RefOf(MakePod("d"));
    world_.Put(waits);
    auto goes = Deleting(MakePartition("goes", MakeAssignment(3)));
    goes.status.used_by = RefOf(MakePod("e"));
    world_.Put(goes);
    world_.changes.Take();
  }
  void Hold(const std::string& name, int slot, const std::string& pod) {
    ASSERT_FALSE(world_.holdings.Hold(
        {"uid-" + name, "team", name, MakeAssignment(slot), RefOf(MakePod(pod)), ""}));
  }
  // "kind/namespace/name".
  std::set<std::string> Keys(const Noted& noted) const {
    std::set<std::string> keys;
    for (const kclient::Key& key : KeysOf(noted, world_.state)) keys.insert(key.Text());
    return keys;
  }

  NodeWorld world_;
};

TEST_F(KeysTest, AreThoseThatAChangeConcerns) {
  const std::set<std::string> all = {
      "dcunode/n",          "partition/team/goes",     "partition/team/lost",
      "partition/team/own", "partition/team/reserved", "partition/team/waits"};
  const struct {
    const char* sentence;
    Noted noted;
    std::set<std::string> want;
  } rows[] = {
      {"nothing", {}, {}},
      {"an object, also one that is gone", {.partitions = {"team/x"}}, {"partition/team/x"}},
      {"the pod that it was made for", {.pods = {"uid-a"}}, {"partition/team/own"}},
      {"the pod that uses a reserved one", {.pods = {"uid-b"}}, {"partition/team/reserved"}},
      {"the pod of a slice that no object names", {.pods = {"uid-c"}}, {"partition/team/lost"}},
      {"the pod of one that is not held yet", {.pods = {"uid-d"}}, {"partition/team/waits"}},
      {"the pod that used one that is held no more", {.pods = {"uid-e"}}, {"partition/team/goes"}},
      {"another pod", {.pods = {"uid-x"}}, {}},
      {"a release", {.released = {""}}, {"dcunode/n", "partition/team/waits"}},
      {"a slice", {.slices = true}, {"dcunode/n"}},
      {"the DCUNode", {.dcunode = true}, {"dcunode/n"}},
      {"cards", {.cards = true}, all},
      {"the disk", {.disk = true}, all},
      {"the kubelet gives out devices", {.serving = true}, all},
      {"tokens concern the front alone", {.tokens = true}, {}},
      {"the Node, where nothing is advertised", {.node = true}, {}},
  };
  for (const auto& row : rows) EXPECT_EQ(Keys(row.noted), row.want) << row.sentence;
}

TEST_F(KeysTest, CardsAndNodeConcernWhatIsAdvertised) {
  const kclient::Store<kclient::Node> nodes;
  world_.state.nodes = &nodes;
  EXPECT_THAT(Keys({.node = true}), ElementsAre("node/n"));
  EXPECT_THAT(Keys({.cards = true}), testing::Contains("node/n"));
}

// Each part notes what it changes, and only that.
TEST_F(KeysTest, HoldingsNoteWhatChangesInThem) {
  const auto noted = [this](const std::function<void()>& change) {
    change();
    return world_.changes.Take();
  };
  const auto held = [this](const std::string& uid) { return *world_.holdings.Find(uid); };
  EXPECT_EQ(noted([&] { world_.holdings.Repair(); }), Noted());
  EXPECT_EQ(noted([&] { Hold("own", 0, "a"); }), Noted()) << "it was held, and is mended";
  EXPECT_EQ(noted([&] { Hold("new", 3, "d"); }), Noted{.slices = true});
  Slice lost = held("uid-new");
  lost.lost_since = "2026-01-02T03:04:05Z";
  EXPECT_EQ(noted([&] { ASSERT_TRUE(world_.holdings.Record(lost)); }), Noted{.slices = true});
  EXPECT_EQ(noted([&] { ASSERT_TRUE(world_.holdings.Release("uid-new")); }),
            Noted{.released = {"uid-d"}});
  EXPECT_EQ(noted([&] { ASSERT_TRUE(world_.holdings.Release("uid-new")); }), Noted());
  ASSERT_TRUE(world_.root.MakeFolder("/etc/vdev/vdev9.conf/full"));
  EXPECT_EQ(noted([&] { world_.holdings.CheckDisk(); }), Noted{.disk = true});
  EXPECT_EQ(noted([&] { world_.holdings.CheckDisk(); }), Noted());
  ASSERT_TRUE(world_.root.RemoveFolder("/var/lib/vdcu/slices"));
  ASSERT_TRUE(world_.root.RemoveFolder("/var/lib/vdcu"));
  ASSERT_TRUE(world_.root.WriteAtomic("/var/lib/vdcu", "in the way"));
  const auto mend = [&] { EXPECT_TRUE(world_.holdings.Hold(held("uid-own"))); };
  EXPECT_EQ(noted(mend), Noted{.slices = true}) << "that the disk fails is published";
  EXPECT_EQ(noted(mend), Noted());
}

TEST(Changes, WakeOnceUntilTheyAreTaken) {
  int wakes = 0;
  Changes changes([&] { ++wakes; });
  changes.NoteCards();
  changes.NotePod("uid-a");
  EXPECT_EQ(wakes, 1);
  EXPECT_EQ(changes.Take(), (Noted{.pods = {"uid-a"}, .cards = true}));
  EXPECT_EQ(changes.Take(), Noted());
  EXPECT_EQ(wakes, 1);
  changes.NoteRelease("");
  EXPECT_EQ(wakes, 2);
}

}  // namespace
}  // namespace vdcu::node
