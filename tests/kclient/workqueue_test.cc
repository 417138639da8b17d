#include "kclient/workqueue.h"

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
  // All that is ready, without Done.
  std::vector<std::string> Drain() {
    std::vector<std::string> keys;
    while (auto key = queue_.Get()) keys.push_back(*key);
    return keys;
  }

  fakes::SimulatedLoop loop_;
  double random_ = 1.0;  // jitter gives the whole delay
  int woken_ = 0;
  WorkQueue queue_{loop_, RateLimiter([this] { return random_; }), [this] { ++woken_; }};
};

TEST_F(WorkQueueTest, FairKeysAreGivenOutInTheOrderInWhichTheyWereAdded) {
  for (const char* key : {"c", "a", "b"}) queue_.Add(key);
  EXPECT_THAT(Drain(), ElementsAre("c", "a", "b"));
}

TEST_F(WorkQueueTest, StingyAKeyAddedManyTimesBeforeItIsGivenOutIsProcessedOnce) {
  for (int i = 0; i < 10; ++i) queue_.Add("a");
  EXPECT_EQ(queue_.ready(), 1U);
  EXPECT_THAT(Drain(), ElementsAre("a"));
  queue_.Done("a");
  EXPECT_THAT(Drain(), IsEmpty());
}

TEST_F(WorkQueueTest, StingyAKeyIsNeverProcessedTwiceAtOnce) {
  queue_.Add("a");
  EXPECT_THAT(Drain(), ElementsAre("a"));
  queue_.Add("a");
  EXPECT_THAT(Drain(), IsEmpty());
  EXPECT_EQ(queue_.processing(), 1U);
}

TEST_F(WorkQueueTest, AKeyAddedWhileItIsProcessedRunsAgainAfterItsDone) {
  queue_.Add("a");
  EXPECT_THAT(Drain(), ElementsAre("a"));
  queue_.Add("a");
  queue_.Add("b");
  queue_.Add("a");
  queue_.Done("a");
  EXPECT_THAT(Drain(), ElementsAre("b", "a"));
  queue_.Done("a");
  EXPECT_THAT(Drain(), IsEmpty());
}

TEST_F(WorkQueueTest, AddAfterTheEarliestOfSeveralDelaysWinsAndTheyCollapseIntoOneAdd) {
  queue_.AddAfter("a", Duration(500));
  queue_.AddAfter("a", Duration(200));
  queue_.AddAfter("a", Duration(900));
  EXPECT_EQ(queue_.delayed(), 1U);
  loop_.Advance(Duration(199));
  EXPECT_THAT(Drain(), IsEmpty());
  loop_.Advance(Duration(1));
  EXPECT_THAT(Drain(), ElementsAre("a"));
  queue_.Done("a");
  loop_.Advance(Duration(10'000));
  EXPECT_THAT(Drain(), IsEmpty());
}

TEST_F(WorkQueueTest, AddAfterGivesKeysOutByTheirTime) {
  queue_.AddAfter("late", Duration(300));
  queue_.AddAfter("soon", Duration(100));
  queue_.AddAfter("now", Duration(0));
  EXPECT_THAT(Drain(), ElementsAre("now"));
  loop_.Advance(Duration(400));
  EXPECT_THAT(Drain(), ElementsAre("soon", "late"));
}

TEST_F(WorkQueueTest, AnAddMeanwhileDoesNotTakeTheDelayedOneAway) {
  queue_.AddAfter("a", Duration(100));
  queue_.Add("a");
  EXPECT_THAT(Drain(), ElementsAre("a"));
  queue_.Done("a");
  loop_.Advance(Duration(100));
  EXPECT_THAT(Drain(), ElementsAre("a"));
}

TEST_F(WorkQueueTest, AddRateLimitedAKeyWaitsLongerWithEachCallUntilForget) {
  const auto wait = [this](const std::string& key) {
    queue_.AddRateLimited(key);
    const base::TimePoint start = loop_.clock().Now();
    loop_.Advance(*loop_.NextTimer() - start);
    const Duration waited = loop_.clock().Now() - start;
    EXPECT_EQ(queue_.Get(), key);
    queue_.Done(key);
    loop_.Advance(Duration(0));
    return waited.count();
  };
  std::vector<int64_t> waits;
  for (int i = 0; i < 16; ++i) waits.push_back(wait("a"));
  EXPECT_THAT(waits, ElementsAre(5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120, 10240, 20480,
                                 40960, 60000, 60000));
  EXPECT_EQ(queue_.Failures("a"), 16);
  EXPECT_EQ(wait("b"), 5);
  queue_.Forget("a");
  EXPECT_EQ(queue_.Failures("a"), 0);
  random_ = 0;
  EXPECT_EQ(wait("a"), 2);
}

TEST_F(WorkQueueTest, AfterShutDownNothingIsAddedWhatIsQueuedIsStillGivenOut) {
  queue_.Add("queued");
  queue_.AddAfter("delayed", Duration(100));
  queue_.ShutDown();
  queue_.Add("new");
  queue_.AddAfter("new", Duration(1));
  queue_.AddRateLimited("new");
  loop_.Advance(Duration(1'000));
  EXPECT_THAT(Drain(), ElementsAre("queued"));
}

TEST_F(WorkQueueTest, OnReadyRunsInALaterTurnAfterAKeyBecameReadyOnceForMany) {
  queue_.Add("a");
  queue_.Add("b");
  EXPECT_EQ(woken_, 0);
  loop_.Advance(Duration(0));
  EXPECT_EQ(woken_, 1);
  Drain();
  queue_.Add("a");
  loop_.Advance(Duration(0));
  EXPECT_EQ(woken_, 1);
  queue_.Done("a");
  loop_.Advance(Duration(0));
  EXPECT_EQ(woken_, 2);
  queue_.AddAfter("c", Duration(100));
  loop_.Advance(Duration(100));
  EXPECT_EQ(woken_, 3);
}

}  // namespace
}  // namespace vdcu::kclient
