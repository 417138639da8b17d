// What the kubelet's calls are answered, the kubelet's list and the API being scripted.
#include "node/plugin/admission.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/fakes/fake_transport.h"
#include "tests/node/builders.h"
#include "tests/node/lister.h"
#include "tests/node/temp_folder.h"

namespace vdcu::node {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr char kDcu[] = "hygon.com/dcunum";
constexpr char kOk[] = "ok";
constexpr char kAsksForOne[] =
    R"({"metadata": {"name": "a", "namespace": "team", "uid": "uid-a"},
        "spec": {"nodeName": "n", "containers": [
          {"name": "main", "resources": {"requests": {"hygon.com/dcunum": "1"}}}]},
        "status": {"phase": "Pending"}})";

dcu::Device Card(const std::string& uuid, int minor) {
  dcu::Device device = MakeDevice(uuid);
  device.drm_card_minor = minor;
  device.drm_render_minor = 128 + minor;
  return device;
}

class AdmissionTest : public testing::Test {
 protected:
  AdmissionTest() {
    lister_.Listen(socket_);
    holdings_.SetDevices({Card("DCU-0", 0), Card("DCU-1", 1)}, {}, loop_.clock().Wall());
  }

  void AddPod(const std::string& name, int64_t count = 1, const std::string& partition = "") {
    NodePod pod = MakePod(name, partition);
    pod.phase = "Pending";
    pod.device_requests = {{"main", kDcu, count}};
    pods_.Set(pod.meta.key(), std::make_shared<NodePod>(pod));
  }
  // The controller has said why the pod gets no slice.
  void Unassign(const std::string& name, const std::string& reason, const std::string& why) {
    NodePod pod = *pods_.Get("team/" + name);
    pod.unassigned = Refusal{reason, why};
    pods_.Set(pod.meta.key(), std::make_shared<NodePod>(pod));
  }
  // Held for the pod; empty: for nobody.
  void HoldSlice(const std::string& name, const dcu::Assignment& assignment,
                 const std::string& pod) {
    Slice slice{"uid-" + name, "team", name, assignment, {}, ""};
    if (!pod.empty()) slice.pod = RefOf(MakePod(pod));
    const auto refusal = holdings_.Hold(slice);
    ASSERT_FALSE(refusal) << refusal->message;
  }
  static Lister::Entry Listed(const std::string& pod, std::vector<std::string> ids = {}) {
    return {"team", pod, "main", kDcu, std::move(ids)};
  }

  template <class Done>
  void WaitFor(const Done& done) {
    while (!done()) loop_.RunOnce();
  }
  // "ok", or the refusal's reason.
  template <class T>
  static std::string Outcome(const base::Result<T>& result) {
    if (result) return kOk;
    return result.error().message.substr(0, result.error().message.find(':'));
  }
  std::string Choose(size_t size = 1) {
    std::string outcome;
    admission_.Choose(kDcu,
                      {.available = {"vdcu-0", "vdcu-1", "vdcu-2"}, .required = {}, .size = size},
                      [&](const auto& ids) {
                        outcome = Outcome(ids);
                        if (ids) chosen_ = *ids;
                      });
    WaitFor([&] { return !outcome.empty(); });
    return outcome;
  }
  std::string Allocate(const std::vector<std::string>& ids) {
    std::string outcome;
    admission_.Allocate(kDcu, ids, [&](const auto& edits) {
      outcome = Outcome(edits);
      if (edits) edits_ = *edits;
    });
    WaitFor([&] { return !outcome.empty(); });
    return outcome;
  }
  std::string Admit(size_t size = 1) {
    const std::string chosen = Choose(size);
    return chosen == kOk ? Allocate(chosen_) : chosen;
  }
  std::string PreStart(const std::vector<std::string>& ids) {
    std::string outcome;
    admission_.PreStart(kDcu, ids, [&](const auto& may) { outcome = Outcome(may); });
    WaitFor([&] { return !outcome.empty() || transport_.requests().size() > answered_; });
    while (outcome.empty()) {
      transport_.Answer(answered_++, api_pod_.empty() ? 404 : 200, api_pod_);
      WaitFor([&] { return !outcome.empty() || transport_.requests().size() > answered_; });
    }
    return outcome;
  }

