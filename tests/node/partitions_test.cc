// Passes over partitions with a disk below them, without an API.
#include "node/partitions.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "crds/resources.h"
#include "node/keys.h"
#include "tests/fakes/simulated_clock.h"
#include "tests/node/node_world.h"

namespace vdcu::node {
namespace {

using kclient::WorkPlan;
using testing::ElementsAre;
using testing::IsEmpty;

class PartitionsTest : public testing::Test {
 protected:
  PartitionsTest() {
    holdings_.SetDevices({MakeDevice("DCU-0"), MakeDevice("DCU-1")}, {}, clock_.Wall());
  }

  void Put(const crds::VdcuPartition& partition) { world_.Put(partition); }
  void Put(const NodePod& pod) { world_.Put(pod); }

  // Also the partition "p" of the pod.
  crds::VdcuPartition PutWithPartition(const NodePod& pod) {
    auto partition = MakePartition("p", MakeAssignment(0));
    partition.spec.pod_ref = RefOf(pod);
    Put(pod);
    Put(partition);
    return partition;
  }

  // Where it asks whether the partition is gone, as the watch has none: it is.
  WorkPlan Reconcile(const std::string& name) {
    WorkPlan work = partitions_.Reconcile({kPartition, "team", name});
    if (!work.read || work.read->resource != crds::kVdcuPartitions) return work;
    return work.read->on_answer(base::NotFound("no such partition"));
  }
  // The Prepared condition's reason that the pass writes; "" if it writes none.
  std::string Prepare(const std::string& name) {
    const WorkPlan work = Reconcile(name);
    EXPECT_TRUE(work.status) << work.status.error().message;
    if (work.writes.empty()) return "";
    const auto& conditions = work.writes[0].write.body["status"]["conditions"];
    return conditions.empty() ? "" : conditions[0]["reason"].get<std::string>();
  }
  // As the API has it.
  static std::string Stored(const crds::VdcuPartition& partition) {
    nlohmann::json object = crds::ToJson(partition);
    object["metadata"]["uid"] = partition.meta.uid;
    if (partition.meta.deleting()) {
      object["metadata"]["deletionTimestamp"] = partition.meta.deletion_timestamp;
    }
    return object.dump();
  }
  bool Lifts(const WorkPlan& work) {
    return work.writes.size() == 1 && work.writes[0].write.subresource.empty() &&
           work.writes[0].write.body["metadata"].contains("finalizers");
  }
  // What the answer to the pass's read leads to, as JSON; "" is 404.
  WorkPlan Answer(const WorkPlan& work, const std::string& json) {
    EXPECT_TRUE(work.read);
    if (json.empty()) return work.read->on_answer(base::NotFound("no such pod"));
    return work.read->on_answer(parser_.Parse(json).value());
  }

  // As a daemon that has started anew on this disk has it.
  NodeState StateWith(Holdings& holdings) {
    return {.node = "n",
            .changes = world_.changes,
            .partitions = store_,
            .pods = pods_,
            .dcunodes = world_.dcunodes,
            .holdings = holdings};
  }
  // Since the last look.
  bool SlicesChanged() { return world_.changes.Take().slices; }
  std::set<std::string> Released() { return world_.changes.Take().released; }

