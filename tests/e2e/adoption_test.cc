// Pods that were put on the node by hand (spec.nodeName): they are given slices while the kubelet
// waits for them.
#include <chrono>
#include <string>
#include <vector>

#include "tests/e2e/e2e_test.h"

namespace vdcu::e2e {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using world::kPartitions;

class AdoptionTest : public E2eTest {
 protected:
  static std::string FailureOf(const std::string& pod) {
    return FindPod(pod)["status"].value("message", "");
  }
  static bool IsAwaited(const std::string& pod) {
    const std::string log = machine().DaemonLog();
    const size_t at = log.rfind("a slice is awaited");
    return at != std::string::npos && log.find("default/" + pod, at) != std::string::npos;
  }
  static json ByHand(const std::string& name, const Limits& limits) {
    return On(kNode, RealPod(name, limits));
  }
};

TEST_F(AdoptionTest, APodThatWasBoundByHandRunsWithItsOwnSlice) {
  Create(ByHand("hand", Slice(15, 2000)));
  Create(ByHand("cards", kTwoCards));
  Create(On(kNode, PodOf("several", {RealContainer("a", Slice(10, 1000)),
                                     RealContainer("b", Slice(25, 3000))})));
  ASSERT_TRUE(Runs({"hand", "cards", "several"}));
  ExpectOwnSlice("hand");
  ExpectOwnCards("cards", 2);
  for (const char* container : {"a", "b"}) ExpectOwnSlice("several", container);
  EXPECT_TRUE(HasEvent("hand", "Adopted", kNode));
  Delete("hand");
  EXPECT_TRUE(Eventually("its slice is let go", [] { return PartitionsOf("hand").empty(); }));
}

TEST_F(AdoptionTest, EightAtOnceBesideOrdinaryOnesAllRun) {
  std::vector<std::string> pods;
  for (int i = 0; i < 8; ++i) {
    const std::string number = std::to_string(i);
    pods.push_back("hand-" + number);
    Create(ByHand(pods.back(), Slice(20, 2000)));
    pods.push_back("ordinary-" + number);
    Create(RealPod(pods.back(), Slice(20, 2000)));
  }
  ASSERT_TRUE(Runs(pods));
  for (const std::string& pod : pods) ExpectOwnSlice(pod);
  ExpectNoAdmissionError();
}

TEST_F(AdoptionTest, WithRoomForNoneItFailsWithTheReasonAndTheOthersRun) {
  std::vector<std::string> cards;
  for (int i = 0; i < 8; ++i) {
    cards.push_back("card-" + std::to_string(i));
    Create(RealPod(cards.back(), kWholeCard));
  }
  ASSERT_TRUE(Runs(cards));
  Create(ByHand("late", Slice(10, 1000)));
  Create(ByHand("plain", kNothing));
  ASSERT_TRUE(HasPhase("late", "Failed"));
  EXPECT_EQ(FindPod("late")["status"].value("reason", ""), "UnexpectedAdmissionError");
  EXPECT_THAT(FailureOf("late"), HasSubstr("NoSlice"));
  EXPECT_THAT(FailureOf("late"), HasSubstr("8 cards: ")) << "what the controller counted";
  EXPECT_TRUE(Runs("plain"));
  for (const std::string& pod : cards) ExpectOwnCards(pod, 1);
  EXPECT_TRUE(PartitionsOf("late").empty());
}

TEST_F(AdoptionTest, TheControllerIsAwayForAMomentAndItRuns) {
  world().controller.reset();  // SIGKILL
  Create(ByHand("hand", Slice(15, 2000)));
  world().StartController();
  ASSERT_TRUE(Runs("hand"));
  ExpectOwnSlice("hand");
}

TEST_F(AdoptionTest, TheControllerIsAwayForTooLongAndItFailsWithTheReason) {
  world().controller.reset();
  Create(ByHand("hand", Slice(15, 2000)));
  Create(ByHand("plain", kNothing));
  EXPECT_TRUE(HasPhase("hand", "Failed"));
  EXPECT_THAT(FailureOf("hand"), HasSubstr("vdcu-controller has made none in time"));
  EXPECT_TRUE(Runs("plain"));
  world().StartController();
  EXPECT_TRUE(Runs(CreateSlices(1)));
  EXPECT_TRUE(PartitionsOf("hand").empty());
}

// SIGTERM: the answer that is awaited is given first.
TEST_F(AdoptionTest, TheDaemonIsStoppedMeanwhileAndItRuns) {
  world().controller.reset();
  Create(ByHand("hand", Slice(15, 2000)));
  ASSERT_TRUE(Eventually("the kubelet waits", [] { return IsAwaited("hand"); }));
  world().StartController();
  EXPECT_EQ(machine().StopDaemon(), 0);
  StartAll();
  ASSERT_TRUE(Runs("hand"));
  ExpectOwnSlice("hand");
}

TEST_F(AdoptionTest, OneThatIsDeletedMeanwhileHoldsUpNobody) {
  world().controller.reset();
  Create(ByHand("hand", Slice(15, 2000)));
  Create(ByHand("plain", kNothing));
  ASSERT_TRUE(Eventually("the kubelet waits", [] { return IsAwaited("hand"); }));
  Delete("hand");
  EXPECT_TRUE(Runs("plain"));
  world().StartController();
  EXPECT_TRUE(Runs(CreateSlices(1)));
  EXPECT_TRUE(PartitionsOf("hand").empty());
}

class StaticPodTest : public AdoptionTest {
 protected:
  void TearDown() override {
    if (checker_) {
      machine().Exec({"rm", "-rf", "/etc/static"});
      machine().ConfigureKubelet("");
    }
    AdoptionTest::TearDown();
  }
};

// The API does not show it before its kubelet has admitted it. A kubelet that starts with it there
// may look at it before the daemon has registered again, and refuse it by itself.
TEST_F(StaticPodTest, ItIsRefusedWithTheReasonAndNothingIsLeftOfIt) {
  ASSERT_EQ(machine().Exec({"mkdir", "-p", "/etc/static"}).exit_code, 0);
  machine().ConfigureKubelet("staticPodPath: /etc/static\n");
  EXPECT_TRUE(Runs(CreateSlices(1, "before")));
  json pod = ByHand("static", Slice(10, 1000));
  pod["spec"].erase("nodeName");
  const std::string write = "cat > /etc/static/.pod.json <<'END'\n" + pod.dump() +
                            "\nEND\nmv /etc/static/.pod.json /etc/static/pod.json\n";
  ASSERT_EQ(machine().Exec({"sh", "-c", write}).exit_code, 0);
  const std::string mirror = std::string("static-") + kNode;
  EXPECT_TRUE(Eventually("it is refused", [] {
    return machine().DaemonLog().find("static pods get no slices") != std::string::npos;
  }));
  EXPECT_TRUE(Runs(CreateSlices(1, "after")));
  EXPECT_TRUE(PartitionsOf(mirror).empty());
}

}  // namespace
}  // namespace vdcu::e2e
