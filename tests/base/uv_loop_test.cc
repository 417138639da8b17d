#include "base/uv_loop.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace vdcu::base {
namespace {

class UvLoopTest : public testing::Test {
 protected:
  // Runs the loop until `done`, or fails after a time that no machine needs.
  template <class Done>
  void RunUntil(Done done) {
    bool late = false;
    const auto deadline = loop_.MakeTimer([&] { late = true; });
    deadline->Start(std::chrono::seconds(30));
    while (!done() && !late) loop_.RunOnce();
    EXPECT_FALSE(late) << "nothing happened for 30 s";
  }
  // Lets everything that is due by now call back.
  void RunFor(Duration time) {
    bool over = false;
    const auto timer = loop_.MakeTimer([&] { over = true; });
    timer->Start(time);
    while (!over) loop_.RunOnce();
  }

  UvLoop loop_;
};

TEST_F(UvLoopTest, TimersFireInOrderOfTimeAndNeverEarly) {
  const TimePoint start = loop_.clock().Now();
  std::string fired;
  Duration late_after{0};
  const auto late = loop_.MakeTimer([&] {
    fired += 'l';
    late_after = loop_.clock().Now() - start;
  });
  const auto early = loop_.MakeTimer([&] { fired += 'e'; });
  late->Start(Duration(20));
  early->Start(Duration(0));
  EXPECT_TRUE(fired.empty()) << "never inside Start()";
  loop_.Run();
  EXPECT_EQ(fired, "el");
  // Both clocks are cut to milliseconds.
  EXPECT_GE(late_after, Duration(19));
}

TEST_F(UvLoopTest, AStartReplacesAnEarlierOneAndAStopTakesItBack) {
  int fired = 0;
  const auto timer = loop_.MakeTimer([&] { ++fired; });
  timer->Start(Duration(0));
  timer->Start(Duration(5));
  EXPECT_TRUE(timer->armed());
  loop_.Run();
  EXPECT_EQ(fired, 1);
  EXPECT_FALSE(timer->armed());
  timer->Start(Duration(0));
  timer->Stop();
  EXPECT_FALSE(timer->armed());
  RunFor(Duration(5));
  EXPECT_EQ(fired, 1);
}

TEST_F(UvLoopTest, ADestroyedTimerDoesNotFire) {
  int fired = 0;
  auto timer = loop_.MakeTimer([&] { ++fired; });
  timer->Start(Duration(0));
  timer.reset();
  RunFor(Duration(5));
  EXPECT_EQ(fired, 0);
}

TEST_F(UvLoopTest, ATimerDestroyedByAnotherOfTheSameTurnDoesNotFire) {
  int fired = 0;
  TimerPtr second;
  const auto first = loop_.MakeTimer([&] { second.reset(); });
  second = loop_.MakeTimer([&] { ++fired; });
  first->Start(Duration(0));
  second->Start(Duration(0));
  RunFor(Duration(5));
  EXPECT_EQ(fired, 0);
}

// What each kind of callback does here: destroy the object that owns handle and callback.
struct Owner {
  TimerPtr timer;
  std::unique_ptr<Poll> poll;
  std::unique_ptr<Subscription> subscription;
  std::string state = "alive";
};

TEST_F(UvLoopTest, AnOwnerMayDieInItsTimersCallback) {
  auto owner = std::make_unique<Owner>();
  std::string seen;
  owner->timer = loop_.MakeTimer([&owner, &seen] {
    seen = owner->state;
    owner.reset();
    seen += " then gone";
  });
  owner->timer->Start(Duration(0));
  RunUntil([&] { return !seen.empty(); });
  EXPECT_EQ(owner, nullptr);
  EXPECT_EQ(seen, "alive then gone");
}

TEST_F(UvLoopTest, PostedWorkRunsInOrderAndNeverInsidePost) {
  std::string seen;
  loop_.Post([&] {
    seen += 'a';
    loop_.Post([&] { seen += 'c'; });
    seen += 'b';
  });
  EXPECT_TRUE(seen.empty());
  RunUntil([&] { return seen.size() == 3; });
  EXPECT_EQ(seen, "abc");
}

TEST_F(UvLoopTest, PostedWorkOfManyThreadsRunsOnTheLoopsThreadInEachOnesOrder) {
  constexpr int kThreads = 4;
  constexpr int kPosts = 2000;
  std::vector<int> next(kThreads, 0);
  int ran = 0;
  bool in_order = true;
  bool on_loop_thread = true;
  const auto loop_thread = std::this_thread::get_id();
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < kPosts; ++i) {
        loop_.Post([&, thread, i] {
          in_order &= next[static_cast<size_t>(thread)]++ == i;
          on_loop_thread &= std::this_thread::get_id() == loop_thread;
          ++ran;
        });
      }
    });
  }
  RunUntil([&] { return ran == kThreads * kPosts; });
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(in_order);
  EXPECT_TRUE(on_loop_thread);
}

TEST_F(UvLoopTest, StopFromAnotherThreadEndsRun) {
  const auto keeps_it_going = loop_.MakeTimer([] { FAIL() << "Run() was not stopped"; });
  keeps_it_going->Start(std::chrono::seconds(30));
  std::thread other([&] { loop_.Stop(); });
  loop_.Run();
  other.join();
  EXPECT_TRUE(keeps_it_going->armed());
}