  NodeWorld world_;
  base::Root& root_ = world_.root;
  Holdings& holdings_ = world_.holdings;
  kclient::Store<crds::VdcuPartition>& store_ = world_.partitions;
  kclient::Store<NodePod>& pods_ = world_.pods;
  FakeKubelet& kubelet_ = world_.kubelet;
  fakes::SimulatedClock clock_;
  Metrics metrics_;
  Stages stages_{clock_, metrics_};
  std::vector<std::string> events_;
  kclient::JsonParser parser_;
  Partitions partitions_{
      {.state = world_.state,
       .clock = clock_,
       .metrics = metrics_,
       .stages = stages_,
       .tell = [this](const kclient::Event& event) { events_.push_back(event.reason); }}};
};

TEST_F(PartitionsTest, PreparesASliceAndTellsOfIt) {
  Put(MakePartition("p", MakeAssignment(0)));
  EXPECT_EQ(Prepare("p"), "Prepared");
  EXPECT_THAT(root_.Read("/etc/vdev/vdev4.conf").value(), testing::HasSubstr("cu_count: 9\n"));
  EXPECT_TRUE(root_.Exists("/etc/vdev/slices/uid-p/vdev0.conf"));
  EXPECT_TRUE(SlicesChanged());
}

TEST_F(PartitionsTest, SaysPreparedForAPodWhenTheKubeletWouldAdmitIt) {
  kubelet_.admits = false;
  auto partition = MakePartition("p", MakeAssignment(0));
  partition.spec.pod_ref = crds::PodRef{.name = "pod", .uid = "uid-pod", .container = "main"};
  Put(partition);
  EXPECT_EQ(Prepare("p"), "");
  EXPECT_TRUE(root_.Exists("/etc/vdev/slices/uid-p/vdev0.conf")) << "held at once";
  auto overlapping = partition;
  overlapping.meta.name = "q";
  overlapping.meta.uid = "uid-q";
  Put(overlapping);
  EXPECT_EQ(Prepare("q"), "UnitsOverlap") << "a refusal waits for nobody";
  kubelet_.admits = true;
  EXPECT_EQ(Prepare("p"), "Prepared");
}

TEST_F(PartitionsTest, AReservedOneWaitsForNoKubelet) {
  kubelet_.admits = false;
  Put(MakePartition("p", MakeAssignment(0)));
  EXPECT_EQ(Prepare("p"), "Prepared");
}

TEST_F(PartitionsTest, HoldsAWholeCardWithoutAFile) {
  Put(MakePartition("p", MakeWholeCard()));
  EXPECT_EQ(Prepare("p"), "Prepared");
  EXPECT_FALSE(root_.Exists("/etc/vdev"));
  Put(MakePartition("q", MakeAssignment(0)));
  EXPECT_EQ(Prepare("q"), "CardInUse");
}

TEST_F(PartitionsTest, WritesTheCardsPresentBusId) {
  auto device = MakeDevice("DCU-0");
  device.pci_bus_id = "0000:44:00.0";
  holdings_.SetDevices({device}, {}, clock_.Wall());
  Put(MakePartition("p", MakeAssignment(0)));
  EXPECT_EQ(Prepare("p"), "Prepared");
  EXPECT_THAT(root_.Read("/etc/vdev/vdev4.conf").value(), testing::HasSubstr("0000:44:00.0"));
}

TEST_F(PartitionsTest, WhatIsHeldStandsAgainstAnOlderNewcomer) {
  Put(MakePartition("b", MakeAssignment(0)));
  EXPECT_EQ(Prepare("b"), "Prepared");
  auto older = MakePartition("a", MakeAssignment(0));
  older.meta.creation_timestamp = "2020-01-01T00:00:00Z";
  Put(older);
  EXPECT_EQ(Prepare("a"), "UnitsOverlap");
  EXPECT_EQ(Prepare("b"), "Prepared");
}

TEST_F(PartitionsTest, OfTwoNewOnesTheOlderIsAdmittedWhicheverComesFirst) {
  auto older = MakePartition("z", MakeAssignment(0));
  older.meta.creation_timestamp = "2020-01-01T00:00:00Z";
  Put(older);
  Put(MakePartition("a", MakeAssignment(0)));
  EXPECT_EQ(Prepare("a"), "UnitsOverlap");
  EXPECT_EQ(Prepare("z"), "Prepared");
}

TEST_F(PartitionsTest, OfTwoNewOnesOfOneAgeTheLowerNameIsAdmitted) {
  Put(MakePartition("a", MakeAssignment(0)));
  Put(MakePartition("b", MakeAssignment(0)));
  EXPECT_EQ(Prepare("b"), "UnitsOverlap");
  EXPECT_EQ(Prepare("a"), "Prepared");
}

TEST_F(PartitionsTest, AnOlderOneThatIsRefusedItselfStandsInNobodysWay) {
  auto older = MakePartition("a", MakeAssignment(0));
  older.meta.creation_timestamp = "2020-01-01T00:00:00Z";
  older.spec.assignment->memory = {99999};
  Put(older);
  Put(MakePartition("b", MakeAssignment(0)));
  EXPECT_EQ(Prepare("b"), "Prepared");
  EXPECT_EQ(Prepare("a"), "MemoryExceedsCard");
}

TEST_F(PartitionsTest, LetsGoAtOnceWhereNoPodIsNamed) {
  Put(MakePartition("p", MakeAssignment(0)));
  Prepare("p");
  Put(Deleting(MakePartition("p", MakeAssignment(0))));
  EXPECT_TRUE(Lifts(Reconcile("p")));
  EXPECT_THAT(holdings_.slices(), IsEmpty());
  EXPECT_FALSE(root_.Exists("/etc/vdev/vdev4.conf"));
  EXPECT_THAT(Released(), ElementsAre(""));
  // Again, as after a conflict: still the finalizer, and no other release.
  EXPECT_TRUE(Lifts(Reconcile("p")));
  EXPECT_THAT(Released(), IsEmpty());
}

TEST_F(PartitionsTest, LetsGoOfAPodsSliceOnlyAfterThePod) {
  NodePod pod = MakePod("a");
  const auto partition = PutWithPartition(pod);
  Prepare("p");
  Put(Deleting(partition));
  const WorkPlan waiting = Reconcile("p");
  EXPECT_FALSE(waiting.read);
  EXPECT_THAT(waiting.writes, IsEmpty());
  EXPECT_TRUE(root_.Exists("/etc/vdev/vdev4.conf"));
  pod.phase = "Succeeded";
  Put(pod);
  EXPECT_TRUE(Lifts(Reconcile("p")));
  EXPECT_FALSE(root_.Exists("/etc/vdev/vdev4.conf"));
}

// The pod awaits its slices on this node, and the controller gives it another once this one is
// gone.
TEST_F(PartitionsTest, LetsGoAtOnceOfWhatItRefusedAPodThatHasNotBegun) {
  struct Case {
    std::string sentence;
    bool started;
    bool processes;
    bool want_lift;
  };
  Put(MakePartition("before", MakeAssignment(0)));
  Prepare("before");
  for (const Case& c : std::vector<Case>{{"its kubelet has taken it in", true, false, false},
                                         {"processes of it are left", false, true, false},
                                         {"it waits", false, false, true}}) {
    SCOPED_TRACE(c.sentence);
    NodePod pod = MakePod("a");
    pod.phase = "Pending";
    pod.started = c.started;
    const auto partition = PutWithPartition(pod);
    EXPECT_EQ(Prepare("p"), "UnitsOverlap");
    if (c.processes) kubelet_.running = {pod.meta.uid};
    Put(Deleting(partition));
    EXPECT_EQ(Lifts(Reconcile("p")), c.want_lift);
    kubelet_.running.clear();
  }
  EXPECT_NE(holdings_.Find("uid-before"), nullptr);
}

TEST_F(PartitionsTest, KeepsTheSliceOfAnEndedPodWhileProcessesOfItAreLeft) {
  for (const bool lost : {false, true}) {
    SCOPED_TRACE(lost ? "the object is gone" : "the object is being deleted");
    NodePod pod = MakePod("a");
    const auto partition = PutWithPartition(pod);
    Prepare("p");
    pod.phase = "Failed";
    Put(pod);
    kubelet_.running = {pod.meta.uid};
    if (lost) {
      store_.Erase("team/p");
    } else {
      Put(Deleting(partition));
    }
    EXPECT_THAT(Reconcile("p").writes, IsEmpty());
    EXPECT_TRUE(root_.Exists("/etc/vdev/vdev4.conf"));
    kubelet_.running.clear();
    EXPECT_EQ(Lifts(Reconcile("p")), !lost);
    EXPECT_FALSE(root_.Exists("/etc/vdev/vdev4.conf"));
  }
}

TEST_F(PartitionsTest, HandsAReservedOneOnAfterTheLastProcessOfThePodBefore) {
  NodePod first = MakePod("a", "p");
  Put(MakePartition("p", MakeAssignment(0)));
  Put(first);
  const auto user = [this] {
    Reconcile("p");
    return holdings_.Find("uid-p")->pod.value_or(crds::PodRef{}).name;
  };
  EXPECT_EQ(user(), "a");
  first.phase = "Succeeded";
  Put(first);
  Put(MakePod("b", "p"));
  kubelet_.running = {first.meta.uid};
  EXPECT_EQ(user(), "a");
  kubelet_.running.clear();
  EXPECT_EQ(user(), "b");
}

TEST_F(PartitionsTest, AsksForAPodThatTheWatchDoesNotShow) {
  const std::string head = R"({"metadata": {"name": "a", "namespace": "team", "uid": ")";
  struct Case {
    std::string sentence;
    std::string answer;
    bool want_let_go;
  };
  for (const Case& c : std::vector<Case>{
           {"it does not exist", "", true},
           {"another has its name", head + R"(other"}, "spec": {"nodeName": "n"}})", true},
           {"it is not bound", head + R"(uid-a"}, "spec": {}})", true},
           {"it is on another node", head + R"(uid-a"}, "spec": {"nodeName": "m"}})", true},
           {"it is terminal",
            head + R"(uid-a"}, "spec": {"nodeName": "n"}, "status": {"phase": "Failed"}})", true},
           {"it is on this node after all",
            head + R"(uid-a"}, "spec": {"nodeName": "n"}, "status": {"phase": "Pending"}})",
            false}}) {
    SCOPED_TRACE(c.sentence);
    auto partition = MakePartition("p", MakeAssignment(0));
    partition.spec.pod_ref = RefOf(MakePod("a"));
    Put(partition);
    Prepare("p");
    Put(Deleting(partition));
    const WorkPlan asking = Reconcile("p");
    ASSERT_TRUE(asking.read);
    EXPECT_EQ(asking.read->name, "a");
    EXPECT_TRUE(root_.Exists("/etc/vdev/vdev4.conf"));
    const WorkPlan answered = Answer(asking, c.answer);
    EXPECT_FALSE(answered.read);
    EXPECT_EQ(Lifts(answered), c.want_let_go);
    EXPECT_EQ(answered.requeue_after.has_value(), !c.want_let_go) << "it may end unseen";
    EXPECT_EQ(root_.Exists("/etc/vdev/vdev4.conf"), !c.want_let_go);
  }
}