  TempFolder folder_;
  const std::string socket_ = folder_.path() + "/r.sock";
  base::Root root_{folder_.path()};
  RootFileOps files_{root_};
  Changes changes_;
  Holdings holdings_{SliceFiles(files_), changes_};
  TestLoop loop_;
  Lister lister_{};
  fakes::FakeTransport transport_;
  kclient::Client client_{transport_};
  kubelet::PodResources pod_resources_{loop_, socket_};
  kclient::Store<NodePod> pods_;
  Metrics metrics_;
  std::set<std::string> running_;    // UIDs
  std::vector<std::string> events_;  // "pod: reason"
  std::vector<std::string> chosen_;  // ids
  kubelet::ContainerEdits edits_;
  std::string api_pod_;  // what the API answers; empty: 404
  size_t answered_ = 0;
  Stages stages_{loop_.clock(), metrics_};
  const PodSearch::Sources search_{loop_, client_, pod_resources_, pods_};
  const std::function<bool(const std::string&)> has_processes_ = [this](const std::string& uid) {
    return running_.contains(uid);
  };
  const std::function<void(kclient::Event)> tell_ = [this](const kclient::Event& event) {
    events_.push_back(event.regarding.name + ": " + event.reason);
  };
  TokenLedger tokens_{{.pods = search_,
                       .slices = holdings_.slices(),
                       .changes = changes_,
                       .resources = {kDcu},
                       .has_processes = has_processes_,
                       .tell = tell_}};
  Admission admission_{{.node = "n",
                        .dtk_dir = "/opt/dtk",
                        .search = search_,
                        .host = root_,
                        .holdings = holdings_,
                        .tokens = tokens_,
                        .metrics = metrics_,
                        .stages = stages_,
                        .has_processes = has_processes_,
                        .tell = tell_}};
};

TEST_F(AdmissionTest, GivesAPodItsSliceAndAsksTheKubeletOnce) {
  AddPod("a");
  HoldSlice("p", MakeAssignment(0), "a");
  lister_.Set({Listed("a")});
  EXPECT_EQ(Admit(), kOk);
  EXPECT_THAT(chosen_, ElementsAre("vdcu-0"));
  ASSERT_EQ(edits_.mounts.size(), 1u);
  EXPECT_EQ(edits_.mounts[0].host_path, "/etc/vdev/slices/uid-p");
  EXPECT_EQ(edits_.devices.at(0).path, "/dev/dri/card0");
  EXPECT_EQ(lister_.lists(), 1) << "Allocate answers from memory";
  EXPECT_THAT(events_, ElementsAre("a: Allocated"));
}

TEST_F(AdmissionTest, ReadsAPodThatTheWatchDoesNotShowYetUntilTheApiAnswers) {
  HoldSlice("p", MakeAssignment(0), "a");
  lister_.Set({Listed("a")});
  std::string outcome;
  admission_.Choose(kDcu, {.available = {"vdcu-0"}, .required = {}, .size = 1},
                    [&](const auto& ids) { outcome = Outcome(ids); });
  const auto answer = [&](int status, const std::string& body) {
    WaitFor([&] { return !outcome.empty() || transport_.requests().size() > answered_; });
    ASSERT_EQ(outcome, "");
    transport_.Answer(answered_++, status, body);
  };
  answer(503, "");
  answer(429, "");
  answer(200, kAsksForOne);
  WaitFor([&] { return !outcome.empty(); });
  EXPECT_EQ(outcome, kOk);
}

TEST_F(AdmissionTest, WhatAKubeletThatHasEndedAskedForIsNotGivenToTheNextOne) {
  AddPod("b");
  HoldSlice("p", MakeAssignment(0), "a");
  HoldSlice("q", MakeAssignment(1), "b");
  lister_.Set({Listed("a")});
  std::string outcome;
  admission_.Choose(kDcu, {.available = {"vdcu-0"}, .required = {}, .size = 1},
                    [&](const auto& ids) { outcome = Outcome(ids); });
  WaitFor([&] { return !transport_.requests().empty(); });
  lister_.Set({Listed("a", {"vdcu-1"}), Listed("b")});
  AddPod("a");
  EXPECT_EQ(Choose(), kOk);
  transport_.Answer(0, 200, kAsksForOne);
  WaitFor([&] { return !outcome.empty(); });
  EXPECT_EQ(outcome, "Outdated");
  EXPECT_EQ(Allocate(chosen_), kOk);
  EXPECT_EQ(edits_.mounts.at(0).host_path, "/etc/vdev/slices/uid-q");
}

