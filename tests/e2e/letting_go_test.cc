// Who a slice belongs to, and when it is free: never while a process of its pod lives.
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "tests/e2e/e2e_test.h"
#include "tests/world/paths.h"

namespace vdcu::e2e {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using world::Background;
using world::kPartitions;

class LettingGoTest : public E2eTest {
 protected:
  // More than half of one card, and always of the same.
  static json BigSliceOfFirstCard(const std::string& name) {
    return RealPod(name, Slice(60, 40000), {{"hygon.com/use-gpuuuid", machine().host().Uuid(0)}});
  }
  static json WithCommand(json pod, const std::string& script) {
    pod["spec"]["containers"][0]["command"] = {"sh", "-c", script};
    return pod;
  }
};

// No signal ends what is frozen, not even SIGKILL, with version 1 of the cgroups.
class FrozenPod {
 public:
  explicit FrozenPod(const std::string& uid, const Machine& machine) {
    for (const std::string& folder : CgroupsOf(machine, uid)) {
      if (folder.find("/freezer/") != std::string::npos) state_ = folder + "/freezer.state";
    }
    if (!state_.empty()) std::ofstream(state_) << "FROZEN";
  }
  ~FrozenPod() { Thaw(); }
  FrozenPod(const FrozenPod&) = delete;
  FrozenPod& operator=(const FrozenPod&) = delete;

  bool frozen() const { return !state_.empty(); }
  void Thaw() {
    if (!state_.empty()) std::ofstream(state_) << "THAWED";
    state_.clear();
  }