TEST_F(PartitionsTest, AReservedOneRemembersItsPodOnDisk) {
  const NodePod pod = MakePod("a", "p");
  Put(MakePartition("p", MakeAssignment(0)));
  Put(pod);
  const WorkPlan work = Reconcile("p");
  EXPECT_EQ(work.writes.at(0).write.body["status"]["usedBy"]["uid"], "uid-a");
  EXPECT_EQ(holdings_.Find("uid-p")->pod, RefOf(pod));
  // It is deleted while the pod runs, and the status patch has not come through.
  Put(Deleting(MakePartition("p", MakeAssignment(0))));
  EXPECT_FALSE(Lifts(Reconcile("p")));
  pods_.Erase("team/a");
  const WorkPlan asking = Reconcile("p");
  EXPECT_TRUE(Lifts(Answer(asking, "")));
}

TEST_F(PartitionsTest, KeepsAndPublishesALostSliceUntilItsPodIsGone) {
  const NodePod pod = MakePod("a");
  PutWithPartition(pod);
  Prepare("p");
  store_.Erase("team/p");
  EXPECT_THAT(Reconcile("p").writes, IsEmpty());
  ASSERT_NE(holdings_.Find("uid-p"), nullptr);
  EXPECT_EQ(holdings_.Find("uid-p")->lost_since, base::FormatTime(clock_.Wall()));
  EXPECT_TRUE(SlicesChanged());
  // Nobody else gets its units meanwhile.
  Put(MakePartition("q", MakeAssignment(0)));
  EXPECT_EQ(Prepare("q"), "UnitsOverlap");
  pods_.Erase("team/a");
  const WorkPlan here = Answer(Reconcile("p"), R"({"metadata": {"name": "a", "namespace": "team",
      "uid": "uid-a"}, "spec": {"nodeName": "n"}, "status": {"phase": "Pending"}})");
  EXPECT_NE(holdings_.Find("uid-p"), nullptr);
  EXPECT_TRUE(here.requeue_after) << "it may end unseen";
  Answer(Reconcile("p"), "");
  EXPECT_EQ(holdings_.Find("uid-p"), nullptr);
  EXPECT_THAT(Released(), ElementsAre(pod.meta.uid));
  EXPECT_EQ(Prepare("q"), "Prepared");
}