// A kubelet before 1.34 lists a pod that has ended or was refused until it is deleted, and for a
// moment the API does not show that it has.
TEST_F(AdmissionTest, LooksAgainWhileSeveralMayAsk) {
  AddPod("a");
  AddPod("ended");
  HoldSlice("p", MakeAssignment(0), "a");
  lister_.Set({Listed("a"), Listed("ended")});
  std::string outcome;
  admission_.Choose(kDcu, {.available = {"vdcu-0"}, .required = {}, .size = 1},
                    [&](const auto& ids) { outcome = Outcome(ids); });
  WaitFor([&] { return lister_.lists() >= 3 || !outcome.empty(); });
  ASSERT_EQ(outcome, "");
  NodePod ended = MakePod("ended");
  ended.phase = "Failed";
  pods_.Set(ended.meta.key(), std::make_shared<NodePod>(ended));
  WaitFor([&] { return !outcome.empty(); });
  EXPECT_EQ(outcome, kOk);
  EXPECT_LE(lister_.lists(), 5) << "the kubelet answers 100 requests a second, of all who ask";
}

// What was read for one look is not taken for true in the next.
TEST_F(AdmissionTest, ReadsAnewWhenItLooksAgain) {
  AddPod("a");
  AddPod("b");
  HoldSlice("p", MakeAssignment(0), "a");
  lister_.Set({Listed("a"), Listed("b"), Listed("new")});
  std::string outcome;
  admission_.Choose(kDcu, {.available = {"vdcu-0"}, .required = {}, .size = 1},
                    [&](const auto& ids) { outcome = Outcome(ids); });
  WaitFor([&] { return !transport_.requests().empty(); });
  lister_.Set({Listed("new")});
  transport_.Answer(0, 404, "");
  WaitFor([&] { return transport_.requests().size() > 1 || !outcome.empty(); });
  ASSERT_EQ(outcome, "");
  transport_.Answer(1, 404, "");
  WaitFor([&] { return !outcome.empty(); });
  EXPECT_EQ(outcome, "NobodyAsks");
}

TEST_F(AdmissionTest, RefusesWhereSeveralAskToTheEndAndTellsThemAll) {
  AddPod("a");
  AddPod("b");
  lister_.Set({Listed("a"), Listed("b")});
  EXPECT_EQ(Choose(), "SeveralAsk");
  EXPECT_THAT(events_, ElementsAre("a: SeveralAsk", "b: SeveralAsk"));
  EXPECT_LE(lister_.lists(), 50);
}

TEST_F(AdmissionTest, AContainerThatHasHadItsAnswerDoesNotAskAgainWhileTheKubeletLives) {
  AddPod("rogue");
  Unassign("rogue", "NotServed", "it names a reserved partition");
  lister_.Set({Listed("rogue")});
  EXPECT_EQ(Admit(), "NoSlice");
  AddPod("a");
  HoldSlice("p", MakeAssignment(0), "a");
  lister_.Set({Listed("rogue"), Listed("a")});
  EXPECT_EQ(Admit(), kOk);
  EXPECT_EQ(edits_.mounts.at(0).host_path, "/etc/vdev/slices/uid-p");
  // It did not write down what it was given.
  lister_.Set({Listed("a")});
  EXPECT_EQ(Choose(), "NobodyAsks");
  admission_.ForgetAnswers();
  EXPECT_EQ(Admit(), kOk);
}