TEST(UvLoop, WorkThatNeverRanIsDestroyedWithTheLoop) {
  const auto token = std::make_shared<int>(1);
  {
    UvLoop loop;
    loop.Post([token] { FAIL(); });
    EXPECT_EQ(token.use_count(), 2);
  }
  EXPECT_EQ(token.use_count(), 1);
}

TEST(UvLoopDeathTest, AHandleThatOutlivesTheLoopIsABrokenInvariant) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto break_it = [] {
    auto loop = std::make_unique<UvLoop>();
    const auto timer = loop->MakeTimer([] {});
    loop.reset();
  };
  EXPECT_EXIT(break_it(), testing::KilledBySignal(SIGABRT), "");
}

class SocketPair {
 public:
  SocketPair() { EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends_), 0); }
  ~SocketPair() {
    close(ends_[0]);
    close(ends_[1]);
  }
  int end(int which) const { return ends_[which]; }

 private:
  int ends_[2];
};

TEST_F(UvLoopTest, APollTellsWhatIsReady) {
  const SocketPair sockets;
  int events = 0;
  const auto poll = loop_.MakePoll(sockets.end(0), [&](int ready) { events = ready; });
  poll->Start(Poll::kReadable);
  RunFor(Duration(5));
  EXPECT_EQ(events, 0) << "nothing to read yet";
  ASSERT_EQ(write(sockets.end(1), "x", 1), 1);
  RunUntil([&] { return events != 0; });
  EXPECT_EQ(events, Poll::kReadable);
  events = 0;
  poll->Start(Poll::kReadable | Poll::kWritable);
  RunUntil([&] { return events != 0; });
  EXPECT_EQ(events, Poll::kReadable | Poll::kWritable);
}

TEST_F(UvLoopTest, AnOwnerMayDieInItsPollsCallback) {
  const SocketPair sockets;
  auto owner = std::make_unique<Owner>();
  std::string seen;
  owner->poll = loop_.MakePoll(sockets.end(0), [&owner, &seen](int) {
    seen += owner->state;
    owner.reset();
    seen += " then gone";
  });
  owner->poll->Start(Poll::kWritable);
  RunUntil([&] { return owner == nullptr; });
  RunFor(Duration(5));
  EXPECT_EQ(seen, "alive then gone") << "called once";
}

TEST_F(UvLoopTest, ASignalCallsAllItsSubscribers) {
  int first = 0;
  int second = 0;
  const auto one = loop_.OnSignal(SIGUSR1, [&] { ++first; });
  auto two = loop_.OnSignal(SIGUSR1, [&] { ++second; });
  raise(SIGUSR1);
  RunUntil([&] { return first == 1 && second == 1; });
  two.reset();
  raise(SIGUSR1);
  RunUntil([&] { return first == 2; });
  EXPECT_EQ(second, 1) << "its subscription had ended";
}

TEST_F(UvLoopTest, AnOwnerMayDieInItsSignalsCallback) {
  auto owner = std::make_unique<Owner>();
  owner->subscription = loop_.OnSignal(SIGUSR2, [&owner] { owner.reset(); });
  raise(SIGUSR2);
  RunUntil([&] { return owner == nullptr; });
}

class FolderWatchTest : public UvLoopTest {
 protected:
  FolderWatchTest() {
    std::string name = testing::TempDir() + "vdcu-watch-XXXXXX";
    folder_ = mkdtemp(name.data());
  }
  ~FolderWatchTest() override { std::filesystem::remove_all(folder_); }
  void Touch(const std::string& name) const { std::ofstream(folder_ + "/" + name) << "x"; }

  std::string folder_;
};

TEST_F(FolderWatchTest, AChangeInTheFolderIsToldByName) {
  std::vector<std::string> names;
  const auto watch =
      loop_.OnChange(folder_, [&](std::string name) { names.push_back(std::move(name)); });
  ASSERT_TRUE(watch) << watch.error().message;
  Touch("kubelet.sock");
  RunUntil([&] { return !names.empty(); });
  EXPECT_EQ(names.front(), "kubelet.sock");
  RunFor(Duration(5));
  names.clear();
  std::filesystem::remove(folder_ + "/kubelet.sock");
  RunUntil([&] { return !names.empty(); });
  EXPECT_EQ(names.front(), "kubelet.sock");
}

TEST_F(FolderWatchTest, AnOwnerMayDieInItsWatchsCallback) {
  auto owner = std::make_unique<Owner>();
  auto watch = loop_.OnChange(folder_, [&owner](const std::string&) { owner.reset(); });
  ASSERT_TRUE(watch);
  owner->subscription = std::move(*watch);
  Touch("a");
  RunUntil([&] { return owner == nullptr; });
  Touch("b");
  RunFor(Duration(5));
}

TEST_F(FolderWatchTest, AFolderThatIsNotThereIsNotFound) {
  const auto watch = loop_.OnChange(folder_ + "/none", [](const std::string&) {});
  ASSERT_FALSE(watch);
  EXPECT_EQ(watch.error().code, ErrorCode::kNotFound);
  EXPECT_NE(watch.error().message.find("/none"), std::string::npos);
}

}  // namespace
}  // namespace vdcu::base
