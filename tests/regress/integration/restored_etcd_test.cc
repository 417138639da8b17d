// etcd was restored to an older revision: informers went on watching from a version of the future
// and stayed blind until somebody restarted them. Right: they see that versions went back, and
// list.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "tests/integration/placement_fixture.h"

namespace vdcu::integration {
namespace {

class RestoredEtcdTest : public testing::Test {
 protected:
  std::string Folder(const std::string& name) const {
    return world_.cluster.folder() + "/c/" + name;
  }
  void Stop() const {
    world_.cluster.StopApiServer();
    world_.cluster.StopEtcd();
  }
  void Start() const {
    world_.cluster.StartEtcd();
    world_.cluster.StartApiServer();
  }
  void Create(const std::string& name, const Limits& limits,
              const std::map<std::string, std::string>& annotations = {}) const {
    ASSERT_EQ(world_.api.Call("POST", kPods, Pod(name, limits, annotations)).code, 201);
  }
  bool Bound(const std::string& name) const {
    const bool bound = Until([&] {
      const auto pod = world_.api.Find(kPods, name);
      return pod.is_object() && pod["spec"].contains("nodeName");
    });
    EXPECT_TRUE(bound) << name << "\n" << world_.LogOf() << world_.big.Log();
    return bound;
  }

  void MakeVersions(int count) const {
    for (int i = 0; i < count; ++i) {
      world_.api.Call("PATCH", std::string(kPods) + "/kept",
                      {{"metadata", {{"annotations", {{"count", std::to_string(i)}}}}}});
    }
  }
  void SignalAll(int signal) {
    kill(world_.controller->pid(), signal);
    for (Worker* worker : {&world_.big, &world_.small}) kill(worker->daemon().pid(), signal);
  }
  // Cards are taken in a history that is lost; `before` and `after` etcd is restored to its begin.
  void RestoreAndPlace(const std::function<void()>& before, const std::function<void()>& after);

  World world_;  // of its own: nobody else shall meet this etcd
};

void RestoredEtcdTest::RestoreAndPlace(const std::function<void()>& before,
                                       const std::function<void()>& after) {
  namespace fs = std::filesystem;
  world_.controller = world_.MakeController("controller");
  for (const Worker* worker : world_.workers()) {
    ASSERT_TRUE(Until([&] { return worker->Published(); }));
  }
  Create("kept", {{"dcunum", "1"}}, {{"hygon.com/use-dcutype", "Z100L"}});
  ASSERT_TRUE(Bound("kept"));
  Stop();
  fs::copy(Folder("etcd"), Folder("etcd-snapshot"), fs::copy_options::recursive);
  Start();

  // A history that will be lost: all other cards are taken, in many versions.
  Create("lost-big", {{"dcunum", "8"}});
  Create("lost-small", {{"dcunum", "3"}});
  MakeVersions(100);
  ASSERT_TRUE(Bound("lost-big"));
  ASSERT_TRUE(Bound("lost-small"));
  before();
  Stop();
  fs::remove_all(Folder("etcd"));
  fs::rename(Folder("etcd-snapshot"), Folder("etcd"));
  Start();

  after();
  ASSERT_TRUE(world_.api.Find(kPods, "lost-big").is_null());
  Create("after", {{"dcunum", "8"}});
  EXPECT_TRUE(Bound("after"));
  EXPECT_TRUE(Until([&] { return world_.api.List(kPartitions).size() == 9; }));
  EXPECT_EQ(world_.controller->Wait(base::Duration(0)), -1) << "it runs";
  for (Worker* worker : {&world_.big, &world_.small}) {
    EXPECT_EQ(worker->daemon().Wait(base::Duration(0)), -1) << worker->name() << " runs";
  }
}

TEST_F(RestoredEtcdTest, WhatIsThereAgainIsSeenWithoutARestart) {
  RestoreAndPlace([] {}, [] {});
}

// Everybody hears of it only when the versions are past those of before.
TEST_F(RestoredEtcdTest, AlsoWhereTheRestoredOneIsPastOurVersion) {
  RestoreAndPlace([&] { SignalAll(SIGSTOP); },
                  [&] {
                    MakeVersions(400);
                    SignalAll(SIGCONT);
                  });
}

}  // namespace
}  // namespace vdcu::integration