// The watch shows the old pod of the name, which has failed, and the kubelet asks for the new one.
TEST_F(AdmissionTest, APodThatWasTakenForAnotherNeverStartsWithItsSlice) {
  NodePod old = MakePod("again");
  old.phase = "Failed";
  pods_.Set(old.meta.key(), std::make_shared<NodePod>(old));
  AddPod("a");
  HoldSlice("p", MakeAssignment(0), "a");
  lister_.Set({Listed("again"), Listed("a")});
  ASSERT_EQ(Admit(), kOk);
  ASSERT_EQ(edits_.mounts.at(0).host_path, "/etc/vdev/slices/uid-p");
  NodePod fresh = MakePod("again");
  fresh.meta.uid = "uid-fresh";
  pods_.Set(fresh.meta.key(), std::make_shared<NodePod>(fresh));
  Slice own{"uid-q", "team", "q", MakeAssignment(1), RefOf(fresh), ""};
  ASSERT_FALSE(holdings_.Hold(own));
  running_ = {"uid-fresh", "uid-a"};
  lister_.Set({Listed("again", chosen_), Listed("a")});
  api_pod_ = R"({"metadata": {"name": "again", "namespace": "team", "uid": "uid-fresh"}})";
  EXPECT_EQ(PreStart(chosen_), "GivenToAnother");
  EXPECT_EQ(events_.back(), "again: GivenToAnother");
  lister_.Set({Listed("again"), Listed("a", chosen_)});
  EXPECT_EQ(PreStart(chosen_), kOk);
  ASSERT_TRUE(holdings_.Release("uid-p"));
  lister_.Set({Listed("again", chosen_)});
  EXPECT_EQ(PreStart(chosen_), kOk) << "the one that it was given for is gone";
}

TEST_F(AdmissionTest, AnAllocateThatWasNotChosenForFindsItsPodItself) {
  AddPod("a");
  HoldSlice("p", MakeAssignment(0), "a");
  lister_.Set({Listed("a")});
  EXPECT_EQ(Choose(), kOk);
  EXPECT_EQ(Allocate({"vdcu-9"}), kOk) << "other ids than those chosen";
  EXPECT_EQ(lister_.lists(), 2);
}

TEST_F(AdmissionTest, RefusesWhatDoesNotFitTogether) {
  const auto refused = [this](const std::string& sentence, const std::string& want, size_t size) {
    events_.clear();
    admission_.ForgetAnswers();
    EXPECT_EQ(Admit(size), want) << sentence;
    EXPECT_THAT(events_, ElementsAre("a: " + want)) << sentence;
  };
  AddPod("a");
  Unassign("a", "NotServed", "it asks wrongly");
  lister_.Set({Listed("a")});
  refused("it never gets one", "NoSlice", 1);
  HoldSlice("p", MakeAssignment(0), "a");
  refused("the kubelet wants two", "WrongCount", 2);
  AddPod("a", 2);
  Unassign("a", "NotServed", "it asks wrongly");
  refused("it asks for two and one is prepared", "WrongCount", 2);
  AddPod("a");
  Slice lost = *holdings_.Find("uid-p");
  lost.lost_since = "2026-01-02T03:04:05Z";
  ASSERT_TRUE(holdings_.Record(lost));
  refused("its partition was removed", "PartitionGone", 1);
  lost.lost_since = "";
  ASSERT_TRUE(holdings_.Record(lost));
  holdings_.SetDevices({MakeSick(Card("DCU-0", 0))}, {}, loop_.clock().Wall());
  refused("its card is sick", "CardNotHealthy", 1);
}

TEST_F(AdmissionTest, GivesSeveralWholeCards) {
  AddPod("a", 2);
  HoldSlice("p", MakeWholeCard(), "a");
  dcu::Assignment other = MakeWholeCard();
  other.device = "DCU-1";
  HoldSlice("q", other, "a");
  lister_.Set({Listed("a")});
  EXPECT_EQ(Admit(2), kOk);
  EXPECT_THAT(edits_.mounts, IsEmpty());
  EXPECT_EQ(edits_.devices.size(), 4u);
}