// Its finalizer was lifted in this node's place, and another's keeps the object.
TEST_F(PartitionsTest, WhatIsFreeByItsObjectIsPublishedWhereItIsHeld) {
  const NodePod pod = MakePod("pod");
  auto partition = PutWithPartition(pod);
  EXPECT_EQ(Prepare("p"), "Prepared");
  partition.meta.deletion_timestamp = "2026-01-01T00:00:00Z";
  partition.meta.finalizers = {"example.com/keep"};
  Put(partition);
  EXPECT_THAT(Reconcile("p").writes, IsEmpty());
  ASSERT_NE(holdings_.Find("uid-p"), nullptr);
  EXPECT_EQ(holdings_.Find("uid-p")->lost_since, base::FormatTime(clock_.Wall()));
  pods_.Erase("team/pod");
  Answer(Reconcile("p"), "");
  EXPECT_EQ(holdings_.Find("uid-p"), nullptr);
}

TEST_F(PartitionsTest, NotesAllThatIsLostBeforeAnyOfItIsLookedAt) {
  PutWithPartition(MakePod("a"));
  Prepare("p");
  Put(MakePartition("free", MakeAssignment(1)));
  Prepare("free");
  ASSERT_TRUE(partitions_.NoteLost());
  EXPECT_EQ(holdings_.Find("uid-p")->lost_since, "");
  store_.Erase("team/p");
  store_.Erase("team/free");
  ASSERT_TRUE(partitions_.NoteLost());
  EXPECT_EQ(holdings_.Find("uid-p")->lost_since, base::FormatTime(clock_.Wall()));
  EXPECT_EQ(holdings_.Find("uid-free")->lost_since, "") << "nobody uses it: it goes";
}