 private:
  std::string state_;
};

TEST_F(LettingGoTest, UnitsAreFreeOnlyAfterTheProcessesOfAForceDeletedPod) {
  const json old = Create(BigSliceOfFirstCard("old"));
  ASSERT_TRUE(Runs("old"));
  const std::string uid = old["metadata"]["uid"];
  const json partition = PartitionsOf("old").at(0);
  Create(BigSliceOfFirstCard("next"));
  ASSERT_TRUE(Waits("next"));
  FrozenPod frozen(uid, machine());
  if (!frozen.frozen())
    GTEST_SKIP() << "no freezer of cgroup v1: SIGKILL would end frozen processes";
  Delete("old", true);
  ASSERT_TRUE(IsGone("old"));
  ASSERT_TRUE(Eventually("its partition is to be deleted", [&] {
    const json now = api().Find(kPartitions, partition["metadata"]["name"]);
    return now.is_object() && now["metadata"].contains("deletionTimestamp");
  }));
  const bool too_early = world::Until(
      [&] {
        return FindPod("next")["spec"].contains("nodeName") ||
               api().Find(kPartitions, partition["metadata"]["name"]).is_null();
      },
      seconds(4));
  EXPECT_FALSE(too_early) << Scene();
  EXPECT_FALSE(ProcessesOf(machine(), uid).empty());
  EXPECT_TRUE(machine().Files().contains(
      "/etc/vdev/slices/" + partition["metadata"]["uid"].get<std::string>() + "/vdev0.conf"));
  frozen.Thaw();
  ASSERT_TRUE(Runs("next"));
  ExpectOwnSlice("next");
  EXPECT_TRUE(ProcessesOf(machine(), uid).empty());
}

TEST_F(LettingGoTest, APodRecreatedWithTheSameNameGetsItsOwnSlice) {
  json pod = RealPod("web-0", Slice(30, 2000));
  const std::string old_uid = Create(pod)["metadata"]["uid"];
  ASSERT_TRUE(Runs("web-0"));
  FrozenPod frozen(old_uid, machine());
  Delete("web-0", true);
  ASSERT_TRUE(IsGone("web-0"));
  const std::string uid = Create(pod)["metadata"]["uid"];
  ASSERT_TRUE(Runs("web-0"));
  ExpectOwnSlice("web-0");
  ASSERT_NE(uid, old_uid);
  if (frozen.frozen()) {
    EXPECT_FALSE(ProcessesOf(machine(), old_uid).empty());
  }
  frozen.Thaw();
  Eventually("only the new one's slice is left",
             [] { return api().List(kPartitions).size() == 1; });
  ExpectOwnSlice("web-0");
}

// Without a freezer: the old one ignores SIGTERM, so that for a moment both are there.
TEST_F(LettingGoTest, APodRecreatedWhileTheOldOneIgnoresItsEnd) {
  const json pod =
      WithCommand(RealPod("web-0", Slice(30, 2000)), "trap '' TERM; while :; do sleep 1; done");
  for (int round = 0; round < 3; ++round) {
    Create(pod);
    ASSERT_TRUE(Runs("web-0"));
    Delete("web-0", true);
    ASSERT_TRUE(IsGone("web-0"));
  }
  Create(RealPod("web-0", Slice(30, 2000)));
  ASSERT_TRUE(Runs("web-0"));
  ExpectOwnSlice("web-0");
  ExpectNoAdmissionError();
}

TEST_F(LettingGoTest, CompletedAndFailedPodsFreeTheirSlices) {
  Create(BigSliceOfFirstCard("succeeds"));
  ASSERT_TRUE(Runs("succeeds"));
  Create(WithCommand(BigSliceOfFirstCard("fails"), "exit 3"));
  ASSERT_TRUE(Waits("fails"));
  End({"succeeds"});
  ASSERT_TRUE(HasPhase("succeeds", "Succeeded"));
  ASSERT_TRUE(HasPhase("fails", "Failed"));
  Create(BigSliceOfFirstCard("next"));
  ASSERT_TRUE(Runs("next"));
  ExpectOwnSlice("next");
  EXPECT_EQ(api().List(kPartitions).size(), 1u);
}

TEST_F(LettingGoTest, AHungVolumeDoesNotKeepTheSlice) {
  json pod = BigSliceOfFirstCard("old");
  pod["spec"]["volumes"] = json::array({{{"name", "v"}, {"emptyDir", {{"medium", "Memory"}}}}});
  pod["spec"]["containers"][0]["volumeMounts"] =
      json::array({{{"name", "v"}, {"mountPath", "/v"}}});
  const std::string uid = Create(pod)["metadata"]["uid"];
  ASSERT_TRUE(Runs("old"));
  Create(BigSliceOfFirstCard("next"));
  ASSERT_TRUE(Waits("next"));
  const std::string volume = "/var/lib/kubelet/pods/" + uid + "/volumes/kubernetes.io~empty-dir/v";
  // What has it as its folder keeps it from being unmounted.
  const Background busy({world::Source("tests/machine/machine"), "exec", machine().dir(), "sh",
                         "-c", "cd " + volume + " && touch busy && exec sleep 100000"},
                        machine().dir() + ".busy.log");
  ASSERT_TRUE(Eventually("the volume is busy", [&] {
    return machine().Exec({"test", "-e", volume + "/busy"}).exit_code == 0;
  }));
  Delete("old", true);
  ASSERT_TRUE(Runs("next"));
  ExpectOwnSlice("next");
  EXPECT_TRUE(ProcessesOf(machine(), uid).empty());
  EXPECT_FALSE(CgroupsOf(machine(), uid).empty()) << "the volume was no hindrance";
}

TEST_F(LettingGoTest, SeveralContainersHaveASliceEach) {
  Create(
      PodOf("several", {RealContainer("a", Slice(10, 1000)), RealContainer("plain", kNothing),
                        RealContainer("b", Slice(25, 3000)), RealContainer("c", Slice(5, 500))}));
  ASSERT_TRUE(Runs("several"));
  EXPECT_EQ(PartitionsOf("several").size(), 3u);
  for (const char* container : {"a", "b", "c"}) ExpectOwnSlice("several", container);
  EXPECT_EQ(Log("several", "plain"), "done\n");
}

TEST_F(LettingGoTest, TwoWholeCardsInOneContainer) {
  Create(RealPod("two", kTwoCards));
  ASSERT_TRUE(Runs("two"));
  ExpectOwnCards("two", 2);
}

// It was put here by hand and names a reserved partition, which is given by binding only: no slice
// is its own, whoever else waits at that moment.
TEST_F(LettingGoTest, ARoguePodIsRefusedAndTheOthersRun) {
  constexpr int kRounds = 4;
  std::vector<std::string> right;
  for (int i = 0; i < kRounds; ++i) {
    const std::string number = std::to_string(i);
    right.push_back("right-" + number);
    Create(RealPod(right.back(), Slice(15, 2000)));
    Create(On(kNode, RealPod("rogue-" + number, kWholeCard, {{"vdcu.io/partition", "kept"}})));
  }
  ASSERT_TRUE(Runs(right));
  for (const std::string& pod : right) ExpectOwnSlice(pod);
  for (int i = 0; i < kRounds; ++i) {
    const std::string name = "rogue-" + std::to_string(i);
    ASSERT_TRUE(HasPhase(name, "Failed"));
    const json status = FindPod(name)["status"];
    EXPECT_EQ(status.value("reason", ""), "UnexpectedAdmissionError") << status.dump();
    EXPECT_THAT(status.value("message", ""), testing::HasSubstr("NoSlice")) << status.dump();
    EXPECT_TRUE(
        Eventually("event of " + name, [&] { return HasEvent(name, "NoSlice", "spec.nodeName"); }));
  }
}

TEST_F(LettingGoTest, AReservedPartitionIsHandedFromPodToPod) {
  Create(world::Partition("kept", {{"cores", 15}, {"memory", "2000Mi"}}));
  const auto user = [](const std::string& name) {
    return RealPod(name, kWholeCard, {{"vdcu.io/partition", "kept"}});
  };
  Create(user("first"));
  ASSERT_TRUE(Runs("first"));
  const json kept = api().Find(kPartitions, "kept");
  ExpectSlice("first", "main", kept);
  Create(user("second"));
  ASSERT_TRUE(Waits("second"));
  Delete("first");
  ASSERT_TRUE(Runs("second"));
  ExpectSlice("second", "main", kept);
  Eventually("its user is shown", [] {
    const json used_by = api().Find(kPartitions, "kept")["status"].value("usedBy", json::object());
    return used_by.value("name", "") == "second";
  });
}

}  // namespace
}  // namespace vdcu::e2e
