// What the state has after each look at a host, and what is noted of it.
#include "node/housekeeping.h"

#include <gtest/gtest.h>

#include <sstream>

#include "base/clock.h"
#include "tests/hosts/simulated_host.h"
#include "tests/node/node_world.h"

namespace vdcu::node {
namespace {

class HousekeepingTest : public testing::Test {
 protected:
  void SetUp() override {
    auto host = hosts::SimulatedHost::Create(world_.folder.path(), {.cards = 2});
    ASSERT_TRUE(host) << host.error().message;
    host_ = std::make_unique<hosts::SimulatedHost>(std::move(*host));
  }
  Noted Look() {
    housekeeping_.Look();
    return world_.changes.Take();
  }

  // How many lines of what is logged by three looks have the text.
  int64_t Logged(const std::string& text) {
    testing::internal::CaptureStdout();
    for (int i = 0; i < 3; ++i) Look();
    std::istringstream log(testing::internal::GetCapturedStdout());
    int64_t count = 0;
    for (std::string line; std::getline(log, line);) {
      count += line.find(text) != std::string::npos ? 1 : 0;
    }
    return count;
  }

  NodeWorld world_;
  base::SystemClock clock_;
  std::unique_ptr<hosts::SimulatedHost> host_;
  Housekeeping housekeeping_{world_.root, clock_, world_.state};
};

TEST_F(HousekeepingTest, NotesCardsOnlyWhereTheScanDiffers) {
  housekeeping_.FindCards();
  EXPECT_EQ(world_.changes.Take(), Noted{.cards = true}) << "the first, whatever there is";
  EXPECT_EQ(world_.state.scan.devices.size(), 2u);
  EXPECT_EQ(Look(), Noted());
  ASSERT_TRUE(host_->MakeSick(1, hosts::Sickness::kRas));
  EXPECT_EQ(Look(), Noted{.cards = true});
  EXPECT_FALSE(world_.holdings.devices().at(1).healthy);
  EXPECT_EQ(Look(), Noted());
}

TEST_F(HousekeepingTest, ACardIsUnhealthySinceItWasPublishedSo) {
  ASSERT_TRUE(host_->MakeSick(0, hosts::Sickness::kRas));
  crds::DcuNode published;
  published.meta.name = "n";
  published.status.devices = ScanHost(host_->root()).devices;
  published.status.devices.at(0).unhealthy_since = "2026-01-02T03:04:05Z";
  world_.dcunodes.Set("n", std::make_shared<crds::DcuNode>(published));
  housekeeping_.FindCards();
  EXPECT_EQ(world_.holdings.devices().at(0).unhealthy_since, "2026-01-02T03:04:05Z");
}

TEST_F(HousekeepingTest, RepairsTheDiskAtFirst) {
  housekeeping_.FindCards();
  ASSERT_TRUE(world_.root.MakeFolder("/etc/vdev/slices/uid-nobodys"));
  housekeeping_.RepairDisk();
  EXPECT_FALSE(world_.root.Exists("/etc/vdev/slices/uid-nobodys"));
}

TEST_F(HousekeepingTest, LogsOnceWhatIsInTheWay) {
  housekeeping_.FindCards();
  housekeeping_.RepairDisk();
  ASSERT_TRUE(host_->MakeGarbage(1));
  EXPECT_EQ(Logged("a card is left out"), 1);
  ASSERT_TRUE(world_.root.MakeFolder("/etc/vdev/vdev3.conf/full"));
  EXPECT_EQ(Logged("a vdev number is passed over"), 1);
  ASSERT_TRUE(world_.root.RemoveFolder("/etc/vdev/vdev3.conf/full"));
  ASSERT_TRUE(world_.root.RemoveFolder("/etc/vdev/vdev3.conf"));
  EXPECT_EQ(Logged("a vdev number is passed over"), 0);
  ASSERT_TRUE(world_.root.MakeFolder("/etc/vdev/vdev3.conf/full"));
  EXPECT_EQ(Logged("a vdev number is passed over"), 1) << "it has come anew";
}

TEST_F(HousekeepingTest, NotesWhatComesInTheWayOnTheDiskAndGoes) {
  housekeeping_.FindCards();
  housekeeping_.RepairDisk();
  world_.changes.Take();
  ASSERT_TRUE(world_.root.MakeFolder("/etc/vdev/vdev3.conf/full"));
  EXPECT_EQ(Look(), Noted{.disk = true});
  EXPECT_TRUE(world_.holdings.disk().occupied_vdevs.contains(3));
  EXPECT_EQ(Look(), Noted());
  ASSERT_TRUE(world_.root.RemoveFolder("/etc/vdev/vdev3.conf/full"));
  ASSERT_TRUE(world_.root.RemoveFolder("/etc/vdev/vdev3.conf"));
  EXPECT_EQ(Look(), Noted{.disk = true});
}

}  // namespace
}  // namespace vdcu::node