// The watch goes by a label where the API server knows no field of ours, and people edit labels.
TEST_F(PartitionsTest, WhatLeavesTheWatchIsGoneOnlyWhenTheApiSaysSo) {
  const auto partition = MakePartition("p", MakeAssignment(0));
  auto moved = partition;
  moved.spec.assignment->vdev = 9;
  auto again = partition;
  again.meta.uid = "uid-again";
  auto free = partition;
  free.spec.assignment.reset();
  struct Case {
    std::string sentence;
    std::string answer;  // "": 404
    bool want_held;
  };
  for (const Case& c :
       std::vector<Case>{{"it does not exist", "", false},
                         {"it names another slice", Stored(moved), false},
                         {"another has its name", Stored(again), false},
                         {"it has no assignment any more", Stored(free), false},
                         {"it cannot be read", R"({"metadata": {"name": "p"}, "spec": []})", false},
                         {"it is being deleted", Stored(Deleting(partition)), true},
                         {"it names the slice", Stored(partition), true}}) {
    SCOPED_TRACE(c.sentence);
    Put(partition);
    Prepare("p");
    ASSERT_NE(holdings_.Find("uid-p"), nullptr);
    store_.Erase("team/p");
    const WorkPlan asking = partitions_.Reconcile({kPartition, "team", "p"});
    ASSERT_TRUE(asking.read);
    EXPECT_EQ(asking.read->resource, crds::kVdcuPartitions);
    EXPECT_TRUE(root_.Exists("/etc/vdev/vdev4.conf"));
    const WorkPlan answered = Answer(asking, c.answer);
    EXPECT_FALSE(answered.read);
    EXPECT_THAT(answered.writes, IsEmpty());
    EXPECT_EQ(root_.Exists("/etc/vdev/vdev4.conf"), c.want_held);
    EXPECT_EQ(answered.requeue_after.has_value(), c.want_held) << "nothing else would tell";
  }
}