TEST_F(AdmissionTest, AReservedSliceGoesToThePodThatNamesItAndToNoOther) {
  AddPod("a", 1, "p");
  HoldSlice("p", MakeAssignment(0), "");
  lister_.Set({Listed("a")});
  EXPECT_EQ(Admit(), kOk);
  EXPECT_EQ(holdings_.Find("uid-p")->pod, RefOf(MakePod("a"))) << "written down before the answer";
  AddPod("b", 1, "p");
  lister_.Set({Listed("a", {"vdcu-0"}), Listed("b")});
  EXPECT_EQ(Admit(), "NoSlice");
}

TEST_F(AdmissionTest, MendsTheFileBeforeItIsMounted) {
  AddPod("a");
  HoldSlice("p", MakeAssignment(0), "a");
  lister_.Set({Listed("a")});
  ASSERT_TRUE(root_.WriteAtomic("/etc/vdev/slices/uid-p/vdev0.conf", "cu_count: 60\n"));
  EXPECT_EQ(Admit(), kOk);
  EXPECT_THAT(root_.Read("/etc/vdev/slices/uid-p/vdev0.conf").value(),
              testing::HasSubstr("cu_count: 9\n"));
}

TEST_F(AdmissionTest, LetsAContainerStartWhileItsPodRunsAndHoldsItsSlice) {
  AddPod("a");
  HoldSlice("p", MakeAssignment(0), "a");
  lister_.Set({Listed("a", {"vdcu-0"})});
  api_pod_ = R"({"metadata": {"name": "a", "namespace": "team", "uid": "uid-a"},
                 "spec": {"nodeName": "n"}})";
  EXPECT_EQ(PreStart({"vdcu-0"}), "NotRunning") << "no sandbox of that UID";
  running_ = {"uid-a"};
  EXPECT_EQ(PreStart({"vdcu-0"}), kOk);
  ASSERT_TRUE(root_.RemoveFile("/etc/vdev/slices/uid-p/vdev0.conf"));
  EXPECT_EQ(PreStart({"vdcu-0"}), kOk);
  EXPECT_TRUE(root_.Exists("/etc/vdev/slices/uid-p/vdev0.conf")) << "an empty folder shows all";
  EXPECT_EQ(PreStart({"vdcu-5"}), "NobodyHolds");
  ASSERT_TRUE(holdings_.Release("uid-p"));
  EXPECT_EQ(PreStart({"vdcu-0"}), "SliceGone");
}

TEST_F(AdmissionTest, OneIdInTwoHandsNeedsBothToBeRight) {
  AddPod("a");
  AddPod("b");
  HoldSlice("p", MakeAssignment(0), "a");
  HoldSlice("q", MakeAssignment(1), "b");
  running_ = {"uid-a", "uid-b"};
  lister_.Set({Listed("a", {"vdcu-0"}), Listed("b", {"vdcu-0"})});
  EXPECT_EQ(PreStart({"vdcu-0"}), kOk);
  ASSERT_TRUE(holdings_.Release("uid-q"));
  api_pod_ = R"({"metadata": {"name": "b", "namespace": "team", "uid": "uid-b"}})";
  EXPECT_EQ(PreStart({"vdcu-0"}), "SliceGone");
  // A pod that the API does not have any more is not what starts.
  pods_.Erase("team/b");
  api_pod_ = "";
  EXPECT_EQ(PreStart({"vdcu-0"}), kOk);
}

TEST_F(AdmissionTest, TellsOnceThatTheKubeletHasLostADevice) {
  NodePod pod = MakePod("a");
  pod.started = true;
  pod.device_requests = {{"main", kDcu, 1}};
  pods_.Set(pod.meta.key(), std::make_shared<NodePod>(pod));
  HoldSlice("p", MakeAssignment(0), "a");
  running_ = {"uid-a"};
  lister_.Set({Listed("other")});
  tokens_.Refresh();
  WaitFor([&] { return lister_.lists() == 1; });
  api_pod_ =
      R"({"metadata": {"name": "a", "namespace": "team", "uid": "uid-a"},
          "spec": {"nodeName": "n", "containers": [
            {"name": "main", "resources": {"requests": {"hygon.com/dcunum": "1"}}}]},
          "status": {"phase": "Running", "startTime": "2026-01-02T03:04:05Z"}})";
  lister_.Set({Listed("a")});
  for (int i = 0; i < 2; ++i) {
    const size_t asked = transport_.requests().size();
    tokens_.Refresh();
    WaitFor([&] { return transport_.requests().size() > asked; });
    transport_.Answer(asked, 200, api_pod_);
    WaitFor([&] { return tokens_.IsLost(RefOf(pod)); });
  }
  EXPECT_THAT(events_, ElementsAre("a: DeviceLost"));
  EXPECT_THAT(changes_.Take().pods, ElementsAre("uid-a"));
  lister_.Set({Listed("a", {"vdcu-0"})});
  tokens_.Refresh();
  WaitFor([&] { return !tokens_.IsLost(RefOf(pod)); });
  EXPECT_THAT(changes_.Take().pods, ElementsAre("uid-a"));
}

