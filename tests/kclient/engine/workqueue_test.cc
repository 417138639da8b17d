#include "kclient/engine/workqueue.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/simulated_loop.h"

namespace vdcu::kclient {
namespace {

using base::Duration;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class WorkQueueTest : public ::testing::Test {
 protected:
  static Key K(const char* name) { return {"pod", "team-a", name}; }
  // All that is ready, without Done.
  std::vector<std::string> Drain() {
    std::vector<std::string> keys;
    while (auto key = queue_.Get()) keys.push_back(key->name);
    return keys;
  }

  fakes::SimulatedLoop loop_;
  int woken_ = 0;
  WorkQueue queue_{loop_, [this] { ++woken_; }};
};

TEST_F(WorkQueueTest, FairKeysAreGivenOutInTheOrderInWhichTheyWereAdded) {
  for (const char* key : {"c", "a", "b"}) queue_.Add(K(key));
  EXPECT_THAT(Drain(), ElementsAre("c", "a", "b"));
}

TEST_F(WorkQueueTest, StingyAKeyAddedManyTimesBeforeItIsGivenOutIsProcessedOnce) {
  for (int i = 0; i < 10; ++i) queue_.Add(K("a"));
  EXPECT_EQ(queue_.ready(), 1U);
  EXPECT_THAT(Drain(), ElementsAre("a"));
  queue_.Done(K("a"));
  EXPECT_THAT(Drain(), IsEmpty());
}

TEST_F(WorkQueueTest, StingyAKeyIsNeverProcessedTwiceAtOnce) {
  queue_.Add(K("a"));
  EXPECT_THAT(Drain(), ElementsAre("a"));
  queue_.Add(K("a"));
  EXPECT_THAT(Drain(), IsEmpty());
  EXPECT_EQ(queue_.processing(), 1U);
}

TEST_F(WorkQueueTest, AKeyAddedWhileItIsProcessedRunsAgainAfterItsDone) {
  queue_.Add(K("a"));
  EXPECT_THAT(Drain(), ElementsAre("a"));
  queue_.Add(K("a"));
  queue_.Add(K("b"));
  queue_.Add(K("a"));
  queue_.Done(K("a"));
  EXPECT_THAT(Drain(), ElementsAre("b", "a"));
  queue_.Done(K("a"));
  EXPECT_THAT(Drain(), IsEmpty());
}

TEST_F(WorkQueueTest, AddAfterTheEarliestOfSeveralDelaysWinsAndTheyCollapseIntoOneAdd) {
  queue_.AddAfter(K("a"), Duration(500));
  queue_.AddAfter(K("a"), Duration(200));
  queue_.AddAfter(K("a"), Duration(900));
  EXPECT_EQ(queue_.delayed(), 1U);
  loop_.Advance(Duration(199));
  EXPECT_THAT(Drain(), IsEmpty());
  loop_.Advance(Duration(1));
  EXPECT_THAT(Drain(), ElementsAre("a"));
  queue_.Done(K("a"));
  loop_.Advance(Duration(10'000));
  EXPECT_THAT(Drain(), IsEmpty());
}

TEST_F(WorkQueueTest, AddAfterGivesKeysOutByTheirTime) {
  queue_.AddAfter(K("late"), Duration(300));
  queue_.AddAfter(K("soon"), Duration(100));
  queue_.AddAfter(K("now"), Duration(0));
  EXPECT_THAT(Drain(), ElementsAre("now"));
  loop_.Advance(Duration(400));
  EXPECT_THAT(Drain(), ElementsAre("soon", "late"));
}

TEST_F(WorkQueueTest, AnAddMeanwhileDoesNotTakeTheDelayedOneAway) {
  queue_.AddAfter(K("a"), Duration(100));
  queue_.Add(K("a"));
  EXPECT_THAT(Drain(), ElementsAre("a"));
  queue_.Done(K("a"));
  loop_.Advance(Duration(100));
  EXPECT_THAT(Drain(), ElementsAre("a"));
}

TEST_F(WorkQueueTest, TellsForHowLongTheFirstHasBeenReady) {
  EXPECT_EQ(queue_.oldest(), Duration(0));
  queue_.Add(K("a"));
  loop_.Advance(Duration(30));
  queue_.Add(K("b"));
  queue_.Add(K("a"));
  loop_.Advance(Duration(10));
  EXPECT_EQ(queue_.oldest(), Duration(40));
  EXPECT_EQ(queue_.Get(), K("a"));
  EXPECT_EQ(queue_.oldest(), Duration(10));
}

TEST_F(WorkQueueTest, AfterShutDownNothingIsAddedWhatIsQueuedIsStillGivenOut) {
  queue_.Add(K("queued"));
  queue_.AddAfter(K("delayed"), Duration(100));
  queue_.ShutDown();
  queue_.Add(K("new"));
  queue_.AddAfter(K("new"), Duration(1));
  loop_.Advance(Duration(1'000));
  EXPECT_THAT(Drain(), ElementsAre("queued"));
}

TEST_F(WorkQueueTest, OnReadyRunsInALaterTurnAfterAKeyBecameReadyOnceForMany) {
  queue_.Add(K("a"));
  queue_.Add(K("b"));
  EXPECT_EQ(woken_, 0);
  loop_.Advance(Duration(0));
  EXPECT_EQ(woken_, 1);
  Drain();
  queue_.Add(K("a"));
  loop_.Advance(Duration(0));
  EXPECT_EQ(woken_, 1);
  queue_.Done(K("a"));
  loop_.Advance(Duration(0));
  EXPECT_EQ(woken_, 2);
  queue_.AddAfter(K("c"), Duration(100));
  loop_.Advance(Duration(100));
  EXPECT_EQ(woken_, 3);
}

}  // namespace
}  // namespace vdcu::kclient
