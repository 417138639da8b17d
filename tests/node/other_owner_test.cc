#include "node/other_owner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/node/builders.h"
#include "tests/node/socket.h"
#include "tests/node/temp_folder.h"

namespace vdcu::node {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class OtherOwnerTest : public testing::Test {
 protected:
  OtherOwnerTest() { EXPECT_TRUE(root_.MakeFolder("/plugins")); }

  std::vector<Trace> Find() {
    return FindTraces({.host = root_,
                       .plugin_folder = root_.Resolve("/plugins"),
                       .own = {"vdcu-hygon.com_dcunum.sock"},
                       .former = {"vdcu-hygon.com_dcunum.sock", "vdcu-hygon.com_hcunum.sock"},
                       .slices = slices_,
                       .has_processes = [](const std::string& uid) { return uid == "alive"; }});
  }
  void Write(const std::string& path, const std::string& content) {
    ASSERT_TRUE(root_.MakeFolder(path.substr(0, path.rfind('/'))));
    ASSERT_TRUE(root_.WriteAtomic(path, content));
  }
  std::string Plugin(const std::string& name) { return root_.Resolve("/plugins/" + name); }

  TempFolder folder_;
  base::Root root_{folder_.path()};
  Slices slices_;
};

TEST_F(OtherOwnerTest, OurOwnAndOthersThingsAreNoTraces) {
  const Socket own(Plugin("vdcu-hygon.com_dcunum.sock"), false);
  const Socket registered(Plugin("vdcu-hygon.com_dcunum-0badcafe.sock"), true);
  const Socket kubelet(Plugin("kubelet.sock"), true);
  const Socket gpus(Plugin("nvidia.com_gpu.sock"), true);
  slices_["uid-p"] = {"uid-p", "team", "p", MakeAssignment(0), {}, ""};
  Write("/etc/vdev/vdev4.conf", "ours, whatever it says");
  Write("/etc/vdev/slices/uid-q/vdev0.conf", "of a slice whose checkpoint is lost");
  Write("/etc/vdev/vdev5.conf", "of a slice whose checkpoint is lost");
  EXPECT_THAT(Find(), IsEmpty());
}

// dockerd makes a folder where it is to mount a file that is not there.
TEST_F(OtherOwnerTest, WhatIsNoFileIsNoVdevFile) {
  ASSERT_TRUE(root_.MakeFolder("/etc/vdev/vdev0.conf"));
  ASSERT_TRUE(root_.MakeFolder("/etc/vdev/vdev1.conf/full"));
  EXPECT_THAT(Find(), IsEmpty());
}

TEST_F(OtherOwnerTest, AnotherNameOfOursIsATraceOnlyWhileSomebodyListens) {
  {
    const Socket other(Plugin("vdcu-hygon.com_hcunum.sock"), true);
    EXPECT_THAT(Find(), UnorderedElementsAre(Trace{Trace::Kind::kSocket,
                                                   Plugin("vdcu-hygon.com_hcunum.sock"), false}));
  }
  const Socket registered(Plugin("vdcu-hygon.com_hcunum-0badcafe.sock"), false);
  EXPECT_THAT(Find(), IsEmpty());
  const Socket foreign(Plugin("vdcu-hygon.com_hcunum-other.sock"), false);
  EXPECT_THAT(Find(), UnorderedElementsAre(Trace{
                          Trace::Kind::kSocket, Plugin("vdcu-hygon.com_hcunum-other.sock"), true}));
}

TEST_F(OtherOwnerTest, FindsSocketsFilesAndFoldersAndTellsTheDead) {
  const Socket dead(Plugin("hygon.com_dcunum"), false);
  const Socket alive(Plugin("DCU.sock"), true);
  Write("/usr/local/vgpu/dcu/alive_main_0/vdev0.conf", "a");
  Write("/usr/local/vgpu/dcu/dead_main_0/vdev0.conf", "b");
  Write("/etc/vdev/vdev0.conf", "a");
  Write("/etc/vdev/vdev1.conf", "b");
  using Kind = Trace::Kind;
  EXPECT_THAT(Find(), UnorderedElementsAre(
                          Trace{Kind::kSocket, Plugin("hygon.com_dcunum"), true},
                          Trace{Kind::kSocket, Plugin("DCU.sock"), false},
                          Trace{Kind::kPodFolder, "/usr/local/vgpu/dcu/alive_main_0", false},
                          Trace{Kind::kPodFolder, "/usr/local/vgpu/dcu/dead_main_0", true},
                          Trace{Kind::kVdevFile, "/etc/vdev/vdev0.conf", false},
                          Trace{Kind::kVdevFile, "/etc/vdev/vdev1.conf", true}));
}

TEST_F(OtherOwnerTest, RemovesWhatIsDead) {
  {
    const Socket dead(Plugin("hygon.com_dcunum"), false);
  }
  Write("/usr/local/vgpu/dcu/dead_main_0/vdev0.conf", "b");
  Write("/etc/vdev/vdev1.conf", "b");
  const std::vector<Trace> traces = Find();
  EXPECT_EQ(traces.size(), 3u);
  for (const Trace& trace : traces) EXPECT_TRUE(RemoveTrace(root_, trace));
  EXPECT_THAT(Find(), IsEmpty());
}

TEST(OtherOwner, ReadsTheNodesAnnotations) {
  const base::WallTime now = base::ParseTime("2026-01-02T03:10:00Z").value();
  struct Case {
    std::string sentence;
    std::map<std::string, std::string, std::less<>> annotations;
    std::vector<bool> want_dead;
  };
  for (const Case& c : std::vector<Case>{
           {"none", {{"hami.io/other", "x"}}, {}},
           {"registered, nothing known of its life", {{"hami.io/node-dcu-register", "x"}}, {false}},
           {"a fresh handshake",
            {{"hami.io/node-dcu-register", "x"},
             {"hami.io/node-handshake-dcu", "Reported 2026-01-02 03:09:30"}},
            {false}},
           {"an old handshake, in the other notation",
            {{"hami.io/node-hcu-register", "x"},
             {"hami.io/node-handshake-hcu", "Requesting_2026.01.02 03:00:00"}},
            {true}},
           {"our own, whatever is asked of it",
            {{"hami.io/node-dcu-register", "DCU-0,4,32768,100,DCU-Z100L,1,true,0,vdcu:"},
             {"hami.io/node-handshake-dcu", "Requesting_2026.01.02 03:09:30"}},
            {}},
           {"our own, and another plugin's card",
            {{"hami.io/node-dcu-register",
              "DCU-0,4,32768,100,DCU-Z100L,1,true,0,vdcu:DCU-1,4,1,100,DCU-X,1,true,1,hami:"}},
            {false}},
           {"a handshake alone, renewed",
            {{"hami.io/node-handshake-dcu", "Reported 2026-01-02 03:09:30"}},
            {false}},
           {"a handshake alone, of a plugin that is gone",
            {{"hami.io/node-handshake-dcu", "Deleted_2026.01.02 03:00:00"}},
            {}}}) {
    std::vector<bool> dead;
    for (const Trace& trace : FindTraces(c.annotations, now)) dead.push_back(trace.dead);
    EXPECT_EQ(dead, c.want_dead) << c.sentence;
  }
}

TEST(OtherOwner, MayOwnNamesWhatStandsInTheWay) {
  const Trace alive{Trace::Kind::kSocket, "/x/dcu.sock", false};
  const Trace dead{Trace::Kind::kVdevFile, "/etc/vdev/vdev1.conf", true};
  EXPECT_TRUE(MayOwn({}, false));
  EXPECT_TRUE(MayOwn({dead}, true));
  for (const bool take_over : {false, true}) {
    const base::Status refused = MayOwn({alive, dead}, take_over);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("/x/dcu.sock"));
  }
  const base::Status refused = MayOwn({dead}, false);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("/etc/vdev/vdev1.conf"));
  EXPECT_THAT(refused.error().message, HasSubstr("--take-over"));
}

}  // namespace
}  // namespace vdcu::node