// Who makes pods anew without end would be told of each.
TEST_F(AdmissionTest, AnOwnerIsToldThatItsPodsHaveNoSlice) {
  NodePod pod = MakePod("a");
  pod.phase = "Pending";
  pod.device_requests = {{"main", kDcu, 1}};
  pod.meta.owner_references = {{"apps/v1", "ReplicaSet", "set", "uid-set", true}};
  pod.unassigned = Refusal{"NotServed", "it asks wrongly"};
  pods_.Set(pod.meta.key(), std::make_shared<NodePod>(pod));
  lister_.Set({Listed("a")});
  EXPECT_EQ(Admit(), "NoSlice");
  EXPECT_THAT(events_, ElementsAre("set: NoSlice"));
}

// It came to this node by hand, and is given a slice while the kubelet waits.
TEST_F(AdmissionTest, ASliceThatIsAboutToComeIsAwaited) {
  AddPod("a", 2);
  lister_.Set({Listed("a")});
  std::string outcome;
  admission_.Choose(kDcu, {.available = {"vdcu-0", "vdcu-1"}, .required = {}, .size = 2},
                    [&](const auto& ids) {
                      outcome = Outcome(ids);
                      if (ids) chosen_ = *ids;
                    });
  WaitFor([&] { return lister_.lists() == 1; });
  dcu::Assignment other = MakeWholeCard();
  other.device = "DCU-1";
  HoldSlice("p", MakeWholeCard(), "a");
  admission_.Look();
  EXPECT_TRUE(admission_.busy());
  EXPECT_EQ(outcome, "") << "it asks for two";
  HoldSlice("q", other, "a");
  WaitFor([&] {
    admission_.Look();
    return !outcome.empty();
  });
  EXPECT_EQ(outcome, kOk);
  EXPECT_EQ(Allocate(chosen_), kOk);
  EXPECT_EQ(edits_.devices.size(), 4u);
}

TEST_F(AdmissionTest, NoSliceIsAwaitedAnyMoreWhenItIsKnownThatNoneComes) {
  AddPod("a");
  lister_.Set({Listed("a")});
  std::string why;
  admission_.Allocate(kDcu, {"vdcu-0"}, [&](const auto& edits) { why = edits.error().message; });
  WaitFor([&] { return lister_.lists() == 1; });
  EXPECT_EQ(why, "");
  Unassign("a", "NotServed", "it asks wrongly");
  WaitFor([&] {
    admission_.Look();
    return !why.empty();
  });
  EXPECT_THAT(why, testing::HasSubstr("NoSlice"));
  EXPECT_THAT(why, testing::HasSubstr(": it asks wrongly"));
  EXPECT_THAT(events_, ElementsAre("a: NoSlice"));
  EXPECT_FALSE(admission_.busy());
}

TEST_F(AdmissionTest, DrainsWhenNoAdmissionIsBetweenItsCalls) {
  AddPod("a");
  HoldSlice("p", MakeAssignment(0), "a");
  lister_.Set({Listed("a")});
  EXPECT_EQ(Choose(), kOk);
  bool drained = false;
  admission_.Drain(base::Duration(60'000), [&] {
    drained = true;
    loop_.Post([] {});  // RunOnce waits for one more event after a timer that was due
  });
  EXPECT_TRUE(admission_.busy());
  EXPECT_EQ(Allocate(chosen_), kOk);
  WaitFor([&] { return drained; });
}

}  // namespace
}  // namespace vdcu::node