TEST_F(PartitionsTest, ANewObjectOfTheSameNameDoesNotInheritTheSlice) {
  const NodePod pod = MakePod("a");
  PutWithPartition(pod);
  Prepare("p");
  auto again = MakePartition("p", MakeAssignment(0));
  again.meta.uid = "uid-again";
  Put(again);
  EXPECT_EQ(Prepare("p"), "UnitsOverlap");
  EXPECT_NE(holdings_.Find("uid-p"), nullptr);
}

TEST_F(PartitionsTest, AReservedOneThatIsPlacedAnewMoves) {
  Put(MakePartition("p", MakeAssignment(0)));
  Prepare("p");
  Put(MakePartition("p", MakeAssignment(1)));
  EXPECT_EQ(Prepare("p"), "Prepared");
  EXPECT_FALSE(root_.Exists("/etc/vdev/vdev4.conf"));
  EXPECT_TRUE(root_.Exists("/etc/vdev/vdev5.conf"));
}

TEST_F(PartitionsTest, ARestartKnowsWhatIsHeldAndWritesNothing) {
  Put(MakePartition("p", MakeAssignment(0)));
  Prepare("p");
  const auto written = std::filesystem::last_write_time(root_.Resolve("/etc/vdev/vdev4.conf"));
  Holdings again{SliceFiles(world_.files), world_.changes};
  ASSERT_TRUE(again.Load());
  again.SetDevices({MakeDevice("DCU-0")}, {}, clock_.Wall());
  again.Repair();
  EXPECT_EQ(again.disk(), DiskState());
  EXPECT_EQ(again.slices(), holdings_.slices());
  EXPECT_EQ(std::filesystem::last_write_time(root_.Resolve("/etc/vdev/vdev4.conf")), written);
}

TEST_F(PartitionsTest, WhoseCheckpointIsLostKeepsTheFolderThatItsContainerHas) {
  const NodePod pod = MakePod("x");
  PutWithPartition(pod);
  EXPECT_EQ(Prepare("p"), "Prepared");
  Put(MakePartition("q", MakeAssignment(1)));  // not prepared yet
  const std::string folder = root_.Resolve("/etc/vdev/slices/uid-p");
  const std::string checkpoint = "/var/lib/vdcu/slices/uid-p.json";
  for (const bool removed : {false, true}) {
    ASSERT_TRUE(removed ? root_.RemoveFile(checkpoint) : root_.WriteAtomic(checkpoint, "{"));
    const int mounted = open(folder.c_str(), O_RDONLY | O_DIRECTORY);
    Holdings again{SliceFiles(world_.files), world_.changes};
    again.SetDevices({MakeDevice("DCU-0")}, {}, clock_.Wall());
    ASSERT_TRUE(again.Load());
    const NodeState state = StateWith(again);
    ASSERT_TRUE(Partitions({.state = state,
                            .clock = clock_,
                            .metrics = metrics_,
                            .stages = stages_,
                            .tell = [](const kclient::Event&) {}})
                    .Adopt());
    again.Repair();
    EXPECT_EQ(again.disk(), DiskState());
    EXPECT_EQ(again.slices(), holdings_.slices());
    EXPECT_TRUE(root_.Exists(checkpoint));
    EXPECT_TRUE(root_.Exists("/etc/vdev/vdev4.conf"));
    EXPECT_EQ(faccessat(mounted, "vdev0.conf", R_OK, 0), 0) << "what the container has is gone";
    close(mounted);
  }
}

TEST_F(PartitionsTest, AFolderWithoutCheckpointIsNotHeldAgainstWhatIs) {
  PutWithPartition(MakePod("x"));
  EXPECT_EQ(Prepare("p"), "Prepared");
  Put(MakePartition("q", MakeAssignment(0)));  // the same units, written by hand
  ASSERT_TRUE(root_.MakeFolder("/etc/vdev/slices/uid-q"));
  ASSERT_TRUE(partitions_.Adopt());
  EXPECT_EQ(holdings_.Find("uid-q"), nullptr);
  holdings_.Repair();
  EXPECT_FALSE(root_.Exists("/etc/vdev/slices/uid-q"));
  EXPECT_EQ(Prepare("q"), "UnitsOverlap");
}

TEST_F(PartitionsTest, SaysThatTheDiskFailsAndTriesAgain) {
  ASSERT_TRUE(root_.MakeFolder("/etc"));
  ASSERT_TRUE(root_.WriteAtomic("/etc/vdev", "a file where a folder should be"));
  Put(MakePartition("p", MakeAssignment(0)));
  const WorkPlan failed = Reconcile("p");
  EXPECT_FALSE(failed.status);
  EXPECT_EQ(failed.writes.at(0).write.body["status"]["conditions"][0]["reason"], "WriteFailed");
  ASSERT_TRUE(root_.RemoveFile("/etc/vdev"));
  EXPECT_EQ(Prepare("p"), "Prepared");
}

TEST_F(PartitionsTest, ACardThatVanishesKeepsItsSlicesAndTakesNoNewOnes) {
  Put(MakePartition("p", MakeAssignment(0)));
  Prepare("p");
  holdings_.SetDevices({MakeDevice("DCU-1")}, holdings_.devices(), clock_.Wall());
  const dcu::Device* gone = FindDevice(holdings_.devices(), "DCU-0");
  ASSERT_NE(gone, nullptr);
  EXPECT_EQ(gone->reason, "Vanished");
  EXPECT_NE(gone->unhealthy_since, "");
  const WorkPlan work = Reconcile("p");
  EXPECT_EQ(work.writes.at(0).write.body["status"]["conditions"][1]["reason"], "Vanished");
  EXPECT_TRUE(root_.Exists("/etc/vdev/vdev4.conf"));
  Put(MakePartition("q", MakeAssignment(1)));
  EXPECT_EQ(Prepare("q"), "UnknownDevice");
  // Without slices it is forgotten.
  store_.Erase("team/p");
  Reconcile("p");
  holdings_.SetDevices({MakeDevice("DCU-1")}, holdings_.devices(), clock_.Wall());
  EXPECT_EQ(FindDevice(holdings_.devices(), "DCU-0"), nullptr);
}

TEST_F(PartitionsTest, SaysWhoseContainerCannotBeStartedAgain) {
  const NodePod pod = MakePod("x");
  PutWithPartition(pod);
  EXPECT_EQ(Prepare("p"), "Prepared");
  kubelet_.lost = {RefOf(pod)};
  const WorkPlan work = Reconcile("p");
  const auto& conditions = work.writes.at(0).write.body["status"]["conditions"];
  EXPECT_EQ(conditions[0]["status"], "True") << "its files are there and right";
  EXPECT_EQ(conditions[2]["status"], "False");
  EXPECT_EQ(conditions[2]["reason"], "DeviceLost");
  EXPECT_THAT(conditions[2]["message"].get<std::string>(), testing::HasSubstr("delete the pod"));
}

TEST_F(PartitionsTest, RefusesAnObjectThatDoesNotDecode) {
  Put(Unread(MakePartition("p", MakeAssignment(0)), "cuMasks: wrong"));
  const WorkPlan work = Reconcile("p");
  ASSERT_EQ(work.writes.size(), 1u);
  EXPECT_EQ(work.writes[0].write.body["status"]["conditions"][0]["message"], "cuMasks: wrong");
  work.writes[0].on_answer(parser_.Parse("{}").value(), kclient::Outcome::kCommitted);
  EXPECT_THAT(events_, ElementsAre("Unreadable"));
}

TEST_F(PartitionsTest, HoldsWhatAnObjectNamedBeforeItCouldNotBeRead) {
  const NodePod pod = MakePod("a");
  const auto partition = PutWithPartition(pod);
  Prepare("p");
  Put(Unread(partition, "spec.memory: lots"));
  Reconcile("p");
  ASSERT_NE(holdings_.Find("uid-p"), nullptr);
  EXPECT_NE(holdings_.Find("uid-p")->lost_since, "") << "it is published";
  Put(partition);
  EXPECT_EQ(Prepare("p"), "Prepared");
  EXPECT_EQ(holdings_.Find("uid-p")->lost_since, "") << "mended by hand";
}

}  // namespace
}  // namespace vdcu::node
